// Fields beside the text that only the channel's kind has, such as a template: what they say is kept with the draft.
/* global htmx */
const panelOf = form => form.querySelector("#option-panel")
const fields = form => [...(panelOf(form)?.querySelectorAll("[name^='option.']") ?? [])]
const isOn = field => !["radio", "checkbox"].includes(field.type) || field.checked
const inOrder = said => Object.fromEntries(Object.entries(said).sort())
const awaited = new WeakMap() // by form: what a draft says in fields that are on their way from the server
const asking = new WeakSet()

// A choice of one out of several always says something: `alone`, it is nothing that anybody has written.
export function said(form, alone) {
  if (awaited.has(form)) return awaited.get(form)
  const filled = fields(form).filter(field => isOn(field) && field.value.trim())
  if (alone && filled.every(field => ["radio", "hidden"].includes(field.type))) return {}
  return inOrder(Object.fromEntries(filled.map(field => [field.name, field.value])))
}

// What a draft says goes back into them as the server draws them: it leaves out what can be chosen no more. Who reads it
// stands there at once: it may be sent before the server has answered, or the server be out of reach.
export function put(form, options) {
  awaited.delete(form)
  const wanted = inOrder(options)
  for (const field of fields(form)) if (field.type === "radio" && !field.disabled && field.value === wanted[field.name]) field.checked = true
  if (asking.has(form) || JSON.stringify(said(form)) !== JSON.stringify(wanted)) awaited.set(form, wanted)
  ask(form)
}

async function ask(form) {
  const panel = panelOf(form)
  const wanted = awaited.get(form)
  if (!wanted || !panel || asking.has(form)) return
  const address = new URL(panel.dataset.url, location)
  const channel = form.elements.namedItem("channel")?.value
  if (channel && address.searchParams.get("channel") !== channel) return // that of this channel is still to come
  for (const [name, value] of Object.entries(wanted)) address.searchParams.set(name, value)
  asking.add(form)
  try {
    await htmx.ajax("GET", address.pathname + address.search, { source: panel, target: panel, select: "#option-panel", swap: "outerHTML" })
  } finally {
    asking.delete(form)
    if (awaited.get(form) !== wanted) ask(form) // another draft came meanwhile
    else if (panelOf(form) !== panel || !Object.keys(wanted).length) awaited.delete(form) // else it is asked for again once the connection is back
  }
}

const askAll = () => document.querySelectorAll("form[data-draft]").forEach(ask)
document.addEventListener("htmx:after:swap", askAll)
document.addEventListener("rabta:online", askAll)
// Whoever chooses something goes on without what has not come.
document.addEventListener("input", ({ target, isTrusted }) => isTrusted && target.closest?.("#option-panel, [name=channel]") && awaited.delete(target.form))

// Some of them fill gaps in a text that stands there: what is typed shows in it at once.
document.addEventListener("input", ({ target }) => {
  const gap = target.dataset?.fills
  if (!gap) return
  const said = target.value.split(/\s+/).filter(Boolean).join(" ") // as it will be sent
  for (const one of target.closest("form").querySelectorAll(`[data-slot="${CSS.escape(gap)}"]`)) {
    one.textContent = said || one.dataset.shown
    one.toggleAttribute("data-filled", Boolean(said))
  }
})
