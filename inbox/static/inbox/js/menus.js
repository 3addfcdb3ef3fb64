// Menus are <details>: one open at a time, closed by Esc, by a click elsewhere, and once their form is sent.
const CONTROLS = ".panel :is(button, input:not([type=hidden]), a, select, textarea)"
const open = () => document.querySelectorAll("details.menu[open]")

export function close(menu, focus = false) {
  menu.open = false
  if (focus) menu.querySelector("summary").focus()
}

export function show(menu) {
  if (!menu) return
  menu.open = true
  menu.querySelector(CONTROLS)?.focus()
}

// Whatever opened it: a menu that begins with a field is there to be written in, and letters are no shortcuts then. A finger
// is not offered a keyboard that covers the choices below the field.
document.addEventListener("toggle", event => {
  const menu = event.target
  if (!menu.matches?.("details.menu[open]") || !matchMedia("(hover: hover)").matches) return
  const at = document.activeElement
  if (at !== document.body && at !== menu.querySelector("summary")) return
  const [first] = [...menu.querySelectorAll(CONTROLS)].filter(control => control.checkVisibility())
  if (first?.matches("input[type=text], input[type=search], input:not([type]), textarea")) first.focus()
}, true)

// The composer grows as it takes the focus, and what is pressed at its head would have moved before it is let go.
document.addEventListener("mousedown", event => {
  const summary = event.target.closest?.("#composer summary")
  if (!summary || summary.closest("#composer").contains(document.activeElement)) return
  event.preventDefault()
  summary.addEventListener("click", () => summary.focus(), { once: true })
})

document.addEventListener("click", event => {
  for (const menu of open()) if (!menu.contains(event.target)) close(menu)
  const opener = event.target.closest("[data-open]")
  if (opener) document.getElementById(opener.dataset.open).showModal()
  const drawer = event.target.closest("[popover]:popover-open")
  if (drawer && event.target.closest("a")) drawer.hidePopover()
})

document.addEventListener("keydown", event => {
  const menu = event.target.closest?.("details.menu[open]")
  if (!menu) return
  if (event.key === "Escape") {
    event.stopPropagation()
    event.preventDefault()
    close(menu, true)
  }
  if (event.key !== "ArrowDown" && event.key !== "ArrowUp") return
  const options = [...menu.querySelectorAll(".option")].filter(option => option.checkVisibility())
  const at = options.indexOf(document.activeElement)
  const next = options.at(event.key === "ArrowDown" ? (at + 1) % options.length : at - 1)
  if (next && !event.target.matches("input, select")) {
    event.preventDefault()
    next.focus()
  }
}, true)

// Typing goes to the option whose name, or a word of it, begins so; where none does, to the menu's own button, so that
// Enter never takes what was not meant.
let typed = "" // within the last second
let typedAt = 0
let typedIn = null // the menu
const folded = text => text.normalize("NFD").replace(/\p{M}/gu, "").toLowerCase()
const nameOf = option => folded((option.querySelector(".truncate") ?? option.lastChild).textContent.trim())
const begins = name => name.startsWith(typed) || name.split(/[\s-]+/u).some(word => word.startsWith(typed))

// (That a menu was opened is told only after what is typed at once.)
document.addEventListener("toggle", event => event.target === typedIn && !typedIn.open && (typed = ""), true)
document.addEventListener("keydown", event => {
  const menu = event.target.closest?.("details.menu[open]")
  if (!menu || event.target.matches("input, select, textarea") || event.isComposing) return
  if (event.key.length !== 1 || event.ctrlKey || event.metaKey || event.altKey) return
  const goesOn = menu === typedIn && Date.now() - typedAt < 1000
  if (event.key === " " && !(goesOn && typed)) return
  const options = [...menu.querySelectorAll(".option")].filter(option => option.checkVisibility())
  if (!options.length) return
  event.preventDefault() // no shortcut meanwhile, and no click by a space within a name
  event.stopPropagation()
  typed = (goesOn ? typed : "") + folded(event.key)
  typedAt = Date.now()
  typedIn = menu
  const found = options.find(option => nameOf(option).startsWith(typed)) ?? options.find(option => begins(nameOf(option)))
  ;(found ?? menu.querySelector("summary")).focus()
}, true)

// The form of a menu was sent: close it, and give the focus back to what opened it.
document.addEventListener("htmx:before:request", event => {
  const menu = event.target.closest?.("details.menu")
  if (menu?.open && !event.target.matches("[data-stays] *:not(form), [data-stays]")) close(menu, true)
})

document.addEventListener("focusin", event => {
  const zones = event.target.matches?.("[list=zones]") && document.getElementById("zones")
  if (!zones || zones.childElementCount) return
  zones.append(...Intl.supportedValuesOf("timeZone").map(zone => new Option(zone, zone)))
})
