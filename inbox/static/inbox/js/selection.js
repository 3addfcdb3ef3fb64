// Which rows of the list are selected. The boxes are what counts; rows that leave the list leave the selection, and
// what the server sends of a row leaves its box as it is.
import { leave, linkOf } from "./rows.js"

const byId = id => document.getElementById(id)
const all = () => [...document.querySelectorAll("#rows .row:not(.leaving, .going)")]
const boxOf = row => row.querySelector(".pick > input")
export const selected = () => all().filter(row => boxOf(row)?.checked)
export const form = () => byId("bulk")
const words = () => byId("selected-said").dataset

const chosen = new Set() // their numbers, for rows that were drawn anew
let anchor = null // where a range begins
let listed = "" // the list that the selection is of

const isWhole = () => Boolean(form()?.elements.all.value)

// All that match, loaded or not; or only what is seen.
export function whole(is) {
  form().elements.all.value = is ? "yes" : ""
  show()
}

export function choose(rows, checked = true) {
  for (const row of rows) if (boxOf(row)) boxOf(row).checked = checked
  if (rows.length) anchor = rows.at(-1).id
  if (!checked && form()) form().elements.all.value = ""
  if (!checked) for (const row of rows) if (row.classList.contains("left")) leave(row, byId("rows")) // it only stayed for that
  show()
}

export const nothing = () => choose([...document.querySelectorAll("#rows .row")], false) // also those that are on their way out

function range(row) {
  const rows = all()
  const from = rows.findIndex(one => one.id === anchor)
  const to = rows.indexOf(row)
  const picked = from < 0 ? [row] : rows.slice(Math.min(from, to), Math.max(from, to) + 1)
  choose(from > to ? picked.reverse() : picked)
}

// The bar above the list says what is selected, and is there only then.
let said = ""
function show() {
  if (!form()) return
  const rows = all()
  const picked = rows.filter(row => boxOf(row)?.checked)
  chosen.clear()
  for (const row of picked) chosen.add(row.dataset.number)
  if (!picked.length && !byId("export")?.open) form().elements.all.value = ""
  const { none, some, whole: every } = words()
  const text = isWhole() ? every : picked.length ? some.replace("{n}", picked.length) : none
  form().hidden = !picked.length
  byId("list").classList.toggle("selecting", picked.length > 0)
  byId("selected-count").textContent = isWhole() ? every : text
  const everyRow = byId("select-all")
  everyRow.checked = picked.length === rows.length
  everyRow.indeterminate = picked.length > 0 && picked.length < rows.length
  if (byId("whole")) {
    byId("whole").hidden = isWhole() || picked.length < rows.length || !document.querySelector("#rows > .more")
    byId("whole").firstElementChild.textContent = text
  }
  if (text !== said && (picked.length || said)) byId("selected-said").textContent = text
  said = picked.length ? text : ""
}

// Rows came, left or were drawn anew.
function again() {
  const rows = byId("rows")
  if (!rows || !form()) return
  const other = rows.dataset.url !== listed
  if (other) {
    listed = rows.dataset.url
    anchor = null
    chosen.clear()
  }
  const is = isWhole()
  if (!other && !is && !chosen.size && form().hidden) return // nothing was, and rows come unselected
  for (const row of all()) if (boxOf(row)) boxOf(row).checked = is || chosen.has(row.dataset.number)
  show()
}
if (byId("list")) new MutationObserver(changes => changes.some(({ target }) => target.id === "rows" || target.id === "listing" || target.id === "list") && again()).observe(byId("list"), { childList: true, subtree: true })
document.addEventListener("htmx:after:swap", again)
document.addEventListener("change", event => {
  if (event.target.id === "select-all") return event.target.checked ? choose(all()) : nothing()
  const row = event.target.matches(".pick > input") && event.target.closest("#rows .row")
  if (row) choose([row], event.target.checked)
})
document.addEventListener("click", event => {
  if (event.target.closest("#select-none")) return nothing()
  if (event.target.closest("#select-whole")) return whole(true)
  const row = event.shiftKey && event.target.closest("#rows .row")
  if (!row) return
  event.preventDefault() // no window of its own
  event.stopPropagation()
  range(row)
  linkOf(row).focus({ preventScroll: true })
}, true)
again()
