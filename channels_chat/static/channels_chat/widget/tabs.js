// One connection for all tabs of a browser: the tab that holds the lock has it and relays. Where there are no locks (a
// page without https, an old browser) each tab has its own.
const tabs = {id: random(), leads: false, on: false, channel: null, release: null, unheard: 0};
const shared = navigator.locks && window.BroadcastChannel;

const post = (message) => tabs.channel?.postMessage(message);
const spread = (frame) => { post({f: frame}); got(frame); };

const lead = () => { tabs.leads = true; connect(); };
const follow = () => { tabs.leads = false; hangUp(); };

const queue = (options) => navigator.locks.request(KEY, options, () => new Promise((release) => {
  tabs.release = release;
  lead();
})).catch(() => { // another tab took it, for this one did not answer
  follow();
  if (tabs.on) queue({});
});

const join = () => {
  if (tabs.on) return;
  tabs.on = true;
  if (!shared) return lead();
  tabs.channel = new BroadcastChannel(KEY);
  tabs.channel.onmessage = (event) => hear(event.data);
  queue({});
  post({ask: tabs.id});
};

const leave = () => {
  tabs.on = false;
  follow();
  tabs.release?.();
  tabs.release = null;
  tabs.channel?.close();
  tabs.channel = null;
};

// A tab that sleeps keeps its lock but says nothing: then somebody else leads.
const knock = () => {
  if (!tabs.on || tabs.leads || !shared || tabs.unheard) return;
  tabs.unheard = setTimeout(() => { tabs.unheard = 0; queue({steal: true}); }, 3000);
  post({ping: 1});
};

// Send a frame, from whichever tab; `sure`: if there is no connection now, as soon as there is, and it is welcome. (Others
// may follow the greeting at once: what is known a moment after it.)
const send = (frame, sure) => {
  if (tabs.leads) {
    if (!((S.line === "on" || !sure) && transmit(frame)) && sure) wire.later.push(frame);
  } else if (tabs.on) {
    post({up: frame, sure});
    knock();
  } else if (sure) wire.later.push(frame);
};

const SHARED = ["line", "known", "open", "here", "wait", "team", "chat", "more", "delivered", "read"];

const hear = (message) => {
  if (message.f) got(message.f);
  if (message.o) { hold(message.o, true); flush(); }
  if (message.d) drop(message.d, true);
  if (message.r) { S.seen = Math.max(S.seen, message.r); changed(); }
  if (message.x) {
    forget();
    wire.later = [];
    changed();
    if (tabs.leads) { post({f: {t: "gone"}}); anew(); } // whoever said so may have heard something from here since
  }
  if (tabs.leads) {
    if (message.ping) post({pong: 1});
    if (message.up) {
      const {user, hmac = "", attrs = S.attrs} = message.up;
      Object.assign(S, {attrs}, user && {user, hmac}); // of whichever tab: the next greeting says so
      send(message.up, message.sure);
    }
    if (message.ask) {
      const state = Object.fromEntries(SHARED.map((name) => [name, S[name]]));
      post({to: message.ask, state, visit: visit.id, lines: [...S.lines.values()]});
    }
  }
  if (message.to || message.pong) {
    clearTimeout(tabs.unheard);
    tabs.unheard = 0;
  }
  if (message.to === tabs.id) {
    Object.assign(S, message.state);
    S.key = kept.get("k") || S.key;
    add(message.lines, S.lines.size);
    visit.id = message.visit; // the same person on the same visit
    keepVisit();
    if (S.user) API.identify(S.user, S.hmac); // once more: there was no way to say it
    if (Object.keys(S.attrs).length) API.attributes();
    wire.later.splice(0).forEach((frame) => send(frame, true));
    moved(true);
    changed();
  }
};

addEventListener("pagehide", leave);
addEventListener("pageshow", (event) => event.persisted && wake());
addEventListener("visibilitychange", () => { if (document.visibilityState === "visible") { knock(); changed(); } });
