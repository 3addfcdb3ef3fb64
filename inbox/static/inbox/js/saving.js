// What stands in the composer is kept on the server a moment after it was typed, so that it is there on any device. Each
// save names the version it began with; where another tab or device came first, theirs is taken, and ours offered back.
import { changed, empty, field, fill, formOf, forms, isEmpty, keep, left, show, versionOf, written } from "./drafts.js"
import { notice } from "./htmx.js"
import { inputs, say, usual } from "./recipients.js"
import { surface } from "./surface.js"

const words = document.getElementById("words").dataset
const PAUSE = 800
const timers = new WeakMap() // by form
const busy = new WeakSet()

function body(form) {
  const data = new FormData(form)
  for (const name of [...data.keys()]) if (name === "files" || name.startsWith("option.")) data.delete(name)
  for (const [name, value] of Object.entries(written(form).options)) data.set(name, value)
  for (const input of inputs(form)) if (input.value === usual(input)) data.delete(input.name)
  return data
}

export function soon(form) {
  clearTimeout(timers.get(form))
  timers.set(form, setTimeout(() => save(form), PAUSE))
}

export async function save(form) {
  clearTimeout(timers.get(form))
  if (form.dataset.sent || field(form, "text").readOnly || !changed(form)) return
  if (busy.has(form)) return soon(form)
  const now = JSON.stringify(written(form))
  const cid = field(form, "client_id").value
  busy.add(form)
  try {
    const answer = await fetch(form.dataset.draft, { method: "POST", body: body(form) })
    if (form.dataset.sent || field(form, "client_id").value !== cid) return // that has been sent meanwhile
    if (answer.status === 409) {
      const theirs = await answer.json()
      return left.has(theirs.client_id) ? soon(form) : take(form, theirs, written(form))
    }
    if (!answer.ok) return // it is kept here, and goes with the next one
    field(form, "version").value = (await answer.json()).version
    form.dataset.known = now
    keep(form)
    if (changed(form)) soon(form)
  } catch {
    // Offline: what is typed next is saved with it, and so it is when the connection is back.
  } finally {
    busy.delete(form)
  }
}

// Theirs stands in the composer from now on.
function take(form, theirs, ours) {
  if (theirs.version) fill(form, theirs)
  else empty(form)
  field(form, "version").value = theirs.version
  form.dataset.known = JSON.stringify(written(form))
  say(form)
  keep(form, true)
  const differs = ours && (ours.text !== theirs.text || JSON.stringify(ours.options) !== JSON.stringify(written(form).options))
  if (differs && !isEmpty(ours)) offer(form, ours)
}

export function offer(form, ours) {
  notice(words.elsewhere, words.bringBack, () => {
    const now = forms().find(one => one.dataset.writes === form.dataset.writes)
    if (!now) return
    fill(now, { ...ours, client_id: field(now, "client_id").value })
    surface(now).focus()
    soon(now)
  })
}

// What the server has now; what is being typed here stays, and meets it at its next save.
export async function pull(form) {
  const answer = await fetch(form.dataset.draft)
  const theirs = answer.ok && (await answer.json())
  if (theirs && !left.has(theirs.client_id) && form.isConnected && !form.dataset.sent && !changed(form)) take(form, theirs)
}

document.addEventListener("rabta:hint", ({ detail }) => {
  if (!("drafted" in detail)) return
  const writes = detail.side ? `side-${detail.side}` : String(detail.draft ?? "new")
  const form = forms().find(one => one.dataset.writes === writes)
  if (!form || busy.has(form) || field(form, "text").readOnly) return
  if (detail.version !== versionOf(form) && !changed(form)) pull(form)
})
const back = () => forms().forEach(soon)
addEventListener("online", back) // the network
document.addEventListener("rabta:online", back) // the server

// Leaving the page: a save that need not be waited for.
addEventListener("pagehide", () => {
  for (const form of forms())
    if (changed(form) && !form.dataset.sent && !field(form, "text").readOnly) navigator.sendBeacon(form.dataset.draft, body(form))
})

document.addEventListener("click", event => {
  const form = event.target.closest("[data-discard]") && formOf(event.target)
  if (!form) return
  const was = written(form)
  empty(form)
  keep(form, true)
  say(form)
  save(form)
  show(form)
  surface(form).focus()
  notice(words.discarded, words.undo, () => form.isConnected && (fill(form, { ...was, client_id: field(form, "client_id").value }), soon(form)))
})
