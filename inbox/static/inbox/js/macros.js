// Macros: chosen by / at the start of a word, by the button, or from the ticket's menu. Their words go where the cursor
// is; what else they do is shown, and done together with the sending, or at once.
import { apply, chip } from "./deeds.js"
import { chosen, folded, open, walk } from "./popovers.js"
import { isRich, spot, surface } from "./surface.js"

const byId = id => document.getElementById(id)
const composer = () => byId("composer")
const box = () => byId("macro-box")
const isOpen = () => box()?.matches(":popover-open")
const SIGN = /(?:^|\s)\/([^\s/][^\n/]{0,39}|)$/u
let mode = "" // "sign": typed in the text; "button"; "menu": only to be applied
let opener = null
let loaded = ""

async function fetchAll() {
  const address = `${box().dataset.url}?channel=${encodeURIComponent(byId("way")?.value ?? "")}`
  if (loaded === address && byId("macro-list").childElementCount) return
  const answer = await fetch(address, { headers: { "HX-Request": "true" } })
  if (!answer.ok || !isOpen()) return
  const list = byId("macro-list")
  list.innerHTML = await answer.text()
  box().querySelector(":scope > .none:not([id])")?.remove()
  const none = list.querySelector(".none") // what says that there are none is no option among them
  if (none) list.parentElement.after(none)
  loaded = address
}

function filter(query) {
  const list = byId("macro-list")
  const words = folded(query).split(/\s+/).filter(Boolean)
  const options = [...list.querySelectorAll("[role=option]")]
  const named = option => folded(option.querySelector(".truncate").textContent)
  const said = option => folded(["text", "preview"].map(part => option.querySelector(`[data-${part}]`).content.textContent).join(" ")) // and what it does
  let found = 0
  for (const [index, option] of options.entries()) {
    option.dataset.at ??= index
    const name = named(option)
    const fits = (mode !== "menu" || "does" in option.dataset) && words.every(word => name.includes(word) || said(option).includes(word))
    option.hidden = !fits
    option.dataset.rank = words.length && words.every(word => name.includes(word)) ? 0 : 1
    found += fits
  }
  options.sort((a, b) => a.dataset.rank - b.dataset.rank || a.dataset.at - b.dataset.at).forEach(option => list.append(option))
  for (const option of options) option.setAttribute("aria-selected", "false")
  byId("macro-none").hidden = found > 0 || !options.length
  if (found) preview(walk(list, 0, field()))
  else byId("macro-preview").replaceChildren()
  return found
}

const field = () => (mode === "sign" ? composer()?.querySelector(".ProseMirror") ?? byId("text") : byId("macro-search"))

function preview(option) {
  byId("macro-preview").replaceChildren(option?.querySelector("[data-preview]").content.cloneNode(true) ?? "")
}

async function show(how, from, query = "") {
  if (!box()) return
  const fresh = !isOpen() || mode !== how
  mode = how
  box().dataset.mode = how
  opener = from
  if (fresh) open(box(), place(from))
  if (how !== "sign" && fresh) {
    byId("macro-search").value = query
    byId("macro-search").focus()
  }
  await fetchAll()
  if (!isOpen()) return
  const found = filter(how === "sign" ? query : byId("macro-search").value)
  if (how === "sign" && !found && query.includes(" ")) return close() // no name of a macro: a text goes on
  open(box(), place(from))
}

const place = from => (from instanceof Element ? from.getBoundingClientRect() : spot(composer()))

function close(back = false) {
  if (!isOpen()) return
  box().hidePopover()
  field()?.removeAttribute("aria-activedescendant")
  if (back && opener instanceof Element) opener.focus()
}

function take(option) {
  if (!option) return
  const form = composer()
  const name = option.querySelector(".truncate").textContent
  const deeds = [...option.querySelector("[data-preview]").content.querySelectorAll(".deeds li")].map(one => one.textContent)
  if (mode === "menu") {
    close(true)
    return apply(option.dataset.id)
  }
  const typed = mode === "sign" ? SIGN.exec(surface(form).before() ?? "")?.[1].length ?? -1 : -1
  const text = option.querySelector("[data-text]").content.textContent
  const html = isRich(form) ? option.querySelector("[data-html]").innerHTML : ""
  close()
  surface(form).insert({ text, html }, typed + 1)
  surface(form).focus()
  if (deeds.length) chip(form, { id: option.dataset.id, name, deeds: deeds.join(" · ") })
}

document.addEventListener("input", event => {
  const form = event.target.closest?.("#composer")
  if (!form) return
  if (event.target.id === "macro-search") return void filter(event.target.value)
  if (event.target.id !== "text") return
  const match = box() && SIGN.exec(surface(form).before() ?? "")
  if (match && form.querySelector("[data-macros]")) show("sign", null, match[1])
  else if (mode === "sign") close()
})

document.addEventListener("keydown", event => {
  if (!isOpen() || !event.target.closest?.("#composer") || event.isComposing) return
  const step = { ArrowDown: 1, ArrowUp: -1 }[event.key]
  if (step) preview(walk(byId("macro-list"), step, field()))
  else if (event.key === "Escape") close(true)
  else if ((event.key === "Enter" || event.key === "Tab") && !event.ctrlKey && !event.metaKey) {
    if (!chosen(byId("macro-list"))) return void (event.key === "Tab" && close())
    take(chosen(byId("macro-list")))
  } else return
  event.preventDefault()
  event.stopPropagation()
}, true)

document.addEventListener("click", event => {
  const form = composer()
  const option = event.target.closest("#macro-list [role=option]")
  if (option) return take(option)
  if (event.target.closest("#macro-box")) return
  const button = event.target.closest("[data-macros]")
  const menu = event.target.closest("[data-macros-menu]")
  if (button) return void (isOpen() ? close(true) : show("button", button))
  if (menu) {
    menu.closest("details.menu").open = false
    return void show("menu", menu.closest("details.menu").querySelector("summary"))
  }
  close()
})
document.addEventListener("pointermove", event => {
  const option = event.target.closest?.("#macro-list [role=option]")
  if (!option || option.getAttribute("aria-selected") === "true") return
  for (const one of byId("macro-list").children) one.setAttribute("aria-selected", String(one === option))
  preview(option)
})
