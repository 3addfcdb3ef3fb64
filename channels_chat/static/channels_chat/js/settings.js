// Settings of a chat: the focus follows a row that was moved, and the preview follows what is typed.

document.querySelector(".chat-nav [aria-current]")?.scrollIntoView({ block: "nearest", inline: "nearest" }) // on a phone

const forms = () => document.querySelector(".chat-form")

// A button that is pressed while inputs are on their way is pressed when they are there; while rows change, only Save is:
// another row may stand where its button was.
const running = new WeakMap() // form → what it asks for
let held = null

document.addEventListener("submit", event => {
  const form = event.target
  if (!form.matches(".chat-form")) return
  const { name = "", value = "" } = event.submitter ?? {}
  if (!running.has(form)) return void running.set(form, value)
  event.preventDefault()
  event.stopImmediatePropagation()
  if (!name || running.get(form).startsWith("again ")) held = { name, value }
}, true)

let due = null
let place = null // where somebody went on to while inputs were on their way

document.addEventListener("htmx:before:swap", event => {
  const form = event.detail.ctx.sourceElement
  if (!form?.matches(".chat-form")) return
  const { activeElement: at } = document
  const asked = running.get(form) ?? ""
  const elsewhere = asked.startsWith("again ") && form.contains(at) && asked !== `again ${at.name}`
  place = elsewhere ? { id: at.id, name: at.name, value: at.value } : null
})

document.addEventListener("htmx:after:swap", event => {
  if (!event.detail.ctx.sourceElement?.matches(".chat-form")) return
  settle(forms())
  due = held
  held = null
})

// Only now does htmx know the new form, and takes it for one that asks for nothing.
document.addEventListener("htmx:finally:request", event => {
  const source = event.detail.ctx.sourceElement
  if (!source?.matches(".chat-form")) return
  running.delete(source)
  const button = due && button_of(forms(), due)
  due = null
  if (button) setTimeout(() => button.click())
})

const button_of = (form, { name, value }) =>
  [...form.querySelectorAll("button")].find(one => one.name === name && one.value === value && !one.disabled)

function settle(form) {
  const went = place && (document.getElementById(place.id) ?? button_of(form, place))
  place = null
  const id = went ? "" : form?.dataset.focusOn
  went?.focus()
  if (!id) return preview.follow()
  const found = document.getElementById(id)
  const usable = found?.disabled ? found.closest(".row-tools").querySelector("button:not(:disabled)") : found
  const row = usable?.matches("li, section, .span")
  const first = row ? usable.querySelector("input:not([type=hidden]), select, textarea") : null
  ;(first ?? usable)?.focus()
  preview.follow()
}

// The preview: its page is loaded anew with what was typed, kept by the server under a name for some minutes.
const preview = {
  aside: document.querySelector(".chat-preview"),
  draft: "",
  timer: 0,
  follow() {
    if (!this.aside) return
    clearTimeout(this.timer)
    this.timer = setTimeout(() => this.send(), 350)
  },
  async send() {
    const form = forms()
    const body = new FormData(form)
    body.set("do", "preview")
    body.set("draft", this.draft)
    const answer = await fetch(form.action, { method: "POST", body })
    if (!answer.ok) return
    this.draft = await answer.text()
    this.show()
  },
  show() {
    const frame = this.aside.querySelector("iframe")
    const url = new URL(this.aside.dataset.preview, location.href)
    url.searchParams.set("draft", this.draft)
    for (const name of ["language", "scheme"]) url.searchParams.set(name, this.aside.querySelector(`[data-preview-${name}]`).value)
    for (const name of ["shows", "invitation"]) if (this.aside.dataset[name]) url.searchParams.set(name, this.aside.dataset[name])
    frame.contentWindow.location.replace(url) // not a step of the browser's history
  },
}

if (preview.aside) {
  const { aside } = preview
  document.addEventListener("input", event => event.target.closest(".chat-form") && preview.follow())
  for (const name of ["language", "scheme"]) aside.querySelector(`[data-preview-${name}]`).addEventListener("change", () => preview.show())
  aside.querySelector("[data-preview-width]").addEventListener("change", event => (aside.dataset.width = event.target.value))
}
