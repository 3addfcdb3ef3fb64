// Ctrl+K: every action of this page and every place, found by typing. Actions are what the page itself offers: the
// options of its menus and its buttons, so that nothing has to be listed twice.
/* global htmx */
import { show } from "./menus.js"

const dialog = document.getElementById("palette")
const input = document.getElementById("palette-input")
const list = document.getElementById("palette-list")
const shape = document.getElementById("palette-option").content.firstElementChild
const MOST = 40

let places // asked for once a page
let found = [] // by the server, for what is typed
let offered = [] // what the list shows, in its order
let back = null // where the focus was

const folded = text => text.normalize("NFD").replace(/\p{M}/gu, "").toLowerCase()
const nameOf = element => (element.dataset.command || element.getAttribute("aria-label") || element.querySelector(".truncate")?.textContent || element.textContent).replace(/\s+/g, " ").trim()
const visible = element => element.closest("details:not([open])") ? true : element.checkVisibility?.() ?? true

// Buttons and options that the page offers now, each with the menu it stands in.
function actions() {
  const all = document.querySelectorAll(".head-actions :is(.option, .segment, .button, .icon-button), .composer :is(.tab, .button), [data-command], .rail-link, .bulk:not([hidden]) :is(.option, .button)")
  return [...all].filter(element => !element.disabled && !element.matches("[data-no-command], [aria-current=true]") && visible(element)).map(element => {
    const menu = element.closest("details.menu")
    const summary = menu?.querySelector("summary")
    const heading = summary && summary !== element ? (summary.querySelector(".visually-hidden")?.textContent ?? nameOf(summary)) : ""
    return { label: nameOf(element), group: heading, icon: element.querySelector("svg, .avatar"), key: element.dataset.key ?? menu?.dataset.key ?? "", run: () => perform(element) }
  }).filter(one => one.label)
}

// Inputs within a menu want to be typed into: then its menu opens. Everything else is clicked.
function perform(element) {
  const menu = element.closest("details.menu")
  if (element.matches("input, select")) {
    show(menu)
    return element.focus()
  }
  element.click()
}

const read = html => {
  const template = document.createElement("template")
  template.innerHTML = html
  return [...template.content.querySelectorAll("a")].map(link => ({ label: link.dataset.label, group: link.dataset.group, icon: link.querySelector("svg"), key: link.dataset.key ?? "", run: () => go(link.getAttribute("href")) }))
}

// Beside the list a ticket opens in its pane, a view in its own; other places are other pages.
function go(url) {
  const path = new URL(url, location.href).pathname
  const target = document.getElementById("conversation") && (/^\/tickets\/\d+\/$/.test(path) ? "#conversation" : path === "/" && "#list")
  if (!target) return void (location.href = url)
  htmx.ajax("GET", url, { source: dialog, target, swap: "innerHTML", push: url }).then(() => document.getElementById("main")?.focus())
}

async function ask(query = "") {
  const answer = await fetch(`${dialog.dataset.url}${query && `?q=${encodeURIComponent(query)}`}`, { headers: { "HX-Request": "true" } })
  return answer.ok ? read(await answer.text()) : []
}

// How well what is typed fits a name: from its beginning, from the beginning of a word, within it, or not at all.
function fits(one, words) {
  const text = folded(`${one.label} ${one.group}`)
  let worst = 3
  for (const word of words) {
    const at = text.indexOf(word)
    if (at < 0) return 0
    worst = Math.min(worst, at === 0 ? 3 : /[\s·]/.test(text[at - 1]) ? 2 : 1)
  }
  return worst
}

function render() {
  const words = folded(input.value).split(/\s+/).filter(Boolean)
  const known = [...actions(), ...(places ?? [])]
  const ranked = known.map(one => ({ one, rank: words.length ? fits(one, words) : 1 })).filter(({ rank }) => rank)
  ranked.sort((a, b) => b.rank - a.rank)
  offered = [...ranked.map(({ one }) => one), ...(words.length ? found : [])].slice(0, MOST)
  list.replaceChildren(...offered.map((one, at) => {
    const option = shape.cloneNode(true)
    option.id = `palette-${at}`
    if (one.icon) option.querySelector(".palette-icon").append(one.icon.cloneNode(true))
    option.querySelector(".truncate").textContent = one.label
    option.querySelector(".palette-group").textContent = one.group ?? ""
    const key = option.querySelector("kbd")
    key.textContent = one.key
    key.hidden = !one.key
    return option
  }))
  document.getElementById("palette-none").hidden = offered.length > 0
  choose(0)
}

function choose(at) {
  const options = [...list.children]
  const next = options[Math.min(Math.max(at, 0), options.length - 1)]
  for (const option of options) option.setAttribute("aria-selected", String(option === next))
  input.setAttribute("aria-activedescendant", next?.id ?? "")
  next?.scrollIntoView({ block: "nearest" })
}
const chosen = () => [...list.children].findIndex(option => option.getAttribute("aria-selected") === "true")

function run(at) {
  const one = offered[at]
  if (!one) return
  dialog.close()
  one.run()
}

export async function open() {
  if (dialog.open) return
  back = document.activeElement
  input.value = ""
  found = []
  dialog.showModal()
  render()
  places ??= await ask().catch(() => undefined)
  if (dialog.open) render()
}

let timer
input.addEventListener("input", () => {
  render()
  clearTimeout(timer)
  const query = input.value.trim()
  timer = setTimeout(async () => {
    const answer = query ? await ask(query).catch(() => []) : []
    if (query !== input.value.trim()) return
    const at = chosen()
    found = answer
    render()
    if (at > 0) choose(at)
  }, 150)
})
input.addEventListener("keydown", event => {
  if (event.isComposing) return
  const step = { ArrowDown: 1, ArrowUp: -1, PageDown: 8, PageUp: -8 }[event.key]
  if (step) choose(chosen() + step)
  else if (event.key === "Enter") run(chosen())
  else return
  event.preventDefault()
})
list.addEventListener("click", event => run([...list.children].indexOf(event.target.closest("[role=option]"))))
dialog.addEventListener("close", () => back?.isConnected && document.activeElement === document.body && back.focus({ preventScroll: true }))
document.addEventListener("keydown", event => {
  if (event.key.toLowerCase() !== "k" || !(event.ctrlKey || event.metaKey) || event.altKey || event.shiftKey || document.querySelector("dialog[open]")) return
  event.preventDefault()
  open()
})
