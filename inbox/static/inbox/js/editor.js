// Rich text for a reply by e-mail. The editor (of another package, and large) is fetched when somebody begins to write
// one; until then, where it cannot be had, and for whoever prefers it, the plain field does everything.
import { askLink, format, marks, setLink } from "./format.js"
import { editors, start, stop } from "./rich.js"
import { isRich, surface } from "./surface.js"

const PLAIN = `plain:${document.body.dataset.me}`
const composer = () => document.getElementById("composer")
const way = () => document.getElementById("way")
const isReply = form => form.querySelector("[name=kind]:checked")?.value === "reply"
const field = (form, name) => form.elements.namedItem(name)
const prefersPlain = () => { try { return Boolean(localStorage.getItem(PLAIN)) } catch { return false } }
const may = form => Boolean(form && way()?.dataset.editor && isReply(form))

let loading
function load() {
  loading ??= import(way().dataset.editor).catch(() => (loading = undefined)) // the next word tries again
  return loading
}

let composing = false
document.addEventListener("compositionstart", () => (composing = true))
document.addEventListener("compositionend", () => {
  composing = false
  begin()
})

export async function begin() {
  const form = composer()
  if (!may(form) || isRich(form) || prefersPlain()) return
  const kit = await load()
  // Meanwhile the pane may show another ticket, or the agent may have turned to a note; who composes a letter goes on.
  if (kit && !composing && form === composer() && may(form) && !isRich(form) && !form.querySelector("#text").readOnly) start(form, kit, askLink, marks)
}

// Which surface fits now: asked for after each change of the channel, of reply or note, and of the pane.
function fit() {
  const form = composer()
  for (const [one, editor] of editors) if (!one.isConnected) editors.delete(one) && editor.destroy()
  if (!form) return
  form.toggleAttribute("data-may-rich", may(form))
  sign()
  form.querySelector("[data-plain]")?.setAttribute("aria-pressed", String(prefersPlain()))
  if (isRich(form) && !may(form)) return stop(form)
  if (may(form) && (field(form, "html").value || document.activeElement === field(form, "text"))) begin()
}

document.addEventListener("focusin", event => event.target.id === "text" && event.target.closest("#composer") && begin())
document.addEventListener("change", event => event.target.matches?.("#composer [name=kind], #composer [name=channel]") && fit())
document.addEventListener("htmx:after:swap", fit)
new MutationObserver(fit).observe(document.getElementById("conversation") ?? document.body, { childList: true })

// What will stand under the reply, by the channel that is chosen.
function sign() {
  const box = document.getElementById("signature")
  const text = way()?.dataset.signature ?? ""
  if (!box || box.querySelector(".signature-text").textContent === text) return
  box.hidden = !text
  for (const place of box.querySelectorAll(".truncate, .signature-text")) place.textContent = text
}

document.addEventListener("click", event => {
  const form = event.target.closest("#composer")
  if (!form) return
  const button = event.target.closest("[data-format]")
  if (button) return void begin().then(() => editors.has(form) && format(form, button.dataset.format))
  if (event.target.closest("[data-set-link]")) return setLink(form, document.querySelector("#link-box input").value)
  if (event.target.closest("[data-unlink]")) return setLink(form, "")
  if (!event.target.closest("[data-plain]")) return
  try { prefersPlain() ? localStorage.removeItem(PLAIN) : localStorage.setItem(PLAIN, "yes") } catch { /* for this time only */ }
  if (prefersPlain()) stop(form)
  else begin()
  fit()
  surface(form).focus()
})

fit()
