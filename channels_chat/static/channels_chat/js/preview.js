// Of the preview's page: stands in for the server, so that the widget shows what visitors will see and nobody is told.
// Before the widget's script: it finds this socket in the place of the browser's.
const { shows, token, invitation, name, asks, answers } = document.currentScript.dataset

Object.defineProperty(navigator, "locks", { value: undefined }) // each preview is on its own

// What is typed in the form beside stays where it is, until somebody comes in here.
const { focus } = HTMLElement.prototype
let entered = false
HTMLElement.prototype.focus = function (...how) { if (entered) focus.apply(this, how) }
for (const kind of ["pointerdown", "keydown"]) addEventListener(kind, () => (entered = true), true)

const sana = { name: "Sana", face: null }
const line = (id, dir, text) => ({ id, dir, by: dir === "in" ? "visitor" : "agent", name: dir === "in" ? "" : sana.name, face: null, text, at: Date.now() - 60_000, kind: "text", data: {}, files: [] })
const chat = state => ({ state, place: null, wait: null, agent: state === "active" ? sana : null, end: "", rate: false, score: null, warned: false, overflow: false })
const talked = () => shows === "chat" ? [line(1, "in", asks), line(2, "out", answers)] : []

const ANSWERS = {
  hi: () => [
    { t: "welcome", known: shows === "chat", open: true, here: true, wait: 60, team: [sana], messages: talked(), more: false, chat: shows === "chat" ? chat("active") : null },
    ...(shows === "chat" ? [{ t: "ticks", delivered: 1, read: 1 }] : []),
    ...(invitation ? [{ t: "invite", key: "", text: invitation, name }] : []),
  ],
  start: () => [{ t: "key", key: "preview" }, { t: "chat", chat: chat("active") }],
  say: ({ cid }) => [{ t: "took", cid, id: (last += 1), at: Date.now() }],
  end: ({ cid }) => [{ t: "ok", cid }, { t: "chat", chat: { ...chat("ended"), end: "visitor", rate: true } }],
  rate: ({ cid }) => [{ t: "ok", cid }, { t: "rated" }],
  transcript: () => [{ t: "sent" }],
  offline: ({ cid }) => [{ t: "took", cid, id: (last += 1), at: Date.now() }],
}
let last = 2

window.WebSocket = class {
  readyState = 0
  constructor() {
    setTimeout(() => { this.readyState = 1; this.onopen?.() })
  }
  send(text) {
    const frame = JSON.parse(text)
    for (const one of ANSWERS[frame.t]?.(frame) ?? []) setTimeout(() => this.onmessage?.({ data: JSON.stringify(one) }))
  }
  close() { this.readyState = 3 }
}

// Nothing of an earlier preview is left, and the window stands open, unless an invitation is what is looked at.
for (const storage of [localStorage, sessionStorage])
  for (const key of Object.keys(storage)) if (key.startsWith(`rabta:${token}:`)) storage.removeItem(key)
if (!invitation) window.RabtaQueue = [["open"]]
