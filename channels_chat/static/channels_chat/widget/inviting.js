// Invitations, decided here: docs/channels/chat.md describes their rules. Only what happened to them is told.
const compare = (value, op = "=", wanted) => {
  if (value == null) return op === "!=";
  const numbers = [value, wanted].map(Number);
  const [one, other] = numbers.some(Number.isNaN) || value === "" ? [value, wanted].map((side) => String(side).toLowerCase()) : numbers;
  return {"=": one === other, "!=": one !== other, ">": one > other, "<": one < other, contains: String(one).includes(String(other))}[op] || false;
};

const HOLDS = {
  url: (one) => fits(one.value),
  time: (one) => page.seconds >= one.value,
  visits: (one) => compare(visit.count, one.op || ">", one.value),
  scroll: (one) => page.scrolled >= one.value,
  idle: (one) => Date.now() - page.touched >= one.value * 1000,
  exit: () => page.exit,
  returning: () => visit.back,
  attribute: (one) => compare({...S.user, ...S.attrs}[one.key], one.op, one.value),
  event: (one) => one.value in visit.events && (!one.key || compare(visit.events[one.value][one.key], one.op, one.than)),
  hours: () => S.open,
  language: (one) => lang === one.value,
  stalled: (one) => {
    const run = visit.journeys[one.value];
    const after = C.journeys.find((journey) => journey.key === one.value)?.stalled;
    return Boolean(run && !run.done && after && Date.now() - run.at >= after * 1000);
  },
};
const holds = (one) => Boolean(HOLDS[one.is]?.(one)) !== Boolean(one.not);

const isDue = ({key, all = [], any = [], every_hours: hours = 24, most = 3, agents}) => {
  const past = record.shown[key] || {times: 0, at: 0};
  return !visit.invites[key] && !(most && past.times >= most) && Date.now() - past.at >= hours * 36e5 && (!agents || S.here)
    && (all.length || any.length) && all.every(holds) && (!any.length || any.some(holds));
};

const share = (text) => { // 0 to 99, the same for the same text (FNV-1a)
  let sum = 2166136261;
  for (const letter of text) sum = Math.imul(sum ^ letter.charCodeAt(0), 16777619);
  return (sum >>> 0) % 100;
};

const report = (key, what) => {
  visit.invites[key] = {...visit.invites[key], [what]: true};
  keepVisit();
  send({t: "invite", key, what}, true);
  emit("invitation", {key, what});
};

const consider = () => {
  if (!host || S.line !== "on" || S.shown || live() || launch.hidden || !teaser.hidden) return;
  const one = C.invitations.find(isDue);
  if (!one) return;
  const past = record.shown[one.key] || {times: 0, held: share(one.key + visit.id) < (one.holdout || 0)};
  record.shown[one.key] = {times: past.times + 1, at: Date.now(), held: past.held};
  kept.set("i", record);
  report(one.key, past.held ? "held" : "shown");
  if (!past.held) invite(one.key, said(one.text), S.team[0] || {name: C.name});
};

const invite = (key, text, who) => {
  tease({who, text, then() {
    if (key) report(key, "opened");
    S.invitation = key;
    S.greeting = text;
    openUp();
  }, away: () => key && report(key, "dismissed")});
};

// An agent starts a chat with this visitor: at once, whatever the rules say.
const invited = ({key, text, name, face: picture}) => { beep(); invite(key || "", text, {name, face: picture}); };

const answered = (key) => { report(key, "answered"); S.invitation = ""; };
const converted = (journey) => C.invitations.forEach(({key, goal}) => {
  const run = visit.invites[key];
  if (goal === journey && run && !run.converted) report(key, "converted");
});

const watch = () => {
  const touch = () => { page.touched = Date.now(); };
  ["pointermove", "pointerdown", "keydown", "scroll"].forEach((name) => addEventListener(name, touch, {passive: true}));
  addEventListener("scroll", () => {
    const {scrollHeight} = document.documentElement;
    page.scrolled = Math.max(page.scrolled, (100 * (scrollY + innerHeight)) / scrollHeight);
  }, {passive: true});
  document.addEventListener("mouseout", (event) => { if (!event.relatedTarget && event.clientY <= 0) { page.exit = true; consider(); } });
  setInterval(() => {
    if (document.visibilityState !== "visible") return;
    page.seconds += 1;
    consider();
  }, 1000);
};
