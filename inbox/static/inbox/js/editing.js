// What is changed where it stands: the form takes the focus, Esc leaves it as it was, and the focus comes back.
/* global htmx */
let back = "" // id of what the focus returns to

const editor = element => element?.closest?.("[data-editing]")

function leave(form) {
  back = form.id
  if (form.dataset.shown) htmx.ajax("GET", form.dataset.shown, { source: form, target: `#${form.id}`, swap: "outerHTML" })
}

document.addEventListener("keydown", event => {
  const form = editor(event.target)
  if (event.key !== "Escape" || !form?.dataset.shown || event.isComposing) return
  event.preventDefault() // neither the list nor a drawer
  event.stopPropagation()
  leave(form)
}, true)

document.addEventListener("click", event => {
  if (event.target.closest("[data-leave]")) leave(editor(event.target))
  const keeps = event.target.closest("[data-keeps]")
  if (!keeps) return
  document.getElementById(keeps.dataset.keeps).dataset.kept = "" // a change elsewhere does not fold it up again
  keeps.hidden = true
})

document.addEventListener("htmx:before:request", event => {
  const form = editor(event.target)
  if (form?.id && event.target.matches("form")) back = form.id
})

const met = new WeakSet() // of fields: no attribute, which a morph would take away, and then what is typed be selected

document.addEventListener("htmx:after:swap", () => {
  const fresh = selector => [...document.querySelectorAll(selector)].find(one => !met.has(one))
  const field = fresh("[data-editing] [autofocus]") ?? (document.querySelector("[data-editing] [autofocus]") ? null : fresh("[data-editing] input[type=checkbox]"))
  if (field) {
    met.add(field)
    field.focus()
    if (field.matches("input:not([type=checkbox])")) field.select()
    return
  }
  const place = back && document.getElementById(back)
  if (!place || "editing" in place.dataset) return
  back = ""
  const folded = place.closest("details:not([open])")
  ;(folded?.querySelector("summary") ?? place.querySelector("button"))?.focus()
})
