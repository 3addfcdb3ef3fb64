// Keys pressed while what was asked for is still on its way are meant for what comes: they are held, and pressed once it
// is there. As shortcuts of what stands there now they would do something else (an "e" solves). If it does not come, they
// are dropped; Escape drops them, too.
const FETCHED = ["conversation", "sheet", "list"]
const HELD = ["Enter", "Backspace", "ArrowDown", "ArrowUp"]
const coming = new Set() // the requests
let held = []

const asks = ({ request, target, sourceElement }) =>
  request.method.toUpperCase() === "GET" && (FETCHED.includes(target?.id) || Boolean(sourceElement?.matches?.("form.fact-edit")))
const isField = element => element.isContentEditable || element.matches("textarea, select, input:not([type=radio], [type=checkbox])")

document.addEventListener("htmx:before:request", ({ detail }) => asks(detail.ctx) && coming.add(detail.ctx))

document.addEventListener("htmx:finally:request", ({ detail: { ctx } }) => {
  if (!coming.has(ctx)) return
  // Once the focus is where it goes: that takes a turn.
  setTimeout(() => {
    coming.delete(ctx)
    if (coming.size) return
    const keys = held
    held = []
    if (ctx.status === "swapped" && ctx.response.status < 400) press(keys)
  })
})

// The last of them may ask for something again: what follows waits for that.
function press(keys) {
  while (keys.length && !coming.size) once(keys.shift())
  held = keys
}

function once(init) {
  const at = document.activeElement ?? document.body
  if (!at.dispatchEvent(new KeyboardEvent("keydown", { ...init, bubbles: true, cancelable: true }))) return
  const { key } = init
  if (!isField(at)) return void (key === "Enter" && at.click())
  if (key.length === 1) document.execCommand("insertText", false, key)
  else if (key === "Backspace") document.execCommand("delete")
  else if (key === "Enter" && at.matches("input")) at.form?.requestSubmit()
  else if (key === "Enter" && at.matches("textarea")) document.execCommand("insertText", false, "\n")
}

addEventListener("keydown", event => {
  if (!coming.size || !event.isTrusted || event.isComposing) return
  const { key, code, ctrlKey, metaKey, altKey, shiftKey } = event
  if (key === "Escape") return void (held = [])
  const combined = ctrlKey || metaKey || altKey
  if (isField(event.target) || (key.length > 1 ? !HELD.includes(key) : combined)) return
  held.push({ key, code, ctrlKey, metaKey, altKey, shiftKey })
  event.preventDefault()
  event.stopImmediatePropagation()
}, true)
