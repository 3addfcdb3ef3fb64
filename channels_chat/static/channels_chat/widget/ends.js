// What stands below the conversation: the form before it, the message form when nobody is here, the end and the rating.
let cards;
const FACES = ["rate1", "rate2", "rate3", "smile", "rate5"];

const rateCard = () => {
  const comment = h("textarea", {rows: 2, maxLength: 2000, dir: "auto", placeholder: t("comment"), "aria-label": t("comment")});
  let score, pointed;
  const rate = () => {
    write({t: "rate", chat: S.chat.id, score, comment: comment.value.trim()});
    emit("rated", score);
  };
  const more = h("div.stack", {hidden: true}, comment, h("button.main", {type: "button", onclick() { S.thanked = true; rate(); }}, t("send")));
  const faces = [t("rate_1"), t("rate_2"), t("rate_3"), t("rate_4"), t("rate_5")].map((title, index) => h("label", {title}, h("input.hidden", {
    type: "radio", name: "score", "aria-label": title,
    onchange() {
      score = index + 1;
      more.hidden = false;
      S.rating = true;
      if (pointed) rate(); // whoever says no more has said this; keys pass over others on their way
      settle();
    },
  }), icon(FACES[index])));
  return h("div.card", null, h("p.lead", null, t("rate")), h("div.rate", {
    role: "radiogroup", "aria-label": t("rate"), onpointerdown() { pointed = true; }, onkeydown() { pointed = false; },
  }, faces), more);
};

// Which cards stand there now; each is made once, so that nothing typed into it is lost.
const standing = () => {
  const leaving = waiting().some((item) => item.frame.t === "offline" && !item.why); // it is on its way
  if (wire.over) return [];
  if (live()) return S.chat.overflow && !S.left && !leaving ? [S.chat.overflow] : [];
  const found = [];
  if (S.chat?.state === "ended" && !S.started) {
    if (C.rating && (S.chat.rate || S.rating) && !S.thanked) return ["ended", "rate"];
    found.push(S.thanked ? "thanks" : "ended");
  }
  if (S.left || leaving) return [...found, S.left ? "left" : "offline_"];
  if (S.started) return found;
  if (S.here != null && !C.bot && (!(S.open && S.here) || typed.o_text?.value)) return [...found, "offline"]; // begun is begun
  const fields = !S.known && !S.key && (unknown(C.prechat).length || C.consent);
  return fields || C.topics.length ? [...found, "begin"] : found;
};

const nobody = () => [t("offline"), opens()].filter(Boolean).join(" ");
const MAKE = {
  begin: beginCard,
  offline: () => offlineCard("o", nobody()),
  offline_: () => "",
  late: () => offlineCard("v", t("overflow")),
  nobody: () => offlineCard("v", nobody()),
  left: () => h("div.card", null, h("p.lead", null, t("offline_sent")), h("button.link", {type: "button", onclick() {
    visited.set("l", S.left = null);
    changed();
  }}, t("placeholder"))),
  ended: () => h("p.system", null, t("ended")),
  thanks: () => h("p.system", null, t("rate_thanks")),
  rate: rateCard,
};

const drawCards = () => {
  const names = standing();
  const print = [lang, !!S.user, ...names].join();
  if (cards.print !== print) {
    cards.print = print;
    cards.replaceChildren(...names.map((name) => MAKE[name]()));
    settle();
  }
  return names;
};

const makeCards = () => { cards = h("div.cards"); return cards; };

// A sheet over the window: something to read, or one question.
const sheet = (title, ...content) => {
  const back = root.activeElement;
  const away = () => { cover.remove(); sheet.away = null; back?.focus(); };
  const cover = h("div.sheet", {role: "dialog", "aria-modal": "true", "aria-label": title}, h("div.card", null,
    h("div.row.spread", null, h("b", {dir: "auto"}, title), tool("close", t("cancel"), away)), content));
  sheet.away?.();
  sheet.away = away;
  panel.append(cover);
  (cover.querySelector("input, .main") || cover.querySelector("button")).focus();
  return away;
};

const askTranscript = () => {
  const away = sheet(t("transcript"), asking({
    id: "t", fields: [{key: "email", kind: "email", label: t("email"), required: true}], values: claims(), button: t("send"),
    done({email}) { send({t: "transcript", email}, true); away(); },
  }));
};

const askEnd = () => {
  const away = sheet(t("end_sure"), h("div.row", null,
    h("button.main", {type: "button", onclick() { write({t: "end", chat: S.chat?.id}); away(); area?.focus(); }}, t("end")),
    h("button.plain", {type: "button", onclick: () => away()}, t("stay"))));
};
