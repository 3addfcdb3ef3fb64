// What surrounds the rows: the pill that says there are new ones, the current row, and asking for the list again.
import { openTicket } from "./conversation.js"
import { doubt, forget, listed } from "./hints.js"
import { since } from "./meanwhile.js"
import { all, change, isLeft, leave, linkOf, list, parse, waiting } from "./rows.js"
/* global htmx */

let leaving = 0
const MOST_PAGES = 5

export function apply(fresh, gone = []) {
  const rows = list()
  if (!rows) return
  if (change(rows, fresh, gone)) pill(true)
  if ("hint" in rows.dataset) doubt(fresh, gone)
  mark(fresh.map(row => document.getElementById(row.id)).filter(Boolean))
}

export const bring = ({ rows, gone }) => apply(parse(rows), gone)

function settle() {
  clearTimeout(leaving)
  leaving = 0
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

const page = async url => {
  const answer = await fetch(url, { headers: { "HX-Request": "true", "HX-Request-Type": "partial" } })
  const template = document.createElement("template")
  template.innerHTML = answer.ok ? await answer.text() : ""
  return answer.ok && { rows: [...template.content.querySelectorAll(".row")], more: template.content.querySelector(".more") }
}

// What the server lists now, as many pages as are shown; rows of ours that it no longer knows leave. Of a list that was
// scrolled down for very long the end is left off, and comes again when it is scrolled to.
export async function again() {
  const rows = list()
  const begun = Date.now()
  const shown = new Set([...rows.querySelectorAll(".row")].map(row => row.id)) // what comes meanwhile stays
  let found = await page(`${rows.dataset.url}&again`)
  const fresh = found ? found.rows : []
  for (let pages = 1; found?.more && fresh.length < shown.size && pages < MOST_PAGES; pages++) {
    found = await page(found.more.getAttribute("href"))
    if (found) fresh.push(...found.rows)
  }
  if (!found || rows !== list()) return
  if ("found" in rows.dataset) return apply(fresh)
  if ("hint" in rows.dataset) {
    listed(fresh)
    return void change(rows, fresh, [])
  }
  const known = new Set(fresh.map(row => row.id))
  const lost = [...rows.querySelectorAll(".row")].filter(row => shown.has(row.id) && !known.has(row.id))
  rows.querySelector(".more")?.remove()
  apply(fresh, lost.map(row => row.dataset.number))
  if (found.more) {
    rows.insertBefore(found.more, rows.querySelector(".empty"))
    htmx.process(found.more)
  }
  since(begun).forEach(bring)
}

// The row of the open ticket is the current one; rows that only stayed for the pointer go now. `changed` are the rows that
// may be new or other than they were: without them, all.
function mark(changed) {
  const rows = list()
  if (!rows) return
  const number = openTicket()?.dataset.ticket
  for (const row of all(rows)) {
    const is = row.dataset.number === number
    if (is !== row.hasAttribute("aria-current"))
      for (const part of [row, linkOf(row)]) is ? part.setAttribute("aria-current", "true") : part.removeAttribute("aria-current")
    if (changed ? row.classList.contains("left") : isLeft(row, rows)) leave(row, rows)
  }
  document.dispatchEvent(new CustomEvent("rabta:rows", { detail: { rows: changed } }))
}

document.addEventListener("htmx:after:swap", event => {
  const { target, begun } = event.detail.ctx ?? {}
  const whole = ["list", "listing"].includes(target?.id)
  if (whole) {
    waiting.clear()
    forget()
  }
  if (whole || target?.matches?.(".more")) since(begun).forEach(bring)
  mark()
  // The row that had the focus is not in the new list. (After whoever knows better.)
  if (whole) setTimeout(() => document.activeElement === document.body && document.getElementById("list").focus({ preventScroll: true }))
})
// A pointer whose place was drawn anew may go without a word: wherever it moves next, it is seen to be elsewhere.
function left(place) {
  if (!leaving && waiting.size && !list()?.contains(place)) leaving = setTimeout(settle, 100)
}
document.addEventListener("pointerout", event => left(event.relatedTarget), { passive: true })
document.addEventListener("pointermove", event => left(event.target), { passive: true })
document.addEventListener("scroll", event => {
  if (event.target.id === "rows" && event.target.scrollTop < 40 && !waiting.size) pill(false)
}, { capture: true, passive: true })
document.addEventListener("click", event => {
  if (event.target.id !== "fresh") return
  if ("hint" in list().dataset) return void htmx.ajax("GET", list().dataset.url, { target: "#list", swap: "innerHTML" })
  settle()
  list().scrollTo({ top: 0, behavior: "smooth" })
})
