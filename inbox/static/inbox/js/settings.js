// Settings pages: copy a value, ask before what cannot be undone, add and remove rows of a list, show what a choice opens.
document.addEventListener("click", async event => {
  const copier = event.target.closest("[data-copy]")
  if (copier) {
    const source = document.getElementById(copier.dataset.copy)
    await navigator.clipboard?.writeText(source.value ?? source.textContent.trim())
    copier.classList.add("done")
    setTimeout(() => copier.classList.remove("done"), 1500)
  }
})

const dialog = document.getElementById("confirm")
let asking = null

// A form or button with data-confirm is sent once its question was answered with yes: by a button of the same name.
document.addEventListener("submit", event => {
  const text = event.submitter?.dataset.confirm || event.target.dataset.confirm
  if (!text || !dialog || asking === event.target) return
  event.preventDefault()
  event.stopImmediatePropagation()
  const { target: form, submitter } = event
  dialog.querySelector("#confirm-text").textContent = text
  dialog.querySelector("#confirm-yes").textContent = (submitter ?? form.querySelector("button")).textContent.trim()
  dialog.returnValue = ""
  dialog.showModal()
  dialog.addEventListener("close", () => {
    if (dialog.returnValue !== "yes") return
    asking = form
    form.requestSubmit(submitter)
    asking = null
  }, { once: true })
}, true)

// <select data-shows="provider"> or radios of that name show the [data-when-provider~="value"] that fits.
function shown(input) {
  const name = input.dataset.shows
  const value = input.type === "radio" ? document.querySelector(`input[name="${input.name}"]:checked`)?.value : input.type === "checkbox" ? (input.checked ? "on" : "off") : input.value
  for (const part of document.querySelectorAll(`[data-when-${name}]`)) part.hidden = !part.getAttribute(`data-when-${name}`).split(" ").includes(value ?? "")
}
document.addEventListener("change", event => event.target.matches?.("[data-shows]") && shown(event.target))
const showAll = () => document.querySelectorAll("[data-shows]").forEach(shown)
document.addEventListener("htmx:after:swap", event => {
  showAll()
  if (event.target.tagName !== "FORM") return
  const wrong = document.querySelector(".settings form [aria-invalid=true]") // what is to be mended is in sight
  const folded = wrong?.closest("details")
  if (folded) folded.open = true
  wrong?.focus()
})
showAll()
