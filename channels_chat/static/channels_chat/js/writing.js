// Writing on the desk, where each chat has its own composer. The one with the focus is the page's composer: what serves the
// composer of a ticket (macros, emoji, files, drafts) serves it, too. Enter sends.
import { asked, empty, field, keep, left, written } from "../../inbox/js/drafts.js"
import { surface } from "../../inbox/js/surface.js"
import { put, take } from "./outbox.js"
import * as wire from "./wire.js"

const TYPED_EVERY = 3000
const PAUSE = 5000
const boxes = ["macro-box", "emoji-box"].map(id => document.getElementById(id))
const formOf = element => element?.closest?.(".chat-composer") ?? null

export function adopt(form) {
  if (!form || form.id === "composer") return
  const old = document.getElementById("composer")
  if (old) {
    old.removeAttribute("id")
    for (const part of old.querySelectorAll("#text, #send")) part.removeAttribute("id")
  }
  form.id = "composer"
  field(form, "text").id = "text"
  form.querySelector(".chat-send").id = "send"
  for (const box of boxes) if (box) form.append(box)
  boxes[0].dataset.url = form.dataset.macroUrl
}
document.addEventListener("focusin", event => adopt(formOf(event.target)))
document.addEventListener("pointerdown", event => adopt(formOf(event.target)), true)

function send(form) {
  if (form.querySelector("[data-uploading]")) return
  const { text, files, macros } = written(form)
  if (!text.trim() && !files.length) return surface(form).focus()
  const ticket = Number(form.dataset.ticket)
  const item = { cid: field(form, "client_id").value, ticket, text: text.trim(), files: files.map(([id]) => id), names: files.map(([, name]) => name), macros: macros.map(([id]) => id), version: Number(field(form, "version").value) }
  left.add(item.cid)
  empty(form)
  field(form, "version").value = 0 // the server lets go of the draft with the message
  form.dataset.known = JSON.stringify(written(form))
  keep(form, true)
  form.dataset.tried = asked(form)
  stopped(ticket)
  put(item)
  surface(form).focus()
}

document.addEventListener("submit", event => {
  const form = formOf(event.target)
  if (!form) return
  event.preventDefault()
  send(form)
})
document.addEventListener("keydown", event => {
  const form = event.target.matches?.(".chat-composer textarea") && formOf(event.target)
  if (!form || event.isComposing) return
  if (event.key === "Escape" && !event.defaultPrevented) {
    event.preventDefault()
    return form.closest(".chat").focus()
  }
  if (event.key !== "Enter" || event.shiftKey || event.altKey || event.defaultPrevented) return
  if (event.ctrlKey || event.metaKey) return // the composer's own key presses the button
  event.preventDefault()
  send(form)
})

// Who could not be answered gets what was written back into the composer.
document.addEventListener("click", event => {
  const button = event.target.closest("[data-back]")
  const form = button?.closest(".chat")?.querySelector(".chat-composer")
  if (!form) return
  const item = take(button.dataset.back)
  if (!item) return
  surface(form).focus()
  surface(form).insert({ text: item.text })
})

// The visitor sees that somebody writes.
const typed = new Map() // number: { at, timer }
function stopped(number) {
  const one = typed.get(number)
  if (!one) return
  clearTimeout(one.timer)
  typed.delete(number)
  wire.say({ t: "typing", ticket: number, on: false })
}
document.addEventListener("input", event => {
  const form = event.target.name === "text" && formOf(event.target)
  if (!form) return
  const number = Number(form.dataset.ticket)
  if (!event.target.value.trim()) return stopped(number)
  const one = typed.get(number) ?? { at: 0 }
  clearTimeout(one.timer)
  one.timer = setTimeout(() => stopped(number), PAUSE)
  if (Date.now() - one.at > TYPED_EVERY && wire.say({ t: "typing", ticket: number, on: true })) one.at = Date.now()
  typed.set(number, one)
})
