// Side conversations: folded in the stream, fetched when somebody opens one, and again when something in it changed.
/* global htmx */
const shown = new WeakMap() // what each open one shows, by its version

async function load(box) {
  const whole = !box.querySelector(".side-form")
  const again = shown.has(box)
  if (shown.get(box) === box.dataset.version && !whole) return
  shown.set(box, box.dataset.version)
  await htmx.ajax("GET", `${box.dataset.side}${whole ? "?whole=yes" : ""}`, { source: "#live", swap: "none" })
  if (whole && again && document.activeElement === document.body) box.querySelector("textarea")?.focus({ preventScroll: true })
}

document.addEventListener("toggle", event => {
  if (event.target.matches?.("details.aside[open]")) load(event.target)
}, true)

document.addEventListener("htmx:after:swap", () => {
  for (const box of document.querySelectorAll("details.aside[open]")) load(box)
})

// Sheets: a form that is fetched into the dialog opens it, and an empty answer closes it.
const sheet = () => document.getElementById("sheet")
let back

document.addEventListener("htmx:before:request", event => {
  if (event.detail.ctx.sourceElement?.getAttribute?.("hx-target") === "#sheet") back = document.activeElement
})

new MutationObserver(() => {
  const dialog = sheet()
  if (!dialog) return
  const full = dialog.childElementCount > 0
  if (full && !dialog.open) {
    dialog.showModal()
    dialog.querySelector("[autofocus]")?.focus()
  } else if (!full && dialog.open) dialog.close()
}).observe(document.body, { childList: true, subtree: true })

document.addEventListener("close", event => {
  if (event.target.id !== "sheet") return
  event.target.replaceChildren()
  const place = back?.isConnected ? back.closest("details.menu")?.querySelector("summary") ?? back : document.getElementById("main")
  place?.focus({ preventScroll: true })
}, true)

document.addEventListener("click", event => {
  if (event.target.closest("[data-close-sheet]")) sheet() ? sheet().close() : history.back()
})

document.addEventListener("keydown", event => {
  if (event.key !== "Enter" || !(event.ctrlKey || event.metaKey)) return
  const form = event.target.closest?.(".side-form, .sheet-form")
  if (!form) return
  event.preventDefault()
  event.stopPropagation()
  form.requestSubmit()
}, true)
