// Drafts: text, recipients and files of each ticket's answer stay in this browser through swaps, reloads and lost
// connections, until the server has them (saving.js). A draft keeps the form's client id: sent again after a lost answer,
// it is known to the server.
import { chips, show as showChips } from "./chips.js"
import { put, said } from "./options.js"
import { everybody, inputs, say, usual } from "./recipients.js"
import { surface } from "./surface.js"

const me = document.body.dataset.me
const words = document.getElementById("words").dataset
// Where one writes: the answer of the open conversation, or a new ticket; and beside it the forms of side conversations.
export const composer = () => document.getElementById("composer")
export const forms = () => [...document.querySelectorAll("form[data-draft]")]
export const formOf = element => element.closest?.("form[data-draft]") ?? null
export const field = (form, name) => form.elements.namedItem(name)
export const kindOf = form => form.querySelector("[name=kind]:checked")?.value
export const versionOf = form => Number(field(form, "version")?.value ?? 0)
export const left = new Set() // client ids of what was sent from this page while its composer stays: not to be put back
const keyOf = form => `draft:${me}:${form.dataset.writes}`
export const problemOf = form => form.querySelector(".problem, .question")
const idOf = box => box.querySelector("input").value
const boxes = form => [...form.querySelectorAll(".uploads [data-upload]")]

export function stored(form) {
  try { return JSON.parse(localStorage.getItem(keyOf(form))) } catch { return null }
}

export function store(form, draft) {
  try {
    draft ? localStorage.setItem(keyOf(form), JSON.stringify(draft)) : localStorage.removeItem(keyOf(form))
    return Boolean(draft)
  } catch {
    return false // private windows keep nothing
  }
}

// What somebody has written: all of it counts, and decides whether there is anything to keep.
export function written(form) {
  const { text, html } = surface(form).get()
  const people = Object.fromEntries(inputs(form).filter(one => one.value !== usual(one)).map(one => [one.name, one.value]))
  const files = boxes(form).map(box => [idOf(box), ...[".truncate", ".quiet"].map(part => box.querySelector(part).textContent), box.dataset.cid ?? "", box.dataset.type ?? "", Number(box.dataset.size ?? 0)])
  const subject = field(form, "subject")?.value ?? ""
  const now = { text, html, subject, people, files, macros: chips(form), kind: kindOf(form), channel: field(form, "channel")?.value ?? "" }
  return { ...now, options: said(form, isEmpty(now)) }
}
export const isEmpty = ({ text, subject, people, files, macros, options = {} }) =>
  !text.trim() && !subject && !files.length && !macros?.length && !Object.keys(people).length && !Object.keys(options).length

export const changed = form => JSON.stringify(written(form)) !== form.dataset.known // since the server last knew it

// Written down when there is something; taken away only when asked to: another tab may have written meanwhile.
export function keep(form, emptied = false) {
  if (form.dataset.sent) return
  const now = written(form)
  const draft = { ...now, client_id: field(form, "client_id").value, newest: field(form, "newest")?.value, tried: form.dataset.tried,
                  version: versionOf(form), changed: changed(form) }
  const kept = isEmpty(now) ? emptied && store(form, null) : store(form, draft)
  form.querySelector(".saved").textContent = kept ? words.kept : ""
  show(form)
}

export function show(form) {
  const button = form.querySelector("[data-discard]")
  if (button) button.hidden = isEmpty(written(form))
}

export function fill(form, draft) {
  surface(form).set(draft)
  field(form, "client_id").value = draft.client_id
  if (draft.newest && field(form, "newest")) field(form, "newest").value = draft.newest
  if (draft.tried) form.dataset.tried = draft.tried
  const tab = form.querySelector(`[name=kind][value=${draft.kind === "note" ? "note" : "reply"}]`)
  if (tab) tab.checked = true
  const way = field(form, "channel")
  if (draft.channel && way && way.value !== String(draft.channel)) {
    way.value = draft.channel
    way.dispatchEvent(new Event("change", { bubbles: true })) // its recipients come from the server
  }
  if (field(form, "subject")) field(form, "subject").value = draft.subject ?? ""
  for (const input of inputs(form)) input.value = draft.people?.[input.name] ?? usual(input)
  form.querySelector(".uploads").replaceChildren(...(draft.files ?? []).map(boxOf))
  showChips(form, draft.macros ?? [])
  put(form, draft.options ?? {})
  show(form)
  document.dispatchEvent(new Event("rabta:files"))
}

function boxOf([id, name, size, cid, type = "", bytes = 0]) {
  const box = document.getElementById("upload-shape").content.firstElementChild.cloneNode(true)
  if (cid) box.dataset.cid = cid
  box.dataset.type = type
  box.dataset.size = bytes
  box.querySelector("input").value = id
  box.querySelector(".truncate").textContent = name
  box.querySelector(".quiet").textContent = size
  return box
}

// What would be sent now, to be compared with what became of this id.
export const asked = form => JSON.stringify([kindOf(form), surface(form).get(), everybody(form), boxes(form).map(idOf)])
export const freshId = () => Array.from(crypto.getRandomValues(new Uint32Array(4)), part => part.toString(36)).join("")

export function empty(form) {
  fill(form, { kind: kindOf(form), client_id: freshId(), channel: "" })
  problemOf(form).hidden = true
  delete form.dataset.tried
}
