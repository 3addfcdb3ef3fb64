// Drafts: text, recipients and files of each ticket's answer stay in this browser through swaps, reloads and lost
// connections. A draft keeps the form's client id: sent again after a lost answer, it is known to the server.
import { everybody, inputs, say } from "./recipients.js"
import { surface } from "./surface.js"

const me = document.body.dataset.me
const words = document.getElementById("words").dataset
export const composer = () => document.getElementById("composer")
export const field = (form, name) => form.elements.namedItem(name)
export const kindOf = form => form.querySelector("[name=kind]:checked")?.value
const keyOf = form => `draft:${me}:${form.dataset.ticket}`
const idOf = box => box.querySelector("input").value
const boxes = form => [...form.querySelectorAll("#uploads [data-upload]")]

function stored(form) {
  try { return JSON.parse(localStorage.getItem(keyOf(form))) } catch { return null }
}

function store(form, draft) {
  try {
    draft ? localStorage.setItem(keyOf(form), JSON.stringify(draft)) : localStorage.removeItem(keyOf(form))
    return Boolean(draft)
  } catch {
    return false // private windows keep nothing
  }
}

// Written down when there is something; taken away only when asked to: another tab may have written meanwhile.
export function keep(form, emptied = false) {
  if (form.dataset.sent) return
  const { text, html } = surface(form).get()
  const people = Object.fromEntries(inputs(form).filter(one => one.value !== one.defaultValue).map(one => [one.name, one.value]))
  const files = boxes(form).map(box => [idOf(box), ...[".truncate", ".quiet"].map(part => box.querySelector(part).textContent)])
  const empty = !text.trim() && !files.length && !Object.keys(people).length
  const draft = { text, html, people, files, kind: kindOf(form), client_id: field(form, "client_id").value, tried: form.dataset.tried }
  const kept = empty ? emptied && store(form, null) : store(form, draft)
  document.getElementById("saved").textContent = kept ? words.kept : ""
}

function fill(form, draft) {
  surface(form).set(draft)
  field(form, "client_id").value = draft.client_id
  if (draft.tried) form.dataset.tried = draft.tried
  const tab = form.querySelector(`[name=kind][value=${draft.kind === "note" ? "note" : "reply"}]`)
  if (tab) tab.checked = true
  for (const input of inputs(form)) input.value = draft.people?.[input.name] ?? input.value
  for (const [id, name, size] of draft.files ?? []) {
    const box = document.getElementById("upload-shape").content.firstElementChild.cloneNode(true)
    box.querySelector("input").value = id
    box.querySelector(".truncate").textContent = name
    box.querySelector(".quiet").textContent = size
    form.querySelector("#uploads").append(box)
  }
}

// What would be sent now, to be compared with what became of this id.
export const asked = form => JSON.stringify([kindOf(form), surface(form).get(), everybody(form), boxes(form).map(idOf)])

// This id became a message: the composer lets go of what was sent, and what differs from it gets an id of its own.
function became(form, what) {
  if (what === asked(form)) {
    surface(form).set({})
    form.querySelector("#uploads").replaceChildren()
    for (const input of inputs(form)) input.value = input.defaultValue
    document.getElementById("composer-problem").hidden = true
  }
  form.dataset.was = field(form, "client_id").value
  field(form, "client_id").value = Array.from(crypto.getRandomValues(new Uint32Array(4)), part => part.toString(36)).join("")
  delete form.dataset.tried
  keep(form, true)
}

export function restore() {
  const form = composer()
  if (!form) return
  if (!form.dataset.restored) {
    form.dataset.restored = "yes"
    const draft = stored(form)
    if (draft?.client_id && ["", draft.text].includes(field(form, "text").value)) fill(form, draft)
  }
  const shown = document.querySelector(`#timeline [data-client-id="${CSS.escape(field(form, "client_id").value)}"]`)
  if (shown && !field(form, "text").readOnly) became(form, form.dataset.tried)
  say(form)
}

export function sent(form) {
  form.dataset.sent = "yes"
  store(form, { sent: field(form, "client_id").value, what: form.dataset.tried }) // other tabs hear of it
  store(form, null)
}

addEventListener("storage", event => {
  const form = composer()
  const said = form && event.key === keyOf(form) && event.newValue && JSON.parse(event.newValue)
  // The message itself may have come first, by the socket: then this form has a new id already.
  if (!said?.sent || ![field(form, "client_id").value, form.dataset.was].includes(said.sent)) return
  became(form, said.what)
  say(form)
})
