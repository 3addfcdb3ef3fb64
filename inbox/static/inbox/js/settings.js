// Settings pages: copy a value, add and remove rows of a list, show what a choice opens.
document.addEventListener("click", async event => {
  const copier = event.target.closest("[data-copy]")
  if (copier) {
    const source = document.getElementById(copier.dataset.copy)
    await navigator.clipboard?.writeText(source.value ?? source.textContent.trim())
    copier.classList.add("done")
    setTimeout(() => copier.classList.remove("done"), 1500)
  }
})

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
