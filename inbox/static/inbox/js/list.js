// What surrounds the rows: the pill that says there are new ones, the current row, and asking for the list again.
import { openTicket } from "./conversation.js"
import { since } from "./meanwhile.js"
import { all, change, isLeft, leave, linkOf, list, parse, waiting } from "./rows.js"
/* global htmx */

// Of a list whose rows do not say themselves whether they belong, the server is asked which do: how many are new is
// said, and they come when one asks for them.
const HINT = 1500 // milliseconds between two such questions
const news = new Set()
const unsure = new Set()
let asking = 0

const MOST_PAGES = 5

export function apply(fresh, gone = []) {
  const rows = list()
  if (!rows) return
  if (change(rows, fresh, gone)) pill(true)
  if ("hint" in rows.dataset) {
    for (const row of fresh) unsure.add(row.dataset.number)
    for (const number of gone) news.delete(number)
    asking ||= setTimeout(ask, HINT)
  }
  mark(fresh.map(row => document.getElementById(row.id)).filter(Boolean))
}

export const bring = ({ rows, gone }) => apply(parse(rows), gone)

async function ask() {
  const rows = list()
  const numbers = [...unsure].slice(0, 100)
  unsure.clear()
  try {
    if (!rows || !("hint" in rows.dataset) || !numbers.length) return
    const answer = await fetch(`${rows.dataset.url}&among=${numbers.join()}`)
    if (!answer.ok || rows !== list()) return
    const inside = new Set((await answer.json()).numbers.map(String))
    for (const number of numbers) {
      const row = document.getElementById(`row-${number}`)
      if (row && !inside.has(number)) leave(row, rows)
      else if (!row && inside.has(number)) news.add(number)
      else news.delete(number)
    }
    tell()
  } catch {
    // away: what comes back asks again
  } finally {
    asking = 0
    if (unsure.size) asking = setTimeout(ask, HINT)
  }
}

function tell() {
  const button = document.getElementById("fresh")
  button.textContent = document.getElementById("words").dataset.news.replace("%(number)s", news.size)
  button.hidden = !news.size
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
    for (const row of fresh) if (!document.getElementById(row.id)) news.add(row.dataset.number)
    tell()
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
    news.clear()
    unsure.clear()
  }
  if (whole || target?.matches?.(".more")) since(begun).forEach(bring)
  mark()
  // The row that had the focus is not in the new list. (After whoever knows better.)
  if (whole) setTimeout(() => document.activeElement === document.body && document.getElementById("list").focus({ preventScroll: true }))
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
  if ("hint" in list().dataset) return void htmx.ajax("GET", list().dataset.url, { target: "#list", swap: "innerHTML" })
  settle()
  list().scrollTo({ top: 0, behavior: "smooth" })
})
