// What this agent has read: opening a ticket says so to the server, and rows with something newer stand out.
// Live rows are the same for everybody, so the page compares: `data-at` of the row with what it knows of its agent.
import { openTicket } from "./conversation.js"
import { say } from "./line.js"
import { touched } from "./rows.js"

const moments = new Map() // number of a ticket: seconds up to which it is read
const pageAt = Number(document.getElementById("live").dataset.at) // nothing that came since then was read before
const rows = () => document.querySelectorAll("#rows .row[data-number]")
let asking

function learn(row) {
  if (row.dataset.seen === undefined) return
  moments.set(row.dataset.number, Math.max(Number(row.dataset.seen), row.dataset.seen === "0" ? 0 : moments.get(row.dataset.number) ?? 0))
  delete row.dataset.seen
}

function paint(event) {
  let unknown = false
  for (const row of touched(event)) {
    learn(row)
    const until = moments.get(row.dataset.number)
    const at = Number(row.dataset.at)
    unknown ||= until === undefined && at <= pageAt
    row.classList.toggle("unread", until === undefined ? at > pageAt : at > until)
  }
  if (unknown && !asking) asking = setTimeout(ask, 300)
}

// Rows that came by themselves, of tickets that were quiet for a while: moved here, given to somebody, opened again.
async function ask() {
  const numbers = [...rows()].map(row => row.dataset.number).filter(number => !moments.has(number)).slice(0, 200)
  try {
    const answer = await fetch(`/seen/?${new URLSearchParams(numbers.map(number => ["number", number]))}`)
    if (answer.ok) for (const [number, at] of Object.entries(await answer.json())) moments.set(number, Number(at))
    else for (const number of numbers) moments.set(number, Infinity)
  } catch {
    return // offline: the next change asks again
  } finally {
    asking = 0
  }
  paint()
}

// What is before the agent's eyes is read: the newest message that an open, visible conversation shows.
let said = ""
export function look(anew = false) {
  const talk = openTicket()
  if (!talk) return void (said = "")
  if (document.hidden) return
  const newest = Math.max(0, ...[...talk.querySelectorAll("#timeline .message")].map(one => Number(one.id.slice(2)) || 0))
  const now = `${talk.dataset.ticket}-${newest}`
  if ((now !== said || anew) && say({ seen: [Number(talk.dataset.ticket), newest || null] })) said = now
}

export function unread() {
  const row = document.activeElement?.closest("#rows .row")
  if (!row || row.dataset.number === openTicket()?.dataset.ticket) return document.getElementById("unread")?.click()
  set(row.dataset.number, row.matches(".unread") ? Number(row.dataset.at) : 0)
  fetch(`/tickets/${row.dataset.number}/seen/`, {
    method: "POST",
    headers: { ...JSON.parse(document.body.getAttribute("hx-headers:inherited")), "HX-Request": "true", "HX-Request-Type": "partial" },
    body: new URLSearchParams({ seen: moments.get(row.dataset.number) ? "yes" : "no" }),
  }).catch(() => {})
}

function set(number, at) {
  moments.set(String(number), at)
  paint()
}

document.addEventListener("htmx:after:request", event => {
  const { ctx } = event.detail
  if (ctx.sourceElement?.matches?.("#unread, .marks-unread") && ctx.response.status < 300) set(ctx.sourceElement.dataset.number, 0)
})
document.addEventListener("rabta:hint", event => {
  for (const [number, at] of Object.entries(event.detail.seen ?? {})) moments.set(number, Number(at))
  if (event.detail.seen) paint()
})
document.addEventListener("rabta:rows", paint)
document.addEventListener("rabta:online", () => look(true))
document.addEventListener("htmx:after:swap", () => look())
document.addEventListener("visibilitychange", () => look())
paint()
