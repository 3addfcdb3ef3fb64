// Which chat is before the agent: keys that lead from one to another, tabs on a phone, and the number in the title.
import { surface } from "../../inbox/js/surface.js"

const desk = document.getElementById("desk")
const tabs = document.getElementById("desk-tabs")
const plain = document.title
const chats = () => [...document.querySelectorAll("#main > .chat")]
export const current = () => document.activeElement?.closest?.(".chat") ?? document.querySelector(".chat.is-shown")
export const isNear = chat => {
  const { left, right } = chat.getBoundingClientRect()
  return chat.checkVisibility() && right > 0 && left < innerWidth
}

// On a phone one stands there at a time.
function show(pane) {
  desk.dataset.pane = pane
  for (const chat of chats()) chat.classList.toggle("is-shown", chat.dataset.ticket === pane)
  for (const tab of tabs.children) tab.setAttribute("aria-pressed", String(tab.dataset.tab === pane))
}

export function focus(chat) {
  show(chat.dataset.ticket)
  const form = chat.querySelector(".chat-composer")
  if (form?.checkVisibility()) surface(form).focus()
  else chat.focus({ preventScroll: true })
  chat.scrollIntoView({ block: "nearest", inline: "nearest" })
  const list = chat.querySelector(".lines")
  if (chat.querySelector("[data-newest]").hidden) list.scrollTop = list.scrollHeight
}

// Tabs and title say what stands there now.
export function arrange() {
  const all = chats()
  const wanted = all.map(chat => {
    const tab = tabs.querySelector(`[data-tab="${chat.dataset.ticket}"]`) ?? Object.assign(document.createElement("button"), { type: "button", className: "desk-tab" })
    tab.dataset.tab = chat.dataset.ticket
    const name = Object.assign(document.createElement("span"), { className: "truncate", textContent: chat.querySelector(".chat-title h2").textContent })
    const clock = chat.querySelector(".chat-head > .clock")?.cloneNode(true)
    tab.replaceChildren(name, ...(clock ? [clock] : []))
    tab.classList.toggle("has-news", chat.matches(".has-news"))
    return tab
  })
  tabs.replaceChildren(tabs.firstElementChild, ...wanted)
  const pane = desk.dataset.pane
  const there = pane === "rail" || all.some(chat => chat.dataset.ticket === pane)
  show(there ? pane : current()?.dataset.ticket ?? (all.length ? all[0].dataset.ticket : "rail"))
  const waiting = Number(document.querySelector("[data-waiting]")?.dataset.waiting ?? 0)
  document.getElementById("tab-waiting").textContent = waiting || ""
  const news = waiting + all.filter(chat => chat.matches(".has-news")).length
  document.title = news ? `(${new Intl.NumberFormat(document.documentElement.lang).format(news)}) ${plain}` : plain
}

tabs.addEventListener("click", event => {
  const tab = event.target.closest("[data-tab]")
  if (!tab) return
  const chat = document.getElementById(`chat-${tab.dataset.tab}`)
  show(tab.dataset.tab)
  if (chat) chat.querySelector(".lines").scrollTop = chat.querySelector(".lines").scrollHeight
})

function step(by) {
  const all = chats()
  if (!all.length) return
  const at = all.indexOf(current())
  focusOnly(all[Math.min(Math.max(at < 0 ? 0 : at + by, 0), all.length - 1)])
}
// Without the field to write in: the next key is a shortcut.
function focusOnly(chat) {
  show(chat.dataset.ticket)
  chat.focus({ preventScroll: true })
  chat.scrollIntoView({ block: "nearest", inline: "nearest" })
}

function press(chat, key) {
  const found = [...(chat?.querySelectorAll(`[data-desk-key="${CSS.escape(key)}"]`) ?? [])].find(one => one.matches("details") || one.checkVisibility() || key === "o")
  if (!found) return false
  if (!found.matches("details")) found.click()
  else {
    found.open = true
    found.querySelector("summary").focus()
  }
  return true
}

const typing = element => element.isContentEditable || element.matches("input:not([type=radio], [type=checkbox]), textarea, select")
const keys = {
  j: () => step(1),
  k: () => step(-1),
  r: () => current() && (focus(current()), true),
  a: () => (document.querySelector("#desk-rail form[data-accepts] button")?.click(), true),
}
let led = 0 // when g was pressed: what comes next is a place
document.addEventListener("keydown", event => {
  if (event.defaultPrevented || event.ctrlKey || event.metaKey || document.querySelector("dialog[open]")) return
  const digit = /^Digit([1-9])$/.exec(event.code)?.[1]
  if (digit && (event.altKey || !typing(event.target)) && !event.shiftKey) {
    const chat = chats()[Number(digit) - 1]
    if (!chat) return
    event.preventDefault()
    event.stopPropagation()
    return focus(chat)
  }
  if (event.altKey || typing(event.target) || event.target.closest?.("details.menu[open] .panel")) return
  const key = event.key.length === 1 ? event.key.toLowerCase() : event.key
  if (key === "g") return void (led = Date.now())
  if (Date.now() - led < 1500) return void (led = 0)
  const did = Object.hasOwn(keys, key) ? keys[key]() !== false : press(current(), key)
  if (!did) return
  event.preventDefault()
  event.stopPropagation()
}, true)
