// How long each ticket was before this agent, and whether it was used: of a click or a key only that there was one. Told
// every few seconds as stretches of time by the server's clock; what could not be told is kept with the tab, and told when
// the connection is back. Said twice is no harm: each stretch has a number of its page. A laptop that slept tells nothing.
import { openTicket } from "./conversation.js"
import { say } from "./line.js"

const USED = 60000 // so long after the last sign of use it is unused
const EVERY = 4000
const GONE = 5000 // without a tick for so long, nobody was here: it slept
const WHOLE = 600000 // then another stretch begins
const KEPT = 90000 // the server writes every 30 s: what was told so lately is told once more after a loss
const AT_ONCE = 5 // of a frame
const MOST = 400
const LITTLE = 1500 // so much is not worth a request of its own

const live = document.getElementById("live")
const KEY = `rabta:focus:${document.body.dataset.me}`
const page = crypto.getRandomValues(new Uint32Array(3)).reduce((name, part) => name + part.toString(36).padStart(4, "0"), "").slice(0, 16)
const signs = ["pointerdown", "pointermove", "keydown", "wheel", "touchstart", "touchmove"]

// The server's clock, by the monotonic one of this page: the other may be set while we look at it.
const opened = performance.getEntriesByType("navigation")[0]?.responseStart ?? 0
let anchor = Number(live.dataset.at) * 1000 - opened
const clock = at => Math.round(anchor + at)

let number = 0
let current // { seq, ticket, idle, from, to } in this page's time
let done = restore() // [what is told, when it was]
let usedAt = performance.now() // whoever opens a page uses it
let pane // of several conversations side by side, the one that was used last
let [tickAt, wallAt] = [performance.now(), Date.now()]
let toldAt = -Infinity

function restore() {
  try {
    return JSON.parse(sessionStorage.getItem(KEY) ?? "[]").map(told => ({ told, at: 0 }))
  } catch {
    return []
  }
}

function keep() {
  try {
    sessionStorage.setItem(KEY, JSON.stringify(done.map(one => one.told)))
  } catch {
    // full, or not allowed: what cannot be told now is lost with the page
  }
}

function before() {
  if (document.hidden || !document.hasFocus()) return null
  const talk = openTicket()
  if (talk) return Number(talk.dataset.ticket)
  const here = document.activeElement?.closest("[data-before]")
  if (here) pane = here
  return pane?.isConnected && pane.checkVisibility() ? Number(pane.dataset.before) : null
}

const told = one => [page, one.seq, one.ticket, one.idle ? 1 : 0, clock(one.from), clock(one.to)]

function begin(ticket, idle, from) {
  finish(from)
  current = { seq: number++, ticket, idle, from, to: from }
}

function finish(at) {
  if (!current) return
  current.to = Math.max(current.from, at)
  if (current.to > current.from) {
    done = [...done, { told: told(current), at: 0 }].slice(-MOST)
    keep()
  }
  current = null
}

function tick() {
  const [now, wall] = [performance.now(), Date.now()]
  const slept = wall - wallAt - (now - tickAt)
  if (Math.max(now - tickAt, wall - wallAt) > GONE) {
    finish(tickAt)
    if (usedAt <= tickAt) usedAt = -Infinity
  }
  if (slept > 2000) anchor += slept // this page's time stood still
  tickAt = now
  wallAt = wall
  const ticket = before()
  if (current && current.ticket !== ticket) finish(now)
  if (ticket && !current) begin(ticket, now - usedAt > USED, now)
  if (current && !current.idle && now - usedAt > USED) begin(ticket, true, Math.max(current.from, usedAt + USED))
  else if (current?.idle && now - usedAt <= USED) begin(ticket, false, Math.max(current.from, usedAt))
  if (!current) return
  current.to = now
  if (now - current.from > WHOLE) finish(now)
}

function tell() {
  const now = performance.now()
  const open = done.filter(one => !one.at).slice(0, AT_ONCE)
  const due = now - toldAt > EVERY && current && current.to > current.from
  if (open.length < AT_ONCE && due) open.push({ told: told(current) })
  if (!open.length || !say({ focus: open.map(one => one.told) })) return
  if (due) toldAt = now
  for (const one of open) one.at = now
  if (due && current) current.said = current.to
  const count = done.length
  done = done.filter(one => !one.at || now - one.at < KEPT)
  if (done.length < count) keep()
}

function look() {
  tick()
  tell()
}

function used(event) {
  pane = event.target?.closest?.("[data-before]") ?? pane
  usedAt = performance.now()
  if ((!current || current.idle) && usedAt - tickAt > 200) look()
}

for (const kind of signs) document.addEventListener(kind, used, { capture: true, passive: true })
// Within the frame of a mail nothing else is heard; without a pointer there, what scrolls may have done so by itself.
document.addEventListener("scroll", event => document.querySelector("iframe:hover") && used(event), { capture: true, passive: true })
addEventListener("focus", used)
addEventListener("blur", event => (document.activeElement?.tagName === "IFRAME" ? used(event) : look())) // into a mail
document.addEventListener("visibilitychange", look)
document.addEventListener("htmx:after:swap", look)
document.addEventListener("rabta:online", () => {
  for (const one of done) one.at = 0
  toldAt = -Infinity
  look()
})
document.addEventListener("rabta:clock", event => {
  const off = event.detail * 1000 - clock(performance.now())
  if (off > 0 || off < -2000) anchor += off // what is told late is told too early: the latest word is the best
})
addEventListener("pagehide", () => {
  tick()
  const rest = current && current.to - (current.said ?? current.from) < LITTLE
  finish(performance.now())
  const open = done.filter(one => !one.at).slice(-100)
  if (open.length <= Number(rest ?? false)) return // told, or with the tab if it goes on
  const csrfmiddlewaretoken = JSON.parse(document.body.getAttribute("hx-headers:inherited"))["X-CSRFToken"]
  const focus = JSON.stringify(open.map(one => one.told))
  navigator.sendBeacon(live.dataset.focus, new URLSearchParams({ csrfmiddlewaretoken, focus }))
})
setInterval(look, 1000)
look()
