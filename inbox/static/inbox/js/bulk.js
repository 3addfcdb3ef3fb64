// Doing something to the selected rows: what will leave the list fades at once, and comes back if it stays after all.
/* global htmx */
import { again } from "./list.js"
import { leave, list } from "./rows.js"
import { form, nothing, selected, whole } from "./selection.js"

const byId = id => document.getElementById(id)
const going = () => [...document.querySelectorAll("#rows .row.going")]

// Whether a row would still be in this list, were this said of it.
function stays(row, becomes) {
  const [name, value] = becomes.split(":")
  const key = `match${name[0].toUpperCase()}${name.slice(1)}`
  const want = list().dataset[key]
  return want === undefined || want.split(" ").includes(value) || "found" in list().dataset
}

function fresh() {
  const bytes = crypto.getRandomValues(new Uint8Array(16))
  form().elements.client_id.value = Array.from(bytes, byte => byte.toString(16).padStart(2, "0")).join("")
}

let button = null // the one that was pressed, by whatever means
document.addEventListener("click", event => (button = event.target.closest?.("[name=do]") ?? button), true)
document.addEventListener("keydown", event => {
  const field = event.key === "Enter" && !event.isComposing && event.target.closest("#bulk .inline-form > input")
  if (!field) return
  event.preventDefault() // it means the button beside it, not the first of the form
  field.nextElementSibling.click()
})

let acted = []
let all = false
document.addEventListener("htmx:before:request", event => {
  if (event.target.id !== "bulk") return
  acted = selected()
  all = Boolean(form().elements.all.value)
  for (const menu of form().querySelectorAll("details[open]")) menu.open = false
  const becomes = button?.dataset.becomes
  const into = button?.value === "merge:" && form().elements.merge.value.replace("#", "").trim()
  if (becomes) for (const row of acted) if (!stays(row, becomes) && row.dataset.number !== into) row.classList.add("going")
})

document.addEventListener("htmx:after:request", event => {
  if (event.target.id !== "bulk") return
  const status = event.detail.ctx.response?.status
  byId("export")?.close()
  if (status !== 200) return back(acted)
  const focused = acted.find(row => row.contains(document.activeElement)) || form().contains(document.activeElement)
  nothing()
  for (const name of ["tag", "untag", "snooze", "merge"]) if (form().elements[name]) form().elements[name].value = ""
  fresh()
  if (focused) next()
})

// The focus goes to a row that stays; where none will, to the list.
function next() {
  const rest = all ? [] : [...document.querySelectorAll("#rows .row:not(.going, .leaving)")]
  const after = acted.at(-1) && rest.find(row => acted.at(-1).compareDocumentPosition(row) & Node.DOCUMENT_POSITION_FOLLOWING)
  const row = after ?? rest.at(-1)
  if (row) return row.querySelector(".go").focus()
  list().tabIndex = -1
  list().focus()
}

const back = rows => rows.forEach(row => row.classList.remove("going"))
document.addEventListener("htmx:error", event => event.target.id === "bulk" && back(acted))

// A change of many is through: what was left out comes back, the rest goes.
export function settle(left) {
  for (const row of going()) {
    row.classList.remove("going")
    if (!left.has(row.dataset.number)) leave(row, list())
  }
  if (list()) again()
}

// The whole list, or what is selected of it, as a file.
document.addEventListener("click", event => {
  const opener = event.target.closest("[data-export], [data-export-all]")
  if (!opener) return
  for (const menu of document.querySelectorAll("details.menu[open]")) menu.open = false
  const place = byId("export-columns")
  if (!place.childElementCount) htmx.ajax("GET", place.dataset.url, { target: place, swap: "innerHTML" })
  byId("export").showModal()
  if (opener.matches("[data-export-all]")) whole(true)
  byId("export-count").textContent = form().elements.all.value ? "" : `(${selected().length})`
})
document.addEventListener("close", event => event.target.id === "export" && !selected().length && whole(false), true)
