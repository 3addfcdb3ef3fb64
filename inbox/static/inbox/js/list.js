// What surrounds the rows: the pill that says there are new ones, the current row, and asking for the list again.
import { openTicket } from "./conversation.js"
import { change, leave, linkOf, list, parse, waiting } from "./rows.js"

export function apply(fresh, gone = []) {
  const rows = list()
  if (!rows) return
  if (change(rows, fresh, gone)) pill(true)
  mark()
}

function settle() {
  const held = [...waiting.values()]
  waiting.clear()
  pill(false)
  apply(held)
}

function pill(shown) {
  const button = document.getElementById("fresh")
  button.textContent = document.getElementById("words").dataset.fresh
  button.hidden = !shown
}

// What the server lists now; rows of ours that it no longer knows leave.
export async function again() {
  const rows = list()
  const answer = await fetch(`${rows.dataset.url}&again`, { headers: { "HX-Request": "true", "HX-Request-Type": "partial" } })
  if (!answer.ok || rows !== list()) return
  const fresh = parse(await answer.text())
  if ("found" in rows.dataset) return apply(fresh)
  const known = new Set(fresh.map(row => row.id))
  const last = fresh.length < 40 ? 0 : Number(fresh.at(-1).dataset.at)
  const lost = [...rows.querySelectorAll(".row")].filter(row => !known.has(row.id) && Number(row.dataset.at) >= last)
  apply(fresh, lost.map(row => row.dataset.number))
}

// The row of the open ticket is the current one; rows that only stayed for the pointer go now.
export function mark() {
  const number = openTicket()?.dataset.ticket
  for (const row of document.querySelectorAll("#rows .row")) {
    for (const part of [row, linkOf(row)])
      if (row.dataset.number === number) part.setAttribute("aria-current", "true")
      else part.removeAttribute("aria-current")
    if (row.matches(".left")) leave(row, list())
  }
}

document.addEventListener("htmx:after:swap", event => {
  if (["list", "listing"].includes(event.detail.ctx?.target?.id)) waiting.clear()
  mark()
})
document.addEventListener("pointerout", event => {
  const rows = list()
  if (rows?.contains(event.target) && !rows.contains(event.relatedTarget)) setTimeout(settle, 100)
})
document.addEventListener("scroll", event => {
  if (event.target.id === "rows" && event.target.scrollTop < 40 && !waiting.size) pill(false)
}, { capture: true, passive: true })
document.addEventListener("click", event => {
  if (event.target.id !== "fresh") return
  settle()
  list().scrollTo({ top: 0, behavior: "smooth" })
})
