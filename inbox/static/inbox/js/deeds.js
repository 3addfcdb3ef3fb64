// What chosen macros do besides saying something: shown in the composer, and done with the sending, or at once.
/* global htmx */
import { surface } from "./surface.js"

const byId = id => document.getElementById(id)
const composer = () => byId("composer")

// They wait with the draft, in this browser.
const keyOf = form => `macros:${document.body.dataset.me}:${form.dataset.ticket}`
const chips = form => [...form.querySelectorAll("#macro-chips .macro-chip")]

export function chip(form, { id, name, deeds }, keep = true) {
  if (chips(form).some(one => one.querySelector("input").value === String(id))) return
  const made = byId("macro-shape").content.firstElementChild.cloneNode(true)
  made.querySelector("b").textContent = name
  made.querySelector(".deeds").textContent = deeds
  made.querySelector(".deeds").title = deeds
  made.querySelector("input").value = id
  byId("macro-chips").append(made)
  if (keep) remember(form)
}

function remember(form) {
  const all = chips(form).map(one => ({ id: one.querySelector("input").value, name: one.querySelector("b").textContent, deeds: one.querySelector(".deeds").textContent }))
  try { all.length ? localStorage.setItem(keyOf(form), JSON.stringify(all)) : localStorage.removeItem(keyOf(form)) } catch { /* private window */ }
}

function recall() {
  const form = composer()
  if (!form || !byId("macro-chips") || form.dataset.recalled) return
  form.dataset.recalled = "yes"
  try { JSON.parse(localStorage.getItem(keyOf(form)))?.forEach(one => chip(form, one, false)) } catch { /* nothing was kept */ }
  gaps(form)
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
  remember(form)
  surface(form).focus()
})
document.addEventListener("htmx:after:request", event => {
  if (event.target.id !== "composer" || event.detail.ctx.response.status !== 200) return
  if (event.target.querySelector("[name=kind]:checked")?.value === "note") return // it does nothing else
  byId("macro-chips")?.replaceChildren()
  remember(event.target)
})
document.addEventListener("htmx:after:swap", recall)
recall()
