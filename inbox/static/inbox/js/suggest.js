// A field with data-suggest offers what that address finds for what is typed: arrows choose, Enter or Tab takes, Esc lets
// go. With data-suggest-sends its form is sent with what was taken; else the field has changed. With data-suggest-takes
// Enter takes the only one that there is.
const list = document.createElement("ul")
list.id = "suggestions"
list.className = "suggestions"
list.role = "listbox"
list.popover = "manual" // above dialogs, too
document.body.append(list)

let field = null
let asked = 0
let timer

const options = () => [...list.children]
const chosen = () => list.querySelector("[aria-selected=true]")

// Where only somebody who is known will do, a word that one alone is called by means them; an address means itself.
const meant = () => ("suggestTakes" in field.dataset && list.childElementCount === 1 && !field.value.includes("@") ? list.firstElementChild : null)

function hide() {
  clearTimeout(timer)
  asked++
  if (list.matches(":popover-open")) list.hidePopover()
  field?.setAttribute("aria-expanded", "false")
  field?.removeAttribute("aria-activedescendant")
}

function place() {
  const box = field.getBoundingClientRect()
  const below = innerHeight - box.bottom > 220 || box.top < 220
  list.style.inlineSize = `${Math.max(box.width, 200)}px`
  list.style.left = `${Math.min(box.left, innerWidth - Math.max(box.width, 200) - 8)}px`
  list.style.top = below ? `${box.bottom + 4}px` : "auto"
  list.style.bottom = below ? "auto" : `${innerHeight - box.top + 4}px`
}

function choose(option) {
  chosen()?.removeAttribute("aria-selected")
  option?.setAttribute("aria-selected", "true")
  option ? field.setAttribute("aria-activedescendant", option.id) : field.removeAttribute("aria-activedescendant")
  option?.scrollIntoView({ block: "nearest" })
}

function take(option) {
  const into = field
  into.value = option.dataset.value
  hide()
  into.dispatchEvent(new CustomEvent("suggest:taken", { bubbles: true, detail: option.dataset }))
  if ("suggestSends" in into.dataset) into.form.requestSubmit()
  else into.dispatchEvent(new Event("change", { bubbles: true }))
}

async function ask() {
  const mine = ++asked
  const at = new URL(field.dataset.suggest, location.href)
  at.searchParams.set("q", field.value)
  const answer = await fetch(at, { headers: { "HX-Request": "true" } }).catch(() => null)
  if (mine !== asked || !answer?.ok || document.activeElement !== field) return
  list.innerHTML = await answer.text()
  if (mine !== asked || !list.childElementCount) return hide()
  if (!list.matches(":popover-open")) list.showPopover()
  place()
  field.setAttribute("aria-expanded", "true")
}

document.addEventListener("focusin", event => {
  if (!event.target.matches?.("[data-suggest]")) return
  field = event.target
  const said = { role: "combobox", "aria-autocomplete": "list", "aria-controls": list.id, "aria-expanded": "false" }
  for (const [name, value] of Object.entries(said)) field.setAttribute(name, value)
})
document.addEventListener("input", event => {
  if (!event.target.matches?.("[data-suggest]")) return
  field = event.target
  clearTimeout(timer)
  timer = setTimeout(ask, 120)
})
document.addEventListener("focusout", event => event.target === field && hide())
document.addEventListener("scroll", () => list.matches(":popover-open") && place(), { capture: true, passive: true })

document.addEventListener("keydown", event => {
  if (event.target !== field || !field?.matches("[data-suggest]") || event.isComposing) return
  const open = list.matches(":popover-open")
  if (event.key === "ArrowDown" && !open) return void ask()
  if (!open) return
  if (event.key === "ArrowDown" || event.key === "ArrowUp") {
    const all = [...options(), null]
    const at = all.indexOf(chosen())
    choose(all.at((at + (event.key === "ArrowDown" ? 1 : -1)) % all.length))
  } else if ((event.key === "Enter" || event.key === "Tab") && chosen()) take(chosen())
  else if (event.key === "Enter" && meant()) take(meant())
  else if (event.key === "Escape") hide()
  else return
  if (event.key === "Tab") return
  event.preventDefault()
  event.stopImmediatePropagation()
}, true)

list.addEventListener("pointerdown", event => {
  event.preventDefault() // the field keeps the focus
  const option = event.target.closest("[role=option]")
  if (option) take(option)
})
