// @ in a note: colleagues who see the ticket, and teams. What stands in the note afterwards is their name; the server
// finds it there.
import { chosen, folded, open, walk } from "./popovers.js"
import { spot, surface } from "./surface.js"

const byId = id => document.getElementById(id)
const box = () => byId("mention-box")
const isOpen = () => box()?.matches(":popover-open")
const SIGN = /(?:^|[^\p{L}\p{N}@.])@([^@\n]{0,40})$/u
const isNote = form => form.querySelector("[name=kind]:checked")?.value === "note"
let given = null // what Esc was pressed at
let taken = null // the line up to the name that was taken last, until something is typed

async function show(form, query) {
  if (!isOpen()) open(box(), spot(form))
  if (!byId("mention-list").childElementCount) {
    const answer = await fetch(box().dataset.url, { headers: { "HX-Request": "true" } })
    if (!answer.ok || !isOpen()) return close()
    byId("mention-list").innerHTML = await answer.text()
  }
  const wanted = folded(query)
  const options = [...byId("mention-list").querySelectorAll("[role=option]")]
  for (const option of options) {
    const name = folded(option.dataset.name)
    option.hidden = !(name.startsWith(wanted) || name.split(/\s+/).some(word => word.startsWith(wanted)))
    option.setAttribute("aria-selected", "false")
  }
  if (options.length && options.every(option => option.hidden)) return close()
  walk(byId("mention-list"), 0, byId("text"))
  open(box(), spot(form))
}

function close() {
  if (!isOpen()) return
  box().hidePopover()
  byId("text")?.removeAttribute("aria-activedescendant")
}

function take(option) {
  const form = byId("composer")
  const typed = SIGN.exec(surface(form).before() ?? "")?.[1].length ?? 0
  close()
  surface(form).insert({ text: `${option.dataset.name} ` }, typed)
  taken = surface(form).before()
}

// A name brings the space after it: one that is typed nevertheless is the same one.
document.addEventListener("beforeinput", event => {
  if (event.target.id !== "text" || taken === null) return
  if (event.data === " " && surface(event.target.form).before() === taken) event.preventDefault()
  taken = null
})

document.addEventListener("input", event => {
  if (event.target.id !== "text") return
  const form = event.target.form
  const match = box() && isNote(form) && SIGN.exec(surface(form).before() ?? "")
  if (match && match[1] !== given && !match[1].endsWith("  ")) show(form, match[1])
  else close()
  if (!match) given = null
})

document.addEventListener("keydown", event => {
  if (!isOpen() || event.target.id !== "text" || event.isComposing) return
  const step = { ArrowDown: 1, ArrowUp: -1 }[event.key]
  if (step) walk(byId("mention-list"), step, event.target)
  else if (event.key === "Escape") {
    given = SIGN.exec(surface(event.target.form).before() ?? "")?.[1] ?? null
    close()
  } else if ((event.key === "Enter" || event.key === "Tab") && !event.ctrlKey && !event.metaKey && chosen(byId("mention-list"))) take(chosen(byId("mention-list")))
  else return
  event.preventDefault()
  event.stopPropagation()
}, true)

document.addEventListener("click", event => {
  const option = event.target.closest("#mention-list [role=option]")
  if (option) take(option)
  else if (!event.target.closest("#text")) close()
})
document.addEventListener("change", event => event.target.matches?.("#composer [name=kind]") && close())
