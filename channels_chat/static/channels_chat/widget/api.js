// `window.Rabta`, and the start. Calls made before the script was there wait in `window.RabtaQueue`.
const EVENTS = "ready open close message sent chat rated unread invitation";
const API = {
  open: () => openUp(),
  close: () => shut(),
  identify(user, hmac = "") {
    const mine = kept.get("u");
    const id = String(user?.id ?? "");
    if (!user || (mine && id && mine !== id)) { // logged out, or somebody else: nothing of before is theirs
      send({t: "user", user: null}); // where there is a connection, its key opens nothing any more
      wire.later = [];
      post({x: 1});
      forget();
      visited.set("f", null);
      anew(); // at once: what is still on its way here is theirs
    }
    if (user) {
      S.user = {...user, id};
      S.hmac = hmac;
      if (S.key) kept.set("u", id || null);
      send({t: "user", user: S.user, hmac: S.hmac || undefined});
    }
    changed();
  },
  attributes(values) {
    S.attrs = {...S.attrs, ...flat(values)};
    send({t: "attrs", attrs: S.attrs});
    consider();
  },
  track,
  on(name, listener) {
    EVENTS.includes(name) || dropped(name);
    (heard[name] ||= []).push(listener);
    return () => { heard[name] = heard[name].filter((one) => one !== listener); };
  },
  locale(wanted) {
    if (!spoken(wanted)) return dropped(wanted);
    if (spoken(wanted) === lang) return;
    lang = spoken(wanted);
    if (!host) return;
    const {shown} = S;
    typed = {};
    panel?.remove();
    panel = null;
    S.shown = false;
    frame.replaceChildren(...makeLauncher());
    dress();
    if (shown) openUp(true);
    draw();
  },
  hide() { launch.hidden = true; if (host) { shut(); hideTeaser(); draw(); } },
  show() { launch.hidden = false; changed(); },
};

const call = (one) => {
  try {
    if (typeof one === "function") one(API);
    else API[one[0]]?.(...[...one].slice(1));
  } catch (error) { console.error(error); }
};

const wake = () => { if (C.site || S.key || S.shown || PAGE || outbox.size) join(); };

const boot = () => {
  makeHost();
  recall();
  moved();
  if (C.invitations.length) watch();
  if (PAGE || openUp.asked || (visited.get("w") && !full())) openUp(!openUp.asked);
  S.left = visited.get("l");
  wake();
  draw();
};

window.Rabta = API;
const parsed = (name) => { try { return JSON.parse(given[name]); } catch { return console.error(`Rabta: data-${name} is not JSON`); } };
const person = given.user && parsed("user");
if (person) API.identify(person, given.hmac);
if (given.attributes) API.attributes(parsed("attributes"));
const queued = window.RabtaQueue || [];
window.RabtaQueue = {push: (...calls) => calls.forEach(call)};
[...queued].forEach(call);
if (document.readyState === "complete") setTimeout(boot);
else addEventListener("load", () => setTimeout(boot));
