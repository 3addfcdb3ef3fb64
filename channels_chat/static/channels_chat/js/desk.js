// The chat desk: what comes in for each chat that stands there, and the rail beside them.
/* global htmx */
import { notice } from "../../inbox/js/htmx.js"
import { arrange, current, focus, isNear } from "./columns.js"
import { bring, chatOf, earlier, linesOf, missed, ticks, toEnd, types } from "./lines.js"
import "./offers.js"
import { play } from "./sound.js"
import { begin, chats, close, MOST, numbers, open, settle, words } from "./standing.js"
import * as wire from "./wire.js"
import { adopt } from "./writing.js"

// Heads and rail, asked for anew when something about them changed.
const stale = new Set()
let asking = 0
async function renew() {
  asking = 0
  for (const number of [...stale]) {
    stale.delete(number)
    if (!chatOf(number)) continue
    const url = `${words.url}${number}/head/`
    const answer = await htmx.ajax("GET", url, { source: "#live", swap: "none" }).then(() => true, () => false)
    if (!answer) stale.add(number)
  }
  await htmx.ajax("GET", `${words.rail}?open=${numbers().join(",")}`, { source: "#live", target: "#desk-rail", swap: "innerMorph" })
}
export function changed(number) {
  if (number) stale.add(number)
  asking ||= setTimeout(renew, 250)
}

document.addEventListener("htmx:response:error", event => {
  const number = /\/chats\/(\d+)\/head\/$/.exec(event.detail.ctx.request?.action ?? event.detail.ctx.response?.url ?? "")?.[1]
  if (number && event.detail.ctx.response.status === 404) {
    notice(words.wordsLost)
    close(Number(number))
  }
})

document.addEventListener("htmx:after:swap", () => {
  for (const chat of chats()) {
    const now = chat.querySelector(".chat-now")
    if (!now) continue
    chat.className = chat.className.replace(/\bstate-\w+/, `state-${now.value}`)
    chat.classList.toggle("is-mine", now.dataset.mine === "yes")
  }
  for (const row of document.querySelectorAll(".chat-row")) {
    row.classList.toggle("is-open", Boolean(chatOf(row.dataset.number)))
    if ("mine" in row.dataset && !chatOf(row.dataset.number) && chats().length < MOST) open(Number(row.dataset.number), { focus: false })
  }
  arrange()
})

document.addEventListener("chats:said", ({ detail: { ticket, messages } }) => {
  const fresh = bring(ticket, messages.map(one => one.html).join(""))
  const chat = chatOf(ticket)
  if (!chat || !fresh.some(line => line.matches(".in"))) return
  types(chat.querySelector(".visitor-types"), false)
  if (!chat.contains(document.activeElement) || document.hidden) {
    chat.classList.add("has-news")
    if (chat.matches(".is-mine")) play([740])
  }
  changed(ticket)
  see()
  arrange()
})
document.addEventListener("chats:typing", ({ detail }) => types(chatOf(detail.ticket)?.querySelector(".visitor-types"), detail.on, detail.text))
document.addEventListener("chats:ticks", ({ detail }) => ticks(detail.ticket, detail))
document.addEventListener("chats:changed", ({ detail }) => changed(detail.ticket))
document.addEventListener("chats:gone", ({ detail }) => {
  notice(words.wordsLost)
  close(detail.ticket)
})
document.addEventListener("chats:open", ({ detail }) => open(Number(detail.number), detail))
document.addEventListener("chats:took", ({ detail }) => changed(detail.ticket))
document.addEventListener("rabta:hint", ({ detail }) => (detail.chat_offer || detail.chat_offer_gone || "desk" in detail) && changed())
document.addEventListener("rabta:online", () => numbers().forEach(number => (missed(number), changed(number))))
setInterval(() => !document.hidden && changed(), 5000)

// What stands before the agent's eyes is read: the visitor's ticks.
const seen = new Map()
function see() {
  if (document.hidden || !document.hasFocus()) return
  for (const number of numbers()) {
    const list = linesOf(number)
    const last = Math.max(0, ...[...list.querySelectorAll(".line.in[data-id]")].map(line => Number(line.dataset.id)))
    if (!last || last <= (seen.get(number) ?? 0) || !isNear(chatOf(number))) continue
    if (wire.say({ t: "seen", ticket: number, id: last })) seen.set(number, last)
  }
}
for (const kind of ["focus", "chats:on"]) (kind === "focus" ? window : document).addEventListener(kind, see)
document.addEventListener("visibilitychange", see)
document.addEventListener("focusin", event => {
  const chat = event.target.closest?.(".chat")
  if (!chat) return
  chat.classList.remove("has-news")
  see()
  arrange()
})

document.addEventListener("click", event => {
  const link = event.target.closest("[data-open-chat]")
  if (link && !event.ctrlKey && !event.metaKey) {
    event.preventDefault()
    open(Number(link.dataset.openChat))
  }
  const shut = event.target.closest("[data-close-chat]")
  if (shut) close(Number(shut.dataset.closeChat))
  const more = event.target.closest("[data-earlier]")
  if (more) earlier(more)
  const pill = event.target.closest(".chat [data-newest]")
  if (pill) toEnd(pill.closest(".chat").querySelector(".lines"))
})
document.addEventListener("scroll", event => event.target.matches?.(".lines") && event.target.scrollHeight - event.target.scrollTop - event.target.clientHeight < 20 && (event.target.closest(".chat").querySelector("[data-newest]").hidden = true), true)

// Accepted in the rail: it opens. A menu that asks the server first does so when it opens.
document.addEventListener("htmx:after:request", event => {
  const form = event.target
  if (event.detail.ctx.response.status !== 200 || !form.matches?.("form[data-accepts]") || form.closest(".offer")) return
  open(Number(form.dataset.accepts))
})
document.addEventListener("toggle", event => {
  const menu = event.target
  if (!menu.matches?.("details[data-lazy]") || !menu.open) return
  htmx.ajax("GET", menu.dataset.lazy, { source: menu, target: menu.querySelector(".panel"), swap: "innerHTML" })
}, true)

for (const chat of chats()) begin(chat)
settle()
wire.connect()
const first = chatOf(words.focus) ?? (matchMedia("(max-width: 719px)").matches ? null : chats()[0])
if (words.focus && first) focus(first)
else if (first) adopt(first.querySelector(".chat-composer"))
if (!current() && chats().length && words.focus) focus(chats()[0])
