// Side conversations: folded in the stream, fetched when somebody opens one, and again when something in it changed.
/* global htmx */
const shown = new WeakMap() // what each open one shows, by its version
const busy = new WeakSet()
const writing = new WeakSet() // where somebody has just sent something, and may go on

// The field was taken away because what was in it has been sent.
const sent = box => box.querySelector(".aside-answer").childElementCount === 0

async function load(box) {
  const whole = sent(box)
  const again = shown.has(box)
  if (busy.has(box) || (shown.get(box) === box.dataset.version && !sent(box))) return
  busy.add(box)
  if (whole && again) writing.add(box)
  const version = box.dataset.version
  try {
    await htmx.ajax("GET", `${box.dataset.side}${whole ? "?whole=yes" : ""}`, { source: "#live", swap: "none" })
  } finally {
    shown.set(box, version)
    busy.delete(box)
  }
  if (box.dataset.version !== version) load(box)
}

document.addEventListener("toggle", event => {
  if (event.target.matches?.("details.aside[open]")) load(event.target)
}, true)

document.addEventListener("htmx:after:swap", () => {
  for (const box of document.querySelectorAll("details.aside[open]")) {
    const field = writing.has(box) && box.querySelector("textarea")
    if (field && writing.delete(box) && document.activeElement === document.body) field.focus({ preventScroll: true })
    setTimeout(() => load(box)) // once all of an answer is in
  }
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
