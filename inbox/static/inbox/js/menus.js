// Menus are <details>: one open at a time, closed by Esc, by a click elsewhere, and once their form is sent.
const open = () => document.querySelectorAll("details.menu[open]")

export function close(menu, focus = false) {
  menu.open = false
  if (focus) menu.querySelector("summary").focus()
}

export function show(menu) {
  if (!menu) return
  menu.open = true
  menu.querySelector(".panel :is(button, input:not([type=hidden]), a, select)")?.focus()
}

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
  const options = [...menu.querySelectorAll(".option")]
  const at = options.indexOf(document.activeElement)
  const next = options.at(event.key === "ArrowDown" ? (at + 1) % options.length : at - 1)
  if (next && !event.target.matches("input, select")) {
    event.preventDefault()
    next.focus()
  }
}, true)

// The form of a menu was sent: close it, and give the focus back to what opened it.
document.addEventListener("htmx:before:request", event => {
  const menu = event.target.closest?.("details.menu")
  if (menu) close(menu, true)
})

document.addEventListener("focusin", event => {
  const zones = event.target.matches?.("[list=zones]") && document.getElementById("zones")
  if (!zones || zones.childElementCount) return
  zones.append(...Intl.supportedValuesOf("timeZone").map(zone => new Option(zone, zone)))
})
