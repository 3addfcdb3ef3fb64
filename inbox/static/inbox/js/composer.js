// The composer: Ctrl+Enter sends; a second click sends nothing; what was not sent stays, with the reason.
import { asked, composer, keep, kindOf } from "./drafts.js"
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

let timer
document.addEventListener("input", event => {
  const form = event.target.closest("#composer")
  if (!form) return
  if (!question()) document.getElementById("composer-problem").hidden = true
  clearTimeout(timer)
  timer = setTimeout(() => form.isConnected && keep(form, true), 250)
  soon(form)
})
addEventListener("pagehide", () => composer() && keep(composer()))

document.addEventListener("keydown", event => {
  const form = event.target.closest?.("#composer")
  if (!form || event.key !== "Enter") return
  if (!(event.ctrlKey || event.metaKey)) {
    // Enter in a field would press the form's first button.
    if (event.target.matches("input:not([type=radio], [type=file])")) event.preventDefault()
    return
  }
  event.preventDefault()
  const asking = document.getElementById("send-anyway")
  if (asking && event.target !== asking) return asking.focus() // first read what there is to be read
  const name = kindOf(form) === "note" ? "send-note" : event.shiftKey ? "send-solve" : "send"
  ;(asking ?? document.getElementById(name))?.click()
})

document.addEventListener("click", event => {
  if (!event.target.closest("[data-dismiss-question]")) return
  question().hidden = true
  question().classList.remove("question")
  surface(composer()).focus()
})

// Before the panes change: what was typed a moment ago is kept, even if its timer has not rung.
document.addEventListener("htmx:before:swap", () => {
  const form = composer()
  if (form) keep(form)
})

document.addEventListener("htmx:before:request", event => {
  const form = event.target
  if (form.id !== "composer") {
    if (composer() && event.target.closest?.("a, .row")) save(composer()) // on the way elsewhere
    return
  }
  for (const menu of form.querySelectorAll("details.menu[open]")) close(menu)
  surface(form).lock(true)
  form.dataset.tried = asked(form)
  document.getElementById("composer-problem").hidden = true
  keep(form)
})
document.addEventListener("htmx:after:request", event => {
  if (event.target.id !== "composer" || event.detail.ctx.response.status !== 200) return
  clearTimeout(timer)
  sent(event.target)
})
document.addEventListener("htmx:finally:request", event => {
  if (event.target.id !== "composer") return
  surface(event.target).lock(false)
  restore() // its message may stand there by now, though the answer was lost
})

document.addEventListener("htmx:after:swap", event => {
  restore()
  const source = event.detail.ctx?.sourceElement
  if (source?.id === "composer" && source.isConnected && !source.dataset.sent) keep(source) // it may have a new id
  if (source?.id === "composer" && question()) question().focus()
})
restore()
