// On a ticket's page: what its visitor is writing now, that an answer is on its way, and that what they wrote was read.
// The line is opened only once a page shows a chat that goes on.
const TYPED_EVERY = 3000
const PAUSE = 5000
let wire = null
let shown = 0
let typedAt = 0
let timer

const banner = () => document.querySelector(".talk .chat-banner[data-live]")

async function look() {
  const number = Number(banner()?.dataset.live ?? 0)
  if (number === shown || document.getElementById("desk")) return
  const before = shown
  shown = number
  if (number) {
    wire ??= await import("./wire.js")
    if (shown !== number) return
    wire.connect()
    wire.watch(number, newest())
  }
  if (before) wire?.unwatch(before)
}

const newest = () => Math.max(0, ...[...document.querySelectorAll("#timeline > .message")].map(one => Number(one.id.slice(2)) || 0))

let seen = 0
function see() {
  const last = Math.max(0, ...[...document.querySelectorAll("#timeline > .message.in")].map(one => Number(one.id.slice(2)) || 0))
  if (!shown || document.hidden || !document.hasFocus() || last <= seen) return
  if (wire?.say({ t: "seen", ticket: shown, id: last })) seen = last
}

function types(on, text = "") {
  const box = banner()?.querySelector(".visitor-types")
  if (!box) return
  box.hidden = !on
  box.querySelector(".draft").textContent = text
  clearTimeout(timer)
  if (on) timer = setTimeout(() => types(false), 12000)
}

document.addEventListener("chats:typing", ({ detail }) => detail.ticket === shown && types(detail.on, detail.text))
document.addEventListener("chats:said", ({ detail }) => {
  if (detail.ticket !== shown) return
  wire.knows(shown, Math.max(0, ...detail.messages.map(one => one.id)))
  if (detail.messages.some(one => one.dir === "in")) types(false)
})
document.addEventListener("chats:on", see)

let stop
const silent = () => wire?.say({ t: "typing", ticket: shown, on: false })
document.addEventListener("input", event => {
  const form = event.target.id === "text" && event.target.form
  if (!shown || !form || form.querySelector("[name=kind]:checked")?.value !== "reply") return
  clearTimeout(stop)
  stop = setTimeout(silent, PAUSE)
  if (Date.now() - typedAt > TYPED_EVERY && wire?.say({ t: "typing", ticket: shown, on: true })) typedAt = Date.now()
})

document.addEventListener("htmx:after:swap", () => { look(); see() })
document.addEventListener("visibilitychange", see)
addEventListener("focus", see)
look()
