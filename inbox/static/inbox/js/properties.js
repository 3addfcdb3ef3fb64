// Properties are saved where they stand: a choice at once, what is typed when one leaves it or presses Enter. What the
// server refuses goes back, and it says why.
import { refresh } from "./times.js"

const saves = element => element.closest?.("form[data-autosave]")
const isDate = input => input.type === "date" || input.type === "datetime-local"
let timer
document.documentElement.dataset.scripts = "" // what only serves without them goes

function save(form) {
  clearTimeout(timer)
  if (form.isConnected && form.checkValidity()) form.requestSubmit()
}

document.addEventListener("change", event => {
  const form = saves(event.target)
  if (!form) return
  clearTimeout(timer)
  if (isDate(event.target)) timer = setTimeout(() => save(form), 900) // a year is typed digit by digit
  else save(form)
})

document.addEventListener("keydown", event => {
  const form = saves(event.target)
  if (!form || event.isComposing || event.defaultPrevented) return
  const input = event.target
  if (event.key === "Escape" && input.matches("input, textarea") && input.value !== input.defaultValue) {
    input.value = input.defaultValue
    event.preventDefault()
  }
  const typed = input.matches("input:not([type=checkbox])") || (input.matches("textarea") && (event.ctrlKey || event.metaKey))
  if (event.key !== "Enter" || !typed) return
  event.preventDefault() // once: leaving it is what saves
  event.stopPropagation()
  input.blur()
  input.focus()
}, true)

function settle(form) {
  for (const input of form.querySelectorAll("input, textarea")) {
    if (input.type === "checkbox") input.defaultChecked = input.checked
    else if (input.type !== "hidden") input.defaultValue = input.value
    input.toggleAttribute("data-empty", isDate(input) && !input.value)
  }
  for (const option of form.querySelectorAll("option")) option.defaultSelected = option.selected
}

document.addEventListener("htmx:after:request", event => {
  const form = event.target
  if (form.tagName !== "FORM") return
  const ok = event.detail.ctx.response?.status === 200
  if (form.matches("[data-autosave]")) {
    if (ok) settle(form)
    else if (!form.querySelector("input[type=text], input[type=number], textarea")) form.reset()
  } else if (ok && form.matches("[data-clears]")) {
    form.reset()
    form.closest("dialog")?.close()
  }
})

// What the server understands of a field with data-preview is said in what describes it.
let asked = 0
document.addEventListener("input", event => {
  const field = event.target
  if (!field.matches?.("[data-preview]")) return
  const mine = ++asked
  setTimeout(async () => {
    if (mine !== asked) return
    const at = new URL(field.dataset.preview, location.href)
    at.searchParams.set("q", field.value)
    const answer = await fetch(at, { headers: { "HX-Request": "true" } }).catch(() => null)
    const place = described(field)
    if (mine !== asked || !answer?.ok || !place) return
    place.innerHTML = await answer.text()
    place.toggleAttribute("data-kept", field.value.trim() !== "") // what changes meanwhile does not take it away
    refresh()
  }, 120)
})
const described = field => document.getElementById(field.getAttribute("aria-describedby"))
document.addEventListener("htmx:after:request", event => {
  const field = event.target.querySelector?.(":scope [data-preview]")
  if (field) described(field)?.removeAttribute("data-kept")
})

// Brings a field of the right panel into sight and goes there; on a narrow screen the panel is a drawer.
export function reveal(field) {
  const drawer = field?.closest("[popover]")
  if (drawer && getComputedStyle(drawer).display === "none") drawer.showPopover()
  field?.focus()
  field?.scrollIntoView({ block: "nearest" })
}

let told = ""
document.addEventListener("htmx:after:swap", () => {
  const missing = [...document.querySelectorAll("#props [data-missing]")]
  const names = missing.map(form => form.id).join()
  if (missing.length && names !== told) reveal(missing[0].querySelector("select, textarea, input:not([type=hidden]), summary"))
  told = names
})
