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
