// Pages of figures: the first card is counted alone and the others after it, a few at once, so that each is there sooner;
// parts that could not be fetched say so where they are, j and k walk a list, a page prints whole.
const failed = document.getElementById("part-failed")

function say(part) {
  if (!part?.matches?.("[data-part]") || part.querySelector(".part-failed")) return
  part.classList.remove("is-counting")
  part.querySelector(".skeleton")?.remove()
  part.querySelector("[role=status]")?.remove()
  part.append(failed.content.cloneNode(true))
}

const queue = [...document.querySelectorAll("[data-next]")]
let lanes = 1 // how many begin when one is there

function next() {
  for (const part of queue.splice(0, lanes)) part.dispatchEvent(new CustomEvent("again"))
  lanes = 1
}

if (queue.length) {
  lanes = 3
  document.addEventListener("htmx:finally:request", event => {
    if (event.detail.ctx.sourceElement?.matches?.("[data-part]")) next()
  })
}

if (failed) {
  document.addEventListener("htmx:response:error", event => say(event.detail.ctx.sourceElement))
  document.addEventListener("htmx:error", event => say(event.detail.ctx?.sourceElement))
  // What failed before this script was here: it waits, and nobody asks for it.
  setTimeout(() => {
    document.querySelectorAll("[data-part].is-counting:not(.htmx-request)").forEach(part => queue.includes(part) || say(part))
    if (lanes > 1 && !document.querySelector("[data-part].htmx-request")) next()
  }, 500)
}

document.addEventListener("click", event => {
  const again = event.target.closest?.("[data-again]")?.closest("[data-part]")
  if (again) {
    again.querySelector(".part-failed").remove()
    again.classList.add("is-counting")
    again.dispatchEvent(new CustomEvent("again"))
  }
  if (event.target.closest?.("[data-print]")) print()
})

document.addEventListener("change", event => {
  if (event.target.matches?.("[data-submits]")) event.target.form.requestSubmit()
})

// An empty field need not stand in the address.
document.addEventListener("submit", event => {
  if (!event.target.matches?.(".reports-bar")) return
  const { elements } = event.target
  const dated = elements.from?.value || elements.through?.value
  for (const field of elements) if (field.name && (!field.value || (field.name === "period" && dated))) field.disabled = true
  setTimeout(() => {
    for (const field of elements) field.disabled = false
  })
})

const typing = element => element.isContentEditable || element.matches("input:not([type=radio], [type=checkbox]), textarea, select")

document.addEventListener("keydown", event => {
  const box = document.querySelector("[data-rows]")
  if (!box || !["j", "k"].includes(event.key.toLowerCase()) || event.ctrlKey || event.metaKey || event.altKey) return
  if (typing(event.target) || document.querySelector("dialog[open]")) return
  const rows = [...box.querySelectorAll("[data-row]")]
  const step = event.key.toLowerCase() === "j" ? 1 : -1
  const at = rows.indexOf(document.activeElement)
  const next = rows[Math.min(Math.max(at + step, 0), rows.length - 1)]
  next?.focus({ preventScroll: true })
  next?.scrollIntoView({ block: "nearest" })
  if (at >= rows.length - 3) box.querySelector(":scope > .more:not(.htmx-request)")?.click()
})
