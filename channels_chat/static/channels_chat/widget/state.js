// What this page knows, and what the server says of it. Every tab hears every frame.
const STRANGER = {
  key: "", known: false, chat: null, more: false, delivered: 0, read: 0, seen: 0, started: null, before: null, user: null, hmac: "", attrs: {}, typing: "",
};
const S = {
  ...STRANGER, line: "", open: true, here: null, wait: null, team: [], lines: new Map(), shown: false, invitation: "", note: "",
  key: kept.get("k") || "", seen: kept.get("r") || 0, started: visited.get("s"),
};
const heard = {}; // who listens: name of an event → functions
const emit = (name, value) => (heard[name] || []).forEach((listener) => {
  try { listener(value); } catch (error) { console.error(error); }
});

let drawing = 0;
const changed = () => {
  drawing ||= setTimeout(() => { drawing = 0; draw(); }, 10);
};

const lines = () => [...S.lines.values()].sort((one, other) => one.id - other.id);
const newest = () => Math.max(0, ...S.lines.keys());
const live = () => S.chat && S.chat.state !== "ended";
const plain = (line) => line.by === "system" && line.kind !== "buttons"; // a survey asks in nobody's name
const theirs = (line) => line.dir === "out" && !plain(line);
const unread = () => lines().filter((line) => theirs(line) && line.id > S.seen).length;
const looking = () => S.shown && document.visibilityState === "visible";

// What was chosen or filled in below a message stands there, in every tab, before the server has it.
const mark = ({id, button, values, was}) => {
  const line = S.lines.get(id);
  if (line) Object.assign(line.data, {pressed: button, values, was});
};

// Messages as the server has them; `news`: they came just now, not with the history. (What was said before this page was
// there may come late: whoever writes on a second device has the first one's from then on.)
const add = (messages, news) => {
  for (const line of messages) {
    const fresh = !S.lines.has(line.id);
    S.lines.set(line.id, line);
    const mine = outbox.get(line.cid);
    if (mine) emit("sent", {id: line.id, text: line.text}); // what it says may be told before that it was taken
    if (mine) drop(line.cid);
    if (!news || !fresh || !theirs(line) || line.at < S.since) continue;
    S.typing = "";
    emit("message", {id: line.id, text: line.text, name: line.name, by: line.by});
    if (!looking()) announce(line);
  }
  outbox.forEach((item) => mark(item.frame));
};

const forget = () => {
  kept.names("").forEach((name) => name !== "i" && kept.set(name, null));
  ["s", "w"].forEach((name) => visited.set(name, null));
  outbox.clear();
  typed = {};
  S.lines.clear();
  Object.assign(S, STRANGER);
};

// Said below the head for some seconds.
const note = (words) => {
  S.note = words;
  setTimeout(() => { if (S.note === words) { S.note = ""; changed(); } }, 6000);
};

const GOT = {
  welcome(frame) {
    const before = S.lines.size;
    if (before && frame.more) S.lines.clear(); // it missed so much that a gap would stay: begin at the end again
    if (!before || frame.more) S.more = frame.more;
    S.since ||= frame.at;
    const {known, open, here, wait, team, chat} = frame;
    Object.assign(S, {line: "on", known, open, here, wait, team: team || [], chat});
    add(frame.messages || [], before);
    emit("ready", {known, open, here});
  },
  here({open, here, wait, team}) { Object.assign(S, {open, here, wait, team}); },
  line(frame) { S.line = frame.on; S.typing = ""; },
  key(frame) {
    S.since = frame.at || S.since;
    S.key = frame.key;
    S.known = true;
    kept.set("k", S.key);
    if (S.user) kept.set("u", S.user.id || null);
    outbox.forEach((item) => { kept.set(`o:${item.cid}`, item); if (item.frame.t === "start") drop(item.cid); });
  },
  took(frame) {
    const item = outbox.get(frame.cid);
    if (!item) return;
    if (item.frame.t === "say") {
      const {text} = item.frame;
      S.lines.set(frame.id, {id: frame.id, dir: "in", by: "visitor", text, at: frame.at, cid: frame.cid, kind: "text", files: item.files || []});
      emit("sent", {id: frame.id, text});
    }
    if (item.frame.t === "offline") visited.set("l", S.left = true);
    drop(frame.cid);
    outbox.forEach((other) => other.frame.t === "start" && other.n <= item.n && drop(other.cid));
  },
  ok(frame) { drop(frame.cid); },
  no(frame) {
    const item = outbox.get(frame.cid);
    if (frame.why === "user") {
      Object.assign(S, {user: null, hmac: ""});
      return warn(frame.text);
    }
    if (!item) return note(frame.text);
    if (frame.after) {
      S.note = t("too_fast");
      setTimeout(() => { S.note = ""; item.sent = 0; flush(); changed(); }, frame.after * 1000);
    } else if (shows(item)) hold({...item, why: frame.text || t("failed")});
    else {
      note(frame.text);
      if (item.frame.t === "start") visited.set("s", S.started = null);
      mark({id: item.frame.id, was: item.frame.values});
      drop(item.cid);
    }
  },
  said(frame) {
    add(frame.messages, !frame.old);
    if (frame.old) S.more = frame.more;
  },
  ticks(frame) {
    S.delivered = Math.max(S.delivered, frame.delivered || 0);
    S.read = Math.max(S.read, frame.read || 0);
  },
  typing(frame) {
    S.typing = frame.on ? frame.name || C.name : "";
    clearTimeout(GOT.still);
    if (frame.on) GOT.still = setTimeout(() => { S.typing = ""; changed(); }, 8000);
  },
  chat(frame) {
    if (frame.chat?.state !== S.chat?.state) emit("chat", frame.chat?.state || "");
    S.chat = frame.chat;
    if (live()) S.thanked = S.rating = S.before = null;
    if (live()) outbox.forEach((item) => item.frame.t === "start" && drop(item.cid));
    else if (S.chat && S.chat.id !== S.before) visited.set("s", S.started = null);
  },
  gone() {
    const {user, hmac, attrs} = S;
    forget();
    Object.assign(S, {user, hmac, attrs});
    if (tabs.leads && S.line === "on") anew(); // else the greeting that is under way goes on as a stranger's
  },
  sent() { note(t("transcript_sent")); },
  invite(frame) { invited(frame); },
};
const got = (frame) => { (GOT[frame.t] || NOTHING)(frame); changed(); };

// Everything up to the newest was seen: told once, in every tab.
const look = () => {
  const last = newest();
  if (!S.known || !last) return;
  const read = looking() ? last : S.seen;
  if (read > S.seen) {
    S.seen = read;
    kept.set("r", read);
    post({r: read});
  }
  const told = `${last} ${S.seen}`;
  if (S.line === "on" && told !== look.told) {
    look.told = told;
    send({t: "seen", delivered: last, read: S.seen});
  }
};
