// Keys pressed while what was asked for is still on its way are meant for what comes: they are held, each for the one
// answer that it was meant for, and pressed once that is there. As shortcuts of what stands there now they would do
// something else (an "e" solves). If it does not come, they are dropped; Escape and whatever is clicked drop them, too.
const FETCHED = "#conversation, #sheet, #list, details[data-editor] > .panel"
const HELD = ["Enter", "Backspace", "ArrowDown", "ArrowUp"]
const coming = new Set() // the requests, in their order
let held = [] // { ctx, init }: the request and the key

const asks = ({ request, target, sourceElement }) =>
  request.method.toUpperCase() === "GET" && Boolean(target?.matches?.(FETCHED) || sourceElement?.matches?.("form.fact-edit"))
const isTicket = ({ target }) => target?.id === "conversation"
const isField = element => element.isContentEditable || element.matches("textarea, select, input:not([type=radio], [type=checkbox])")

// Press a key once what was just asked for is there.
export function hold(init) {
  if (coming.size) held.push({ ctx: awaited(), init })
}

// What was asked for last; but a ticket goes before all else: that is what most shortcuts act on.
function awaited() {
  const latest = [...coming].reverse()
  return latest.find(isTicket) ?? latest[0]
}

document.addEventListener("htmx:before:request", ({ detail: { ctx } }) => {
  if (!asks(ctx)) return
  // The last one asked for is shown, not the last one to come. (hx-sync forgets the second of three.)
  if (isTicket(ctx)) for (const other of coming) if (isTicket(other)) other.request.abort()
  coming.add(ctx)
})

document.addEventListener("htmx:finally:request", ({ detail: { ctx } }) => {
  if (!coming.has(ctx)) return
  // Once the focus is where it goes: that takes a turn.
  setTimeout(() => {
    coming.delete(ctx)
    if (ctx.status !== "swapped" || ctx.response.status >= 400) held = held.filter(one => one.ctx !== ctx)
    press()
  })
})

// One of them may ask for something again: what follows waits for that.
function press() {
  while (held.length && !coming.has(held[0].ctx)) {
    const before = coming.size
    once(held.shift().init)
    if (coming.size > before) for (const one of held) one.ctx = awaited()
  }
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
  // (Between the moment that the answer has the focus and the one in which what was held is pressed, more may come.)
  if ((isField(event.target) && !held.length) || (key.length > 1 ? !HELD.includes(key) : combined)) return
  hold({ key, code, ctrlKey, metaKey, altKey, shiftKey })
  event.preventDefault()
  event.stopImmediatePropagation()
}, true)

// The pointer goes elsewhere: what was typed was not meant for that. (Clicks made here are not trusted.)
for (const kind of ["pointerdown", "click", "popstate"]) addEventListener(kind, event => event.isTrusted && (held = []), true)
