// The list of tickets: rows come, change, move and leave, but never under the pointer or the focus.
/* global htmx */
import { openTicket } from "./conversation.js"

const list = () => document.getElementById("rows")
const fold = key => key[5].toLowerCase() + key.slice(6)
const belongs = (row, rows) =>
  Object.entries(rows.dataset).every(([key, want]) => !key.startsWith("match") || row.dataset[fold(key)] === want)

export const parse = html => {
  const template = document.createElement("template")
  template.innerHTML = html
  return [...template.content.querySelectorAll(".row")]
}

// The row that has to stay where it is on the screen: under the pointer, focused, or first in sight.
function anchorOf(rows) {
  const held = rows.querySelector(".row:hover") ?? (rows.contains(document.activeElement) ? document.activeElement : null)
  if (held || !rows.scrollTop) return held
  const top = rows.getBoundingClientRect().top
  return [...rows.querySelectorAll(".row")].find(row => row.getBoundingClientRect().bottom > top)
}

function place(row, rows, isNew) {
  const before = [...rows.querySelectorAll(".row")].find(other => other !== row && Number(other.dataset.at) < Number(row.dataset.at))
  if (!before && rows.querySelector(".more") && isNew) return false
  const end = rows.querySelector(".more") ?? rows.querySelector(".empty")
  if ((before ?? end) !== row.nextElementSibling) rows.insertBefore(row, before ?? end)
  return true
}

function update(old, row) {
  for (const { name, value } of row.attributes) if (name !== "class" && old.getAttribute(name) !== value) old.setAttribute(name, value)
  old.className = row.className
  old.replaceChildren(...row.childNodes)
}

function leave(row, anchor) {
  if (row === anchor || row.matches("[aria-current], :hover")) return row.classList.add("left")
  row.classList.add("leaving")
  setTimeout(() => row.remove(), 180)
}

export function apply(fresh, gone = []) {
  const rows = list()
  if (!rows) return
  const anchor = anchorOf(rows)
  const top = anchor?.getBoundingClientRect().top
  let above = false
  for (const row of fresh) {
    const old = document.getElementById(row.id)
    if (old) {
      update(old, row)
      if (!belongs(old, rows)) leave(old, anchor)
      else if (old !== anchor) place(old, rows, false)
    } else if (belongs(row, rows) && place(row, rows, true)) {
      row.classList.add("fresh")
      htmx.process(row)
      above = true
    }
  }
  for (const number of gone) {
    const row = document.getElementById(`row-${number}`)
    if (row) leave(row, anchor)
  }
  if (anchor?.isConnected) rows.scrollTop += anchor.getBoundingClientRect().top - top
  if (above && rows.scrollTop > 40) pill(true)
  mark()
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
  const known = new Set(fresh.map(row => row.id))
  const last = fresh.length < 40 ? 0 : Number(fresh.at(-1).dataset.at)
  const lost = [...rows.querySelectorAll(".row")].filter(row => !known.has(row.id) && Number(row.dataset.at) >= last)
  apply(fresh, lost.map(row => row.dataset.number))
}

// The row of the open ticket is the current one; rows that only stayed for the pointer go now.
export function mark() {
  const number = openTicket()?.dataset.ticket
  for (const row of document.querySelectorAll("#rows .row")) {
    if (row.dataset.number === number) row.setAttribute("aria-current", "true")
    else row.removeAttribute("aria-current")
    if (row.matches(".left:not([aria-current], :hover)")) leave(row)
  }
}

document.addEventListener("htmx:after:swap", mark)
document.addEventListener("pointerout", event => event.target.closest?.(".row.left") && setTimeout(mark, 50))
document.addEventListener("click", event => {
  if (event.target.id !== "fresh") return
  list().scrollTo({ top: 0, behavior: "smooth" })
  pill(false)
})
