// What was written and is not acknowledged yet. Each row is a key of its own in localStorage, so that tabs do not
// overwrite one another: whichever tab holds the connection sends it, also after all were closed. Repeats are harmless.
const outbox = new Map(); // cid → {cid, n, frame, files, why: the reason that it failed, sent: over which connection}
const waiting = () => [...outbox.values()].sort((one, other) => one.n - other.n);
const shows = (item) => /say|offline/.test(item.frame.t); // it stands in the conversation until it is there

const hold = (item, told) => {
  outbox.set(item.cid, item);
  mark(item.frame);
  if (!told) {
    kept.set(`o:${item.cid}`, item);
    post({o: item});
  }
  changed();
};

const drop = (cid, told) => {
  if (!outbox.delete(cid)) return;
  if (!told) {
    kept.set(`o:${cid}`, null);
    post({d: cid});
  }
  changed();
};

const write = (frame, files) => {
  const cid = frame.cid || random();
  hold({cid, n: Date.now() + outbox.size / 1e3, frame: {...frame, cid}, files});
  flush();
  knock();
  return cid;
};

const flush = () => {
  if (!tabs.leads || S.line !== "on") return;
  for (const item of waiting()) {
    if (item.why || item.sent === wire.count) continue;
    item.sent = wire.count;
    item.at = Date.now();
    transmit({...item.frame, ...who()});
    if (item.frame.t === "start" && S.known) drop(item.cid);
  }
};

const recall = () => kept.names("o:").forEach((name) => {
  const item = kept.get(name);
  if (item?.cid) outbox.set(item.cid, {...item, sent: 0});
});

// A message. The first of a chat says how the chat began: in which language, answering which invitation.
const speak = (text, files) => {
  if (!live() && !S.started) begin({});
  write({t: "say", text, files: files.map((file) => file.file)}, files);
};

const begin = (more) => {
  S.before = S.chat?.id; // that this one has ended may be said once more, and ends not what begins now
  visited.set("s", S.started = true);
  const {name, email, phone} = S.user || {};
  write({t: "start", topic: "", lang, consent: false, invitation: S.invitation, ...more, fields: {name, email, phone, ...more.fields}});
  if (S.invitation) answered(S.invitation);
};
