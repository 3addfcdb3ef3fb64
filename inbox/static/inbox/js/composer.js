// The composer: drafts outlive swaps, reloads and lost connections; Ctrl+Enter sends; a second click sends nothing.
const me = document.body.dataset.me
const words = document.getElementById("words").dataset
const composer = () => document.getElementById("composer")
const keyOf = form => `draft:${me}:${form.dataset.ticket}`
const field = (form, name) => form.elements.namedItem(name)
const kindOf = form => form.querySelector("[name=kind]:checked")?.value

const folded = text => text.replace(/\s+/g, " ").trim()

// The draft keeps the form's client id: sent again after a lost answer, it is known to the server.
function keep(form) {
  const text = field(form, "text").value
  try {
    if (!text.trim()) localStorage.removeItem(keyOf(form))
    else localStorage.setItem(keyOf(form), JSON.stringify({ text, kind: kindOf(form), client_id: field(form, "client_id").value }))
    document.getElementById("saved").textContent = text.trim() ? words.kept : ""
  } catch {
    document.getElementById("saved").textContent = "" // private windows keep nothing
  }
}

function restore() {
  const form = composer()
  if (!form || form.dataset.restored) return
  form.dataset.restored = "yes"
  let draft
  try {
    draft = JSON.parse(localStorage.getItem(keyOf(form)))
  } catch {
    draft = null
  }
  if (!draft?.text || field(form, "text").value) return
  const sent = document.querySelector(`[data-client-id="${CSS.escape(draft.client_id)}"] .text`)
  if (sent && folded(sent.textContent).startsWith(folded(draft.text))) return localStorage.removeItem(keyOf(form))
  field(form, "text").value = draft.text
  if (!sent) field(form, "client_id").value = draft.client_id
  const tab = form.querySelector(`[name=kind][value=${draft.kind === "note" ? "note" : "reply"}]`)
  if (tab) tab.checked = true
}

export function write(kind) {
  const form = composer()
  if (!form) return
  const tab = form.querySelector(`[name=kind][value=${kind}]`)
  if (tab) tab.checked = true
  field(form, "text").focus()
}

let timer
document.addEventListener("input", event => {
  const form = event.target.closest("#composer")
  if (!form) return
  document.getElementById("composer-problem").hidden = true
  clearTimeout(timer)
  timer = setTimeout(() => form.isConnected && keep(form), 250)
})
addEventListener("pagehide", () => composer() && field(composer(), "text").value.trim() && keep(composer()))

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
  if (form && !form.dataset.sent && field(form, "text").value.trim()) keep(form)
})

document.addEventListener("htmx:before:request", event => {
  if (event.target.id === "composer") field(event.target, "text").readOnly = true
})
document.addEventListener("htmx:after:request", event => {
  if (event.target.id !== "composer" || event.detail.ctx.response.status !== 200) return
  clearTimeout(timer)
  event.target.dataset.sent = "yes"
  localStorage.removeItem(keyOf(event.target))
})
document.addEventListener("htmx:finally:request", () => {
  if (composer()) field(composer(), "text").readOnly = false
})
document.addEventListener("htmx:after:swap", event => {
  restore()
  if (event.detail.ctx?.sourceElement?.dataset?.sent) document.getElementById("text")?.focus({ preventScroll: true })
})
restore()
