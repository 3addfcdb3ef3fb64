// What narrows the list: each menu of a filter asks the server for its editor when it is opened. And the numbers beside
// saved views, which are counted apart from the page.
/* global htmx */
import { show } from "./menus.js"

const first = panel => panel.querySelector(".option, .input, input:not([type=hidden]), select, button")

async function fill(menu) {
  const panel = menu.querySelector(".panel")
  await htmx.ajax("GET", menu.dataset.editor, { target: panel, swap: "innerHTML" })
  if (menu.open) first(panel)?.focus()
}

document.addEventListener("toggle", event => {
  if (event.target.matches?.("details[data-editor]") && event.target.open) fill(event.target)
}, true)

// From the list of filters into one of them the focus goes along; after the list came anew it is where it was.
let after = ""
document.addEventListener("htmx:before:request", event => {
  const place = event.target.closest?.(".bar")
  if (!place) return
  after = event.target.closest("#display-menu") ? "#display-menu > summary" : event.target.matches("form, .remove") ? "#filter-menu > summary" : after
})
document.addEventListener("htmx:after:swap", event => {
  const target = event.detail.ctx?.target
  if (target?.matches?.("details[data-editor] > .panel")) first(target)?.focus()
  if (target?.id !== "list" || !after) return
  if (document.activeElement === document.body) document.querySelector(after)?.focus()
  after = ""
})

document.addEventListener("input", event => {
  if (!event.target.matches?.("[data-narrows]")) return
  const typed = event.target.value.trim().toLowerCase()
  for (const option of event.target.closest("fieldset").querySelectorAll(".option"))
    option.hidden = !option.textContent.toLowerCase().includes(typed)
})

document.addEventListener("keydown", event => {
  if (event.key !== "F" || event.ctrlKey || event.metaKey || event.altKey || event.defaultPrevented) return
  if (event.target.isContentEditable || event.target.matches("input, textarea, select") || document.querySelector("dialog[open]")) return
  const menu = document.getElementById("filter-menu")
  if (!menu) return
  event.preventDefault()
  show(menu)
}, true)

const EVERY = 30000
let known = {}
let counted = 0
let due = 0

function write() {
  for (const [key, text] of Object.entries(known))
    for (const element of document.querySelectorAll(`[data-count="${CSS.escape(key)}"]`)) element.textContent = text
}

async function count() {
  due = 0
  const place = document.querySelector("[data-saved-counts]")
  if (!place || document.hidden) return
  counted = Date.now()
  const answer = await fetch(place.dataset.savedCounts).catch(() => null)
  if (!answer?.ok) return
  known = (await answer.json()).counts
  write()
}

document.addEventListener("rabta:counts", () => {
  due ||= setTimeout(count, Math.max(0, counted + EVERY - Date.now()) + Math.random() * 2000)
})
document.addEventListener("htmx:after:swap", write)
count()
