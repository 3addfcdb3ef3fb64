// Selecting by keyboard and by touch: x, ranges with Shift, all with Ctrl+A; a long press on a phone.
import { show as open } from "./menus.js"
import { linkOf } from "./rows.js"
import { choose, form, nothing, selected } from "./selection.js"

const rows = () => [...document.querySelectorAll("#rows .row:not(.leaving, .going)")]
const boxOf = row => row.querySelector(".pick > input")
const typing = element => element.isContentEditable || element.matches("input:not([type=radio], [type=checkbox]), textarea, select")
const here = () => rows().find(row => row.contains(document.activeElement)) ?? rows().find(row => row.hasAttribute("aria-current"))
const isOn = () => form() && !form().hidden

function toggle() {
  const row = here() ?? rows()[0]
  if (!row) return
  if (!row.contains(document.activeElement)) linkOf(row).focus()
  choose([row], !boxOf(row).checked)
}

// The next row joins the selection, or the one left leaves it when going back.
function extend(step) {
  const all = rows()
  const row = here()
  const next = all[all.indexOf(row) + step]
  if (!row || !next) return
  const back = boxOf(next).checked && boxOf(row).checked
  linkOf(next).focus({ preventScroll: true })
  next.scrollIntoView({ block: "nearest" })
  if (back) choose([row], false)
  else choose([row, next])
}

// A row that has the focus, but is not the one whose ticket is open.
export const elsewhere = () => document.activeElement?.closest("#rows .row:not([aria-current], .leaving, .going)")

// What a key does to one ticket it does to the selected ones; and where none is, to the one that has the focus in the list.
function act(key) {
  const row = !isOn() && key !== "." && elsewhere()
  const found = (isOn() || row) && form()?.querySelector(`[data-bulk-key="${CSS.escape(key)}"]`)
  if (!found) return false
  if (row) choose([row])
  if (found.matches("details")) open(found)
  else found.click()
  return true
}

// Of what can be undone, what was done last.
const newestUndo = () =>
  [...document.querySelectorAll("button[data-undo]:not([hidden])")].sort((one, other) => Number(other.dataset.undo) - Number(one.dataset.undo))[0]

function keydown(event) {
  if (event.defaultPrevented || event.altKey || typing(event.target) || document.querySelector("dialog[open]") || !document.getElementById("rows")) return false
  const key = event.key.length === 1 ? event.key.toLowerCase() : event.key
  if (event.ctrlKey || event.metaKey) {
    if (key === "a" && (isOn() || event.target.closest("#list"))) return choose(rows()), true
    const undo = key === "z" && !event.shiftKey && newestUndo()
    return undo ? (undo.click(), true) : false
  }
  if (event.target.closest("details.menu[open]")) return false
  if (event.shiftKey) return key === "j" || key === "k" ? (extend(key === "j" ? 1 : -1), true) : false
  if (key === "x") return toggle(), true
  if (key === "Escape" && isOn()) {
    const row = here() ?? selected()[0]
    nothing()
    if (row) linkOf(row).focus()
    return true
  }
  return act(key)
}

document.addEventListener("keydown", event => {
  if (!keydown(event)) return
  event.preventDefault()
  event.stopImmediatePropagation()
}, true)

// A long press selects; once something is selected, so does a tap.
let timer = 0
let pressed = null
document.addEventListener("pointerdown", event => {
  const row = event.pointerType === "touch" && event.target.closest("#rows .row")
  if (!row || event.target.closest(".pick")) return
  timer = setTimeout(() => {
    pressed = row
    choose([row], !boxOf(row).checked)
    navigator.vibrate?.(10)
  }, 450)
})
for (const name of ["pointerup", "pointercancel", "scroll"]) document.addEventListener(name, () => clearTimeout(timer), { capture: true, passive: true })
document.addEventListener("contextmenu", event => {
  if (pressed?.contains(event.target)) event.preventDefault()
})
document.addEventListener("click", event => {
  const row = event.target.closest?.("#rows .row")
  const tap = row && event.pointerType === "touch" && isOn() && !event.target.closest(".pick")
  if (!tap && !(pressed && row === pressed)) return void (pressed = null)
  event.preventDefault()
  event.stopPropagation()
  if (row !== pressed) choose([row], !boxOf(row).checked)
  pressed = null
}, true)
