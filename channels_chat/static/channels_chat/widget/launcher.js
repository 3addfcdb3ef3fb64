// The button at the page's edge, its badge, and what is said beside it: a new message, an invitation.
let launcher, badge, teaser;
const launch = {hidden: given.launcher === "none"};

const makeLauncher = () => {
  badge = h("span.badge", {hidden: true, "aria-hidden": "true"});
  launcher = h("button.launcher", {type: "button", "aria-expanded": "false", "aria-label": t("launcher"), onclick: () => (S.shown ? shut() : openUp())}, icon("chat"), icon("down"), badge);
  teaser = h("div.teaser", {hidden: true, role: "status"});
  return [teaser, launcher];
};

const drawLauncher = () => {
  const count = unread();
  launcher.hidden = launch.hidden || PAGE || wire.over;
  frame.classList.toggle("open", S.shown);
  launcher.setAttribute("aria-expanded", String(S.shown));
  launcher.setAttribute("aria-label", S.shown ? t("close") : count ? `${t("launcher")} (${t("unread", {n: count})})` : t("launcher"));
  badge.hidden = !count || S.shown;
  badge.textContent = count > 9 ? "9+" : count;
};

// `then`: what pressing it does; `away`: what sending it away does.
const tease = ({who, bot, text, then, away}) => {
  if (S.shown || !teaser) return;
  tease.away = away;
  teaser.replaceChildren(
    h("button.say", {type: "button", onclick: then}, face(who, bot), h("span", null, h("b", {dir: "auto"}, who.name || C.name), h("span.clip", {dir: "auto"}, text))),
    tool("close", t("dismiss"), dismiss));
  teaser.hidden = false;
};
const hideTeaser = () => { teaser.hidden = true; tease.away = null; };
const dismiss = () => {
  const {away} = tease;
  hideTeaser();
  away?.();
  if (!launcher.hidden) launcher.focus();
};

// A message came that nobody looks at.
const announce = (line) => {
  beep();
  tease({who: line, bot: line.by === "bot", text: line.text || line.files?.[0]?.name || t("new_message"), then: () => openUp()});
};
