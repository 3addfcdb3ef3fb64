// A small box of emoji, fetched when it is first opened: typed for, or walked through by the arrows.
import { folded, open } from "./popovers.js"
import { surface } from "./surface.js"

const box = () => document.getElementById("emoji-box")
const shown = () => [...box().querySelectorAll("[data-sign]:not([hidden])")]

async function show(button) {
  if (!box().childElementCount) {
    const answer = await fetch(box().dataset.url, { headers: { "HX-Request": "true" } })
    if (!answer.ok) return
    box().innerHTML = await answer.text()
  }
  const search = document.getElementById("emoji-search")
  search.value = ""
  filter("")
  open(box(), button.getBoundingClientRect())
  search.focus()
}

function filter(query) {
  const words = folded(query).split(/\s+/).filter(Boolean)
  for (const one of box().querySelectorAll("[data-sign]")) {
    const name = folded(one.getAttribute("aria-label"))
    one.hidden = !words.every(word => name.split(/[\s,]+/).some(part => part.startsWith(word)))
  }
  box().querySelector(".none").hidden = shown().length > 0
}

function take(one) {
  const form = document.getElementById("composer")
  box().hidePopover()
  surface(form).focus()
  surface(form).insert({ text: one.dataset.sign })
}

document.addEventListener("input", event => event.target.id === "emoji-search" && filter(event.target.value))
document.addEventListener("click", event => {
  const button = event.target.closest("[data-emoji]")
  if (button) return void show(button)
  const one = event.target.closest("#emoji-list [data-sign]")
  if (one) take(one)
})
document.addEventListener("keydown", event => {
  if (!event.target.closest?.("#emoji-box") || event.isComposing) return
  const all = shown()
  if (event.key === "Enter") {
    event.preventDefault()
    event.stopPropagation()
    const one = event.target.dataset.sign ? event.target : all[0]
    return void (one && take(one))
  }
  const columns = getComputedStyle(document.getElementById("emoji-list")).gridTemplateColumns.split(" ").length
  const rtl = getComputedStyle(box()).direction === "rtl" ? -1 : 1
  const step = { ArrowRight: rtl, ArrowLeft: -rtl, ArrowDown: columns, ArrowUp: -columns }[event.key]
  const inSearch = event.target.id === "emoji-search"
  if (!step || (inSearch && event.key !== "ArrowDown")) return
  event.preventDefault()
  const at = inSearch ? 0 : all.indexOf(event.target) + step
  if (at < 0) document.getElementById("emoji-search").focus()
  else all[Math.min(at, all.length - 1)]?.focus()
}, true)
