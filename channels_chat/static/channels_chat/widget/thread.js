// The conversation: each message is drawn once, and again only when something of it changed.
const drawn = new Map(); // key → {element, print: what it looked like}
let log, scroller;

const settle = () => { if (scroller && thread.below) scroller.scrollTop = scroller.scrollHeight; };

const day = (at) => {
  const then = new Date(at).toDateString();
  if (then === new Date().toDateString()) return t("today");
  if (then === new Date(Date.now() - 864e5).toDateString()) return t("yesterday");
  return new Intl.DateTimeFormat(lang, {weekday: "long", day: "numeric", month: "long"}).format(at);
};

// How far a message of the visitor's own came.
const tick = (line) => {
  if (line.why) return ["failed", "", line.why];
  if (line.pending) return S.line === "on" ? ["", "wait", t("sending")] : ["", "wait", t("unsent")];
  if (line.id <= S.read) return ["seen", "two", t("read")];
  return line.id <= S.delivered ? ["", "two", t("delivered")] : ["", "one", t("sent")];
};

const foot = (line, own) => {
  if (!own) return h("small.under", null, line.name && `${line.name} · `, h("bdi", null, clock(line.at)));
  const [look, drawing, words] = tick(line);
  return h(`small.under.${look || "plain-tick"}`, null, !line.pending && h("bdi", null, clock(line.at)), drawing && icon(drawing), words,
    line.why && h("button.link", {type: "button", onclick() { hold({...outbox.get(line.cid), why: "", sent: 0}); flush(); }}, t("again")));
};

const key = (line) => line.cid || `m${line.id}`;

const draft = (item) => ({
  cid: item.cid, dir: "in", by: "visitor", at: item.n, pending: true, why: item.why, kind: "text",
  text: item.frame.text || "", files: (item.files || []).map((file) => ({...file, url: ""})),
});

const thread = {
  below: true,
  all: () => [...lines(), ...waiting().filter(shows).map(draft)],
};

const drawThread = () => {
  const all = thread.all();
  const wanted = [];
  const put = (name, print, make) => {
    let known = drawn.get(name);
    if (known?.print !== print) drawn.set(name, known = {element: make(), print});
    wanted.push([name, known.element]);
  };
  if (S.more) put("more", "", () => h("button.link.older", {type: "button", onclick: older}, t("older")));
  all.forEach((line, index) => {
    const [before, after] = [all[index - 1], all[index + 1]];
    const date = day(line.at);
    if (!before || day(before.at) !== date) put(`d${date}`, date, () => h("p.day", null, date));
    if (plain(line)) return put(key(line), JSON.stringify([line, lang]), () => h("p.system", {dir: "auto"}, linked(line.text)));
    const own = line.dir === "in";
    const same = (other) => other && !plain(other) && other.dir === line.dir && other.name === line.name && Math.abs(other.at - line.at) < 3e5;
    const last = !same(after);
    const under = last || line.why || (own && !after?.pending && line.pending) ? (own ? tick(line).join() : "1") : "";
    put(key(line), JSON.stringify([line, same(before), last, under, live()]), () => h(
      `div.said.${own ? "own" : "their"}${same(before) ? ".next" : ""}${last ? ".last" : ""}`, null,
      h("span.hidden", null, `${own ? t("you") : line.name || C.name}:`),
      !own && (last ? face(line, line.by === "bot") : h("span.face.none")),
      h("div.stack", null, shownLine(line), under && foot(line, own))));
  });
  if (S.typing) {
    put("typing", S.typing, () => h("div.said.their.last", null, face({name: S.typing}),
      h("div.stack", null, h("p.bubble.dots", {role: "img", "aria-label": t("typing", {name: S.typing})}, h("i"), h("i"), h("i")))));
  }
  const names = new Set(wanted.map(([name]) => name));
  drawn.forEach((known, name) => { if (!names.has(name)) { known.element.remove(); drawn.delete(name); } });
  const elements = wanted.map(([, element]) => element);
  [...log.children].forEach((element) => { if (!elements.includes(element)) element.remove(); }); // it is drawn anew
  elements.forEach((element, index) => { if (log.children[index] !== element) log.insertBefore(element, log.children[index] || null); });
  settle();
};

const older = () => {
  const height = scroller.scrollHeight - scroller.scrollTop;
  const first = lines()[0];
  if (first) send({t: "more", before: first.id});
  thread.below = false;
  const watch = new MutationObserver(() => { scroller.scrollTop = scroller.scrollHeight - height; watch.disconnect(); });
  watch.observe(log, {childList: true});
};

const makeThread = () => {
  drawn.clear();
  log = h("div.log", {role: "log", "aria-live": "polite", "aria-relevant": "additions", "aria-label": t("messages")});
  scroller = h("div.scroll", {tabIndex: 0, role: "region", "aria-label": t("messages"), onscroll() {
    thread.below = scroller.scrollHeight - scroller.scrollTop - scroller.clientHeight < 60;
  }}, log, makeCards());
  return scroller;
};
