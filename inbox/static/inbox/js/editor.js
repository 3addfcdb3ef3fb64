// Rich text for a reply by e-mail. The editor (of another package, and large) is fetched when somebody begins to write
// one; until then, where it cannot be had, and for whoever prefers it, the plain field does everything.
import { field, kindOf } from "./drafts.js"
import { askLink, format, marks, setLink } from "./format.js"
import { editors, start, stop } from "./rich.js"
import { isRich, surface } from "./surface.js"

const PLAIN = `plain:${document.body.dataset.me}`
// Any form can have one, with or without a draft: `data.way` says so.
const way = form => form.querySelector("data.way")
const forms = () => [...document.querySelectorAll("form:has(data.way)")]
const formOf = element => element.closest?.("form:has(data.way)") ?? null
const isNote = form => kindOf(form) === "note"
const prefersPlain = () => { try { return Boolean(localStorage.getItem(PLAIN)) } catch { return false } }
const may = form => Boolean(way(form)?.dataset.editor && !isNote(form))

let loading
function load(form) {
  loading ??= import(way(form).dataset.editor).catch(() => (loading = undefined)) // the next word tries again
  return loading
}

let composing = false
document.addEventListener("compositionstart", () => (composing = true))
document.addEventListener("compositionend", event => {
  composing = false
  if (formOf(event.target)) begin(formOf(event.target))
})

export async function begin(form) {
  if (!may(form) || isRich(form) || prefersPlain()) return
  const kit = await load(form)
  // Meanwhile the pane may show another ticket, or the agent may have turned to a note; who composes a letter goes on.
  if (kit && !composing && form.isConnected && may(form) && !isRich(form) && !field(form, "text").readOnly) start(form, kit, askLink, marks)
}

// Which surface fits now: asked for after each change of the channel, of reply or note, and of the pane.
function fit() {
  for (const [one, editor] of editors) {
    if (!one.isConnected) editors.delete(one) && editor.destroy()
    else if (!editor.view.dom.isConnected) stop(one) // taken away: the plain field has all that was in it
  }
  forms().forEach(fitOne)
}

function fitOne(form) {
  form.toggleAttribute("data-may-rich", may(form))
  sign(form)
  form.querySelector("[data-plain]")?.setAttribute("aria-pressed", String(prefersPlain()))
  if (isRich(form) && !may(form)) return stop(form)
  if (may(form) && (field(form, "html").value || document.activeElement === field(form, "text"))) begin(form)
}

document.addEventListener("focusin", event => event.target.name === "text" && formOf(event.target) && begin(formOf(event.target)))
document.addEventListener("change", event => event.target.matches?.("[name=kind], [name=channel]") && formOf(event.target) && fit())
document.addEventListener("htmx:after:swap", fit)
new MutationObserver(fit).observe(document.getElementById("conversation") ?? document.body, { childList: true })

// What will stand under the reply, by the channel that is chosen.
function sign(form) {
  const box = form.querySelector(".signature")
  const text = way(form)?.dataset.signature ?? ""
  if (!box || box.querySelector(".signature-text").textContent === text) return
  box.hidden = !text
  box.querySelector(".signature-text").textContent = text
  box.querySelector(".truncate").textContent = text.split("\n").map(line => line.trim()).filter(Boolean).join(" · ")
}

document.addEventListener("click", event => {
  const form = formOf(event.target)
  if (!form) return
  const button = event.target.closest("[data-format]")
  if (button) return void begin(form).then(() => editors.has(form) && format(form, button.dataset.format))
  if (event.target.closest("[data-set-link]")) return setLink(form, form.querySelector(".link-box input").value)
  if (event.target.closest("[data-unlink]")) return setLink(form, "")
  if (!event.target.closest("[data-plain]")) return
  try { prefersPlain() ? localStorage.removeItem(PLAIN) : localStorage.setItem(PLAIN, "yes") } catch { /* for this time only */ }
  if (prefersPlain()) stop(form)
  else begin(form)
  fit()
  surface(form).focus()
})

fit()
