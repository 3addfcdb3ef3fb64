// What chosen macros do besides saying something: shown in the composer, and done with the sending, or at once.
/* global htmx */
import { add } from "./chips.js"
import { changed, surface } from "./surface.js"

const byId = id => document.getElementById(id)
const composer = () => byId("composer")

export function chip(form, { id, name, deeds }) {
  add(form, [id, name, deeds])
  changed(form)
}

export function apply(id) {
  return htmx.ajax("POST", byId("macro-box").dataset.url, { source: "#main", values: { macro: id }, swap: "none" })
}

function gaps(form) {
  const hint = byId("gap-hint")
  if (!hint) return
  const left = [...new Set(surface(form).get().text.match(/\{\{\s*[a-z][\w.…-]*\s*\}\}/g) ?? [])]
  hint.hidden = !left.length
  hint.querySelector("bdi").textContent = left.join(" ")
}

document.addEventListener("input", event => event.target.id === "text" && event.target.form?.id === "composer" && gaps(event.target.form))
document.addEventListener("click", event => {
  const form = composer()
  const shown = event.target.closest(".macro-chip")
  if (!shown) return
  if (event.target.closest("[data-apply-macro]")) apply(shown.querySelector("input").value)
  else if (!event.target.closest("[data-drop-macro]")) return
  shown.remove()
  changed(form)
  surface(form).focus()
})
document.addEventListener("htmx:after:swap", () => composer() && gaps(composer()))
if (composer()) gaps(composer())
