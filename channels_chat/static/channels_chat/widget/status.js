// Who answers, how long it takes, what is wrong; and the signs outside of the window: sound and title.
let head, banner, menu, menuButton;

const waits = () => {
  if (S.line !== "on") return C.name;
  if (!S.open) return opens() || C.name;
  if (C.bot) return t("bot_answers");
  if (!S.here) return C.name;
  return S.wait > 45 ? t("wait", {time: minutes(S.wait)}) : t("wait_here");
};

const inLine = () => {
  const {place, wait} = S.chat;
  if (!place) return t("finding");
  const where = place === 1 ? t("queue_next") : t("queue", {place});
  return wait ? `${where} · ${t("queue_wait", {time: minutes(wait)})}` : where;
};

const drawHead = () => {
  const agent = S.chat?.state === "active" && S.chat.agent;
  const hero = !PAGE && !thread.all().length && !live();
  const words = S.greeting || t("greeting");
  const sub = agent ? C.name : live() && S.chat.state === "bot" ? t("bot_answers") : live() && S.chat.state === "waiting" && !S.chat.overflow ? t("finding") : waits();
  const who = agent ? [agent] : S.team.slice(0, 3);
  const print = JSON.stringify([agent, hero, S.started, words, sub, who, lang, unread() ? 1 : 0]);
  if (head.print === print) return;
  head.print = print;
  head.classList.toggle("hero", hero);
  head.classList.toggle("low", hero && !S.started);
  head.querySelector(".who").replaceChildren(
    h("span.faces", null, who.length ? who.map((one) => face(one)) : face({name: C.name})),
    h("span.names", null, h("h2", {id: "rabta-title", dir: "auto"}, agent ? agent.name : t("title")), h("small", {dir: "auto"}, sub)));
  head.querySelector(".greet").textContent = words;
};

const drawBanner = () => {
  let words = "";
  if (wire.over) words = S.note;
  else if (S.line === "off") words = t("no_line");
  else if (S.note) words = S.note;
  else if (S.chat?.state === "active" && S.chat.warned) words = t("closing");
  else if (S.chat?.state === "waiting" && !S.chat.overflow) words = inLine();
  if (banner.textContent !== words) banner.textContent = words;
  banner.hidden = !words;
  banner.classList.toggle("warn", S.line === "off" || Boolean(S.chat?.warned) || wire.over);
};

const toggleMenu = (on) => {
  menu.hidden = !on;
  menuButton.setAttribute("aria-expanded", String(on));
  if (!on) return;
  const item = (words, onclick) => h("button", {type: "button", onclick() { toggleMenu(false); onclick(); }}, words);
  menu.replaceChildren(...[
    item(kept.get("s") === false || S.mute ? t("sound_on") : t("sound_off"), () => {
      S.mute = !(S.mute || kept.get("s") === false);
      if (S.key) kept.set("s", S.mute ? false : null);
      menuButton.focus();
    }),
    C.transcript && S.lines.size && item(t("transcript"), askTranscript),
    live() && item(t("end"), askEnd),
  ].filter(Boolean));
  menu.firstChild.focus();
};

const makeHead = () => {
  menuButton = tool("more", t("menu"), () => toggleMenu(menu.hidden), {"aria-expanded": "false"});
  menuButton.classList.add("dotted");
  menu = h("div.menu", {role: "group", hidden: true, "aria-label": t("menu")});
  head = h("header", null, h("div.row", null, h("div.who"), menuButton, !PAGE && tool("close", t("close"), () => shut())), h("p.greet", {dir: "auto"}), menu);
  banner = h("p.banner", {role: "status", hidden: true});
  return [head, banner];
};

// A short, soft tone; browsers allow it once the visitor pressed something.
const beep = () => {
  if (S.mute || kept.get("s") === false || !beep.sound || beep.sound.state !== "running") return;
  const {sound} = beep;
  const tone = sound.createOscillator();
  const gain = sound.createGain();
  tone.frequency.setValueAtTime(660, sound.currentTime);
  tone.frequency.setValueAtTime(880, sound.currentTime + 0.09);
  gain.gain.setValueAtTime(0.05, sound.currentTime);
  gain.gain.exponentialRampToValueAtTime(0.0001, sound.currentTime + 0.3);
  tone.connect(gain).connect(sound.destination);
  tone.start();
  tone.stop(sound.currentTime + 0.3);
};
const allowSound = () => { try { beep.sound ||= new AudioContext(); beep.sound.resume(); } catch { beep.sound = null; } };

// The number of unread messages before the page's title, while the page is not looked at.
const drawTitle = () => {
  const count = unread();
  const own = document.title.replace(/^\(\d+\) /, "");
  const title = count && document.visibilityState !== "visible" ? `(${count}) ${own}` : own;
  if (drawTitle.ours !== undefined || title !== own) {
    if (document.title !== title) document.title = title;
    drawTitle.ours = title === own ? undefined : title;
  }
  if (drawTitle.count !== count) { drawTitle.count = count; emit("unread", count); }
};
