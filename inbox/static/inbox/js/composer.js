// The composer: Ctrl+Enter sends; a second click sends nothing; what was not sent stays, with the reason.
import { asked, composer, keep, kindOf, restore, sent } from "./drafts.js"
import { surface } from "./surface.js"

export function write(kind) {
  const form = composer()
  if (!form) return
  const tab = form.querySelector(`[name=kind][value=${kind}]`)
  if (tab) tab.checked = true
  surface(form).focus()
}

let timer
document.addEventListener("input", event => {
  const form = event.target.closest("#composer")
  if (!form) return
  document.getElementById("composer-problem").hidden = true
  clearTimeout(timer)
  timer = setTimeout(() => form.isConnected && keep(form, true), 250)
})
addEventListener("pagehide", () => composer() && keep(composer()))

document.addEventListener("keydown", event => {
  const form = event.target.closest?.("#composer")
  if (!form || event.key !== "Enter" || !(event.ctrlKey || event.metaKey)) return
  event.preventDefault()
  const name = kindOf(form) === "note" ? "send-note" : event.shiftKey ? "send-solve" : "send"
  document.getElementById(name)?.click()
})

// Before the panes change: what was typed a moment ago is kept, even if its timer has not rung.
document.addEventListener("htmx:before:swap", () => {
  const form = composer()
  if (form) keep(form)
})

document.addEventListener("htmx:before:request", event => {
  if (event.target.id !== "composer") return
  surface(event.target).lock(true)
  event.target.dataset.tried = asked(event.target)
  document.getElementById("composer-problem").hidden = true
  keep(event.target)
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

// What was sent is sent: the next key is a shortcut, no beginning of another mail to the customer.
function letGo() {
  const at = document.activeElement
  if (at === document.body || at?.closest("#composer")) document.getElementById("stream")?.focus({ preventScroll: true })
}

document.addEventListener("htmx:after:swap", event => {
  restore()
  const source = event.detail.ctx?.sourceElement
  if (source?.dataset?.sent) letGo()
  else if (source?.id === "composer" && source.isConnected) keep(source) // it may have been given a new id
})
restore()
