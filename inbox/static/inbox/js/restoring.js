// A composer that comes into the page gets back what this browser has and the server has not; what became a message, here
// or in another tab, leaves it.
import { asked, changed, empty, field, fill, forms, freshId, keep, store, stored, versionOf, written } from "./drafts.js"
import { say } from "./recipients.js"
import { offer, pull, soon } from "./saving.js"

// This id became a message: the composer lets go of what was sent, and what differs from it gets an id of its own.
function became(form, what) {
  form.dataset.was = field(form, "client_id").value
  if (what === asked(form)) empty(form)
  else field(form, "client_id").value = freshId()
  delete form.dataset.tried
  keep(form, true)
}

function begin(form) {
  form.dataset.restored = "yes"
  form.dataset.known = JSON.stringify(written(form)) // as the server rendered it
  const draft = stored(form)
  if (!draft?.client_id) return
  if (draft.changed && draft.version >= versionOf(form)) {
    fill(form, draft)
    soon(form)
  } else if (draft.changed) offer(form, draft) // another device was here since
  else if (draft.version > versionOf(form)) pull(form) // the page is older than what another tab has kept
}

export const restore = () => forms().forEach(restoreOne)

function restoreOne(form) {
  if (!form.dataset.restored) begin(form)
  const shown = document.querySelector(`#timeline [data-client-id="${CSS.escape(field(form, "client_id").value)}"]`)
  if (shown && !field(form, "text").readOnly) became(form, form.dataset.tried)
  const newest = field(form, "newest")
  const ids = [...document.querySelectorAll("#timeline > .message")].map(one => Number(one.id.slice(2)))
  // Whoever begins to write now has seen all that stands there.
  if (newest && ids.length && !changed(form) && !surfaceText(form)) {
    newest.value = Math.max(...ids)
    field(form, "event").value = document.getElementById("last-event").value
  }
  say(form)
}

const surfaceText = form => written(form).text.trim()

export function sent(form) {
  form.dataset.sent = "yes"
  store(form, { sent: field(form, "client_id").value, what: form.dataset.tried }) // other tabs hear of it
  store(form, null)
}

addEventListener("storage", event => {
  const form = event.key?.startsWith("draft:") && forms().find(one => event.key.endsWith(`:${one.dataset.writes}`))
  const said = form && event.newValue && JSON.parse(event.newValue)
  // The message itself may have come first, by the socket: then this form has a new id already.
  if (!said?.sent || ![field(form, "client_id").value, form.dataset.was].includes(said.sent)) return
  became(form, said.what)
  say(form)
})
