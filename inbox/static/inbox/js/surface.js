// What is being written in: the plain field `text` of a form, or an editor that took its place. Drafts, macros and all
// else that reads or writes what somebody types ask the surface, and need not know which one it is. Whatever the surface,
// the form's fields `text` and `html` always say the same as it, and an `input` event tells of each change.
const editors = new WeakMap()
const field = (form, name) => form.elements.namedItem(name)

// An editor takes over a form: it has get, set, focus, insert, lock and before as below. Without one: the plain field again.
export function use(form, editor) {
  editor ? editors.set(form, editor) : editors.delete(form)
}
export const isRich = form => editors.has(form)

export function changed(form) {
  field(form, "text").dispatchEvent(new Event("input", { bubbles: true }))
}

// A draft goes on at its end, or where somebody left the cursor.
const entered = new WeakSet()
document.addEventListener("focusin", event => entered.add(event.target))
function enter(area) {
  if (!entered.has(area)) area.setSelectionRange(area.value.length, area.value.length)
  area.focus()
}

const plain = form => ({
  get: () => ({ text: field(form, "text").value, html: field(form, "html")?.value ?? "" }),
  // Everything at once; nobody is told.
  set({ text = "", html = "" }) {
    field(form, "text").value = text
    if (field(form, "html")) field(form, "html").value = html
  },
  focus: () => enter(field(form, "text")),
  // In place of the selection and of `back` characters before it; what is written there can be taken back by Ctrl+Z.
  insert({ text }, back = 0) {
    const area = field(form, "text")
    enter(area)
    area.setSelectionRange(Math.max(0, area.selectionStart - back), area.selectionEnd)
    if (text ? document.execCommand("insertText", false, text) : document.execCommand("delete")) return
    area.setRangeText(text, area.selectionStart, area.selectionEnd, "end")
    changed(form)
  },
  lock: on => (field(form, "text").readOnly = on),
  // The line up to the cursor, for what begins with a sign (/, @); null while something is selected.
  before() {
    const area = field(form, "text")
    if (area.selectionStart !== area.selectionEnd) return null
    return area.value.slice(0, area.selectionStart).split("\n").at(-1)
  },
})

// Where a list for what is being typed opens: at the cursor, else at the field, or the form while an editor takes its place.
export function spot(form) {
  const area = field(form, "text")
  return surface(form).at?.() ?? (area.checkVisibility() ? area : form).getBoundingClientRect()
}

export const surface = form => editors.get(form) ?? plain(form)

// Typed in the plain field: it is what counts, and formatting that a draft brought along is none of it.
document.addEventListener("input", event => {
  const form = event.target.form
  if (event.target.name === "text" && form && !isRich(form) && field(form, "html")) field(form, "html").value = ""
})
