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

// What a notice offers to undo was undone, there or elsewhere on the page: nothing is left to be offered.
document.addEventListener("htmx:after:request", event => {
  const at = event.target.matches?.("form") && event.detail.ctx.response.status === 200 && event.target.getAttribute("action")
  if (!at) return
  for (const form of document.querySelectorAll("#notices .notice form")) if (form.getAttribute("action") === at) form.closest(".notice").remove()
})

// A suggestion fills the field that it stands for.
document.addEventListener("click", event => {
  const chosen = event.target.closest("[data-fill]")
  if (!chosen) return
  const field = document.getElementById(chosen.dataset.fill)
  field.value = chosen.value
  field.focus()
  for (const one of document.querySelectorAll(`[data-fill="${chosen.dataset.fill}"]`)) one.setAttribute("aria-pressed", one === chosen)
})

// Splitting: boxes appear at the messages, and a bar above the composer.
function choose(on) {
  const bar = document.getElementById("split-form")
  if (!bar) return
  bar.hidden = !on
  document.querySelector(".talk").classList.toggle("choosing", on)
  if (on) document.querySelector(".message .pick")?.focus() // rows of the list have one, too
  else {
    bar.reset()
    for (const box of document.querySelectorAll(".message .pick")) box.checked = false
    document.querySelector("#more-menu > summary")?.focus()
  }
}

document.addEventListener("click", event => {
  if (event.target.closest("[data-split]")) {
    event.target.closest("details.menu").open = false
    choose(true)
  }
  if (event.target.closest("[data-split-end]")) choose(false)
})

document.addEventListener("keydown", event => {
  if (event.key !== "Escape" || !document.querySelector(".talk.choosing") || document.querySelector("dialog[open]")) return
  event.preventDefault()
  event.stopPropagation()
  choose(false)
}, true)
