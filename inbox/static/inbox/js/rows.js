// The list of tickets: rows come, change, move and leave, but never under the pointer or the focus.
/* global htmx */
export const list = () => document.getElementById("rows")
export const linkOf = row => row.querySelector(".go")
const fold = key => key[5].toLowerCase() + key.slice(6)
const belongs = (row, rows) =>
  !("hint" in rows.dataset) && Object.entries(rows.dataset).every(([key, want]) => !key.startsWith("match") || want.split(" ").includes(row.dataset[fold(key)]))

// The orders, as the server has them: each row's place as numbers, the greater the further up.
const RANKS = { low: 0, normal: 1, high: 2, urgent: 3 }
const far = value => -Number(value || Infinity)
const PLACES = {
  newest: ({ at }) => [Number(at)],
  oldest: ({ at, number }) => [-at, -number],
  waiting: ({ waiting, number }) => [far(waiting), -number],
  created: ({ created }) => [Number(created)],
  priority: ({ priority, at }) => [RANKS[priority] ?? 1, Number(at)],
  due: ({ due, number }) => [far(due), -number],
}
export function isBelow(row, other, rows) {
  const place = PLACES[rows.dataset.sort] ?? PLACES.newest
  const [mine, theirs] = [place(row.dataset), place(other.dataset)]
  const at = mine.findIndex((value, index) => value !== theirs[index])
  return at < 0 ? Number(row.dataset.number) < Number(other.dataset.number) : mine[at] < theirs[at]
}

// Lists grow to thousands of rows, of sixty elements each: what is done several times a second looks at the rows alone.
export const all = rows => [...rows.children].filter(one => one.classList.contains("row"))
function ending(rows, name) {
  for (let one = rows.lastElementChild; one && !one.classList.contains("row"); one = one.previousElementSibling) if (one.classList.contains(name)) return one
  return null
}
function firstBelow(row, rows) {
  for (let one = rows.firstElementChild; one; one = one.nextElementSibling)
    if (one !== row && one.classList.contains("row") && isBelow(one, row, rows)) return one
  return null
}
// Of the event that says that rows came or changed: those, or all where nobody knows which.
export const touched = event => event?.detail?.rows ?? document.querySelectorAll("#rows .row[data-number]")

export const parse = html => {
  const template = document.createElement("template")
  template.innerHTML = html
  return [...template.content.querySelectorAll(".row")]
}

// The row that has to stay where it is on the screen: under the pointer, focused, or first in sight.
function anchorOf(rows) {
  const held = (rows.matches(":hover") && rows.querySelector(".row:hover")) || (rows.contains(document.activeElement) ? document.activeElement.closest(".row") : null)
  if (held || !rows.scrollTop) return held
  const top = rows.getBoundingClientRect().top
  return all(rows).find(row => row.getBoundingClientRect().bottom > top)
}

function steady(rows, change) {
  const anchor = anchorOf(rows)
  const top = anchor?.getBoundingClientRect().top
  change(anchor)
  if (anchor?.isConnected) rows.scrollTop += anchor.getBoundingClientRect().top - top
}

// A short list cannot be scrolled to make up for what comes above the pointer: that waits until the pointer has gone.
export const waiting = new Map()
const short = rows => rows.matches(":hover") && rows.scrollHeight <= rows.clientHeight

function place(row, rows, isNew) {
  const before = firstBelow(row, rows)
  const more = ending(rows, "more")
  if (!before && more && isNew) return false
  const end = more ?? ending(rows, "empty")
  if ((before ?? end) !== row.nextElementSibling) rows.insertBefore(row, before ?? end)
  return true
}

// While a button is down on a row, its parts stay: were they replaced before it is released, no click would come of it.
let pressed = null
let late = null // what it is to become
function release() {
  const row = late
  pressed = late = null
  const old = row && document.getElementById(row.id)
  if (!old || Number(old.dataset.at) > Number(row.dataset.at)) return // gone, or drawn anew meanwhile
  change(list(), [row], [])
  document.dispatchEvent(new CustomEvent("rabta:rows", { detail: { rows: [old] } }))
}
addEventListener("pointerdown", event => {
  release() // where it was released, nobody saw
  pressed = event.target.closest?.("#rows .row")
}, { capture: true, passive: true })
for (const end of ["pointerup", "pointercancel", "contextmenu"]) addEventListener(end, () => setTimeout(release), { capture: true, passive: true })
addEventListener("blur", release) // of the window: those of fields, which a press itself brings about, do not bubble

// The link and the box keep their focus, and the box stays checked.
function update(old, row) {
  if (old === pressed) return void (late = row)
  for (const { name, value } of row.attributes) if (name !== "class" && old.getAttribute(name) !== value) old.setAttribute(name, value)
  old.className = row.className
  for (const part of [".name > .truncate", ".subject", ".preview"]) {
    const was = old.querySelector(`${part}:has(mark)`) // why a search found it
    const now = row.querySelector(part)
    if (was && (part === ".preview" || was.textContent === now.textContent)) now.replaceWith(was.cloneNode(true))
  }
  for (const mark of [".siblings", ".linked-mark"]) {
    const was = old.querySelector(mark) // a row that is pushed does not know
    if (was && !row.querySelector(mark)) row.querySelector(".marks")?.prepend(was.cloneNode(true))
  }
  linkOf(old).replaceChildren(...linkOf(row).cloneNode(true).childNodes)
}

// Whether it only stayed for the pointer or the focus. An answer of the server may have drawn it anew since, without that mark.
export const isLeft = (row, rows) => row.matches(".left") || !("hint" in rows.dataset || belongs(row, rows))

// What is selected stays, too: whoever selects one by one does not see the first ones any more.
export function leave(row, rows) {
  const stays = row.matches("[aria-current], :hover, :focus-within, :has(.pick > :checked)") || short(rows) || (rows.matches(":hover") && rows.scrollTop < row.offsetHeight)
  if (stays) return row.classList.add("left")
  row.classList.add("leaving")
  setTimeout(() => steady(rows, () => row.remove()), 180)
}

// Bring what came and what is gone into the list; says whether new rows stand above.
export function change(rows, fresh, gone) {
  let above = false
  const waits = short(rows) // asked once: each look at the height after a change has the browser lay out the list anew
  steady(rows, anchor => {
    for (const row of fresh) {
      const old = document.getElementById(row.id)
      if (old) update(old, row)
      if ("found" in rows.dataset || "hint" in rows.dataset) continue // what a search found stays in its order
      if (old && !belongs(old, rows)) leave(old, rows)
      else if (waits && belongs(row, rows)) waiting.set(row.id, row)
      else if (old && old !== anchor) place(old, rows, false)
      else if (!old && belongs(row, rows) && place(row, rows, true)) {
        row.classList.add("fresh")
        htmx.process(row)
        above = true
      }
    }
    for (const number of gone) {
      waiting.delete(`row-${number}`)
      const row = document.getElementById(`row-${number}`)
      if (row) leave(row, rows)
    }
  })
  return (above && rows.scrollTop > 40) || [...waiting.keys()].some(id => !document.getElementById(id))
}
