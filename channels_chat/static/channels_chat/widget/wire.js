// The one connection: opened after the page has loaded, and again whenever it breaks, later and later, never all at once.
const wire = {socket: null, count: 0, tries: 0, timer: 0, over: false, later: []};

const transmit = (frame) => wire.socket?.readyState === 1 && (wire.socket.send(JSON.stringify(frame)), true);

// Who the site says it is; what a session is made with.
const who = () => ({
  ...(S.user && {user: S.user, hmac: S.hmac || undefined}), attrs: S.attrs, zone: Intl.DateTimeFormat().resolvedOptions().timeZone || "",
});

const greet = () => transmit({
  t: "hi", visit: visit.id, key: S.key, since: newest(), url: location.href.slice(0, 1000), title: document.title.slice(0, 200),
  ref: document.referrer.slice(0, 500), lang, visits: visit.count, ...who(),
});

const connect = () => {
  clearTimeout(wire.timer);
  wire.timer = 0;
  if (!tabs.leads || wire.over || wire.socket) return;
  const socket = wire.socket = new WebSocket(`${BASE.replace(/^http/, "ws")}${C.path}ws/`);
  socket.onopen = greet;
  socket.onmessage = (event) => {
    const frame = JSON.parse(event.data);
    if (frame.t === "welcome") {
      wire.tries = 0;
      wire.count += 1;
      look.told = "";
    }
    spread(frame);
    if (frame.t === "welcome") {
      wire.later.splice(0).forEach(transmit);
      flush();
      changed();
    }
  };
  socket.onclose = (event) => {
    if (wire.socket !== socket) return;
    wire.socket = null;
    spread({t: "line", on: "off"});
    if (event.code === 4403 || event.code === 4404) {
      wire.over = true;
      S.note = t("refused");
      warn(`${t("refused")} (${event.code})`);
      return;
    }
    if (!tabs.leads) return;
    // After a restart everybody is back within seconds, and spread over them.
    const most = event.code === 4429 ? 60 : Math.min(30, 1.5 * 2 ** wire.tries);
    wire.tries += 1;
    wire.timer = setTimeout(connect, (0.3 + Math.random() * 0.7) * most * 1000);
  };
};

const hangUp = () => {
  const {socket} = wire;
  clearTimeout(wire.timer);
  wire.socket = null;
  socket?.close();
};

const anew = () => {
  if (!tabs.leads) return;
  hangUp();
  spread({t: "line", on: "off"});
  wire.timer = setTimeout(connect, Math.random() * 500);
};

addEventListener("online", () => tabs.on && anew());
addEventListener("offline", () => tabs.leads && wire.socket && anew());

// A line that is dead says nothing: a message without an answer shows it, and so does a computer that slept.
let beat = Date.now();
setInterval(() => {
  const now = Date.now();
  const slept = now - beat > 90_000;
  beat = now;
  const stuck = waiting().some((item) => !item.why && item.frame.t !== "start" && item.sent === wire.count && now - item.at > 15_000);
  if (wire.socket && (slept || stuck)) anew();
}, 5000);
