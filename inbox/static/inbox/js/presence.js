// What this page says of itself: the ticket it shows, and whether somebody writes there. The server forgets a page that it
// has not heard of for some seconds; what colleagues see of it is others.js. Where several tickets stand side by side
// (`data-before`), those that can be seen: of what is said there nobody needs to be told.
import { openTicket } from "./conversation.js"
import { say } from "./line.js"

const AGAIN = 4000 // the server waits for 7 s
const WRITING = 30000 // a pause within a sentence is still writing
const TYPED_EVERY = 3000
const IDLE = 300000

let typedAt = 0
let usedAt = Date.now()
let saidAt = 0
let said = ""

function doing() {
  const kind = document.querySelector("#composer [name=kind]:checked")?.value
  return Date.now() - typedAt > WRITING ? "view" : kind === "note" ? "note" : "reply"
}

function before() {
  if (document.hidden) return []
  const inSight = one => {
    const { left, right } = one.getBoundingClientRect()
    return one.checkVisibility() && right > 0 && left < innerWidth
  }
  return [...document.querySelectorAll("[data-before]")].filter(inSight).map(one => Number(one.dataset.before))
}

function tell() {
  const talk = document.hidden ? null : openTicket()
  const away = Date.now() - usedAt > IDLE
  const beside = before()
  const now = JSON.stringify([talk?.dataset.ticket, talk && doing(), away, beside])
  if (now === said && (!(talk || beside.length) || Date.now() - saidAt < AGAIN)) return
  const message = { shows: talk ? Number(talk.dataset.ticket) : null, away }
  if (talk) message.doing = doing()
  if (beside.length) message.before = beside
  if (!say(message)) return
  said = now
  saidAt = Date.now()
}

document.addEventListener("rabta:online", () => {
  said = ""
  tell()
})

document.addEventListener("input", event => {
  if (!event.target.closest?.("#composer")) return
  const rests = Date.now() - typedAt > TYPED_EVERY
  typedAt = Date.now()
  if (rests) tell()
})
document.addEventListener("htmx:after:request", event => {
  if (event.target.id === "composer" && event.detail.ctx.response.status === 200) typedAt = 0
})
for (const kind of ["pointerdown", "keydown"]) document.addEventListener(kind, () => (usedAt = Date.now()), { capture: true, passive: true })
let shown = openTicket()?.dataset.ticket
document.addEventListener("htmx:after:swap", () => {
  if (shown !== openTicket()?.dataset.ticket) typedAt = 0
  shown = openTicket()?.dataset.ticket
  tell()
})
document.addEventListener("visibilitychange", tell)
setInterval(tell, 1000)
