// The composer: Ctrl+Enter sends; a second click sends nothing; what was not sent stays, with the reason.
import { asked, composer, formOf, forms, keep, kindOf, problemOf } from "./drafts.js"
import { close } from "./menus.js"
import { restore, sent } from "./restoring.js"
import { save, soon } from "./saving.js"
import { surface } from "./surface.js"

export function write(kind) {
  const form = composer()
  if (!form) return
  const tab = form.querySelector(`[name=kind][value=${kind}]`)
  if (tab) tab.checked = true
  surface(form).focus()
}

// A click on a tab means to write there; arrow keys walk through the tabs, and click as well.
document.addEventListener("click", event => event.detail && event.target.matches("#composer [name=kind]") && write(event.target.value))

const question = () => document.querySelector("#composer-problem.question")

const timers = new WeakMap() // by form
document.addEventListener("input", event => {
  const form = formOf(event.target)
  if (!form) return
  if (!question()) problemOf(form).hidden = true
  clearTimeout(timers.get(form))
  timers.set(form, setTimeout(() => form.isConnected && keep(form, true), 250))
  soon(form)
})
addEventListener("pagehide", () => forms().forEach(form => keep(form)))

document.addEventListener("keydown", event => {
  const form = event.target.closest?.("#composer")
  if (!form || event.key !== "Enter") return
  if (!(event.ctrlKey || event.metaKey)) {
    // Enter in a field would press the form's first button.
    if (event.target.matches("input:not([type=radio], [type=file])")) event.preventDefault()
    return
  }
  event.preventDefault()
  if (event.repeat) return // a key that is held down answers no question
  const asking = document.getElementById("send-anyway")
  if (asking && event.target !== asking) return asking.focus() // first read what there is to be read
  const name = kindOf(form) === "note" ? "send-note" : event.shiftKey ? "send-solve" : "send"
  ;(asking ?? document.getElementById(name))?.click()
})

document.addEventListener("click", event => {
  if (!event.target.closest("[data-dismiss-question]")) return
  const box = question()
  box.hidden = true
  box.className = "problem"
  box.replaceChildren() // with the button that Ctrl+Enter looks for
  surface(composer()).focus()
})

// Before the panes change: what was typed a moment ago is kept, even if its timer has not rung.
document.addEventListener("htmx:before:swap", () => forms().forEach(form => keep(form)))

document.addEventListener("htmx:before:request", event => {
  const form = event.target
  if (!form.matches?.("form[data-draft]")) {
    if (form.closest?.("a, .row")) forms().forEach(save) // on the way elsewhere
    return
  }
  for (const menu of form.querySelectorAll("details.menu[open]")) close(menu)
  surface(form).lock(true)
  form.dataset.tried = asked(form)
  problemOf(form).hidden = true
  keep(form)
})
document.addEventListener("htmx:after:request", event => {
  if (!event.target.matches?.("form[data-draft]") || event.detail.ctx.response.status !== 200) return
  clearTimeout(timers.get(event.target))
  sent(event.target)
})
document.addEventListener("htmx:finally:request", event => {
  if (!event.target.matches?.("form[data-draft]")) return
  surface(event.target).lock(false)
  restore() // its message may stand there by now, though the answer was lost
})

document.addEventListener("htmx:after:swap", event => {
  restore()
  const source = event.detail.ctx?.sourceElement
  if (source?.matches?.("form[data-draft]") && source.isConnected && !source.dataset.sent) keep(source) // it may have a new id
  if (source?.id === "composer" && question()) (question().querySelector("[data-first]") ?? question()).focus()
})
restore()
