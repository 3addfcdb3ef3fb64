// The lines of a chat on the desk: put into their order as they come, grouped by who says them, without moving what is
// being read.
import { refresh } from "../../inbox/js/times.js"
import { knows } from "./wire.js"

const TOGETHER = 180 // seconds between two lines of one speaker that stand together
export const chatOf = number => document.getElementById(`chat-${number}`)
export const linesOf = number => document.getElementById(`lines-${number}`)
const idOf = line => Number(line.dataset.id) || Infinity // what is not sent yet stands last
export const atEnd = list => list.scrollHeight - list.scrollTop - list.clientHeight < 60
export const newest = list => Math.max(0, ...[...list.querySelectorAll(".line[data-id]")].map(line => Number(line.dataset.id)))

export function group(list) {
  let last = null
  for (const line of list.querySelectorAll(".line")) {
    const same = last && !line.matches(".by-system") && last.dataset.who === line.dataset.who && Number(line.dataset.at) - Number(last.dataset.at) < TOGETHER
    line.classList.toggle("same", Boolean(same))
    last = line
  }
}

export function toEnd(list) {
  list.scrollTop = list.scrollHeight
  list.closest(".chat").querySelector("[data-newest]").hidden = true
}

const read = html => {
  const box = document.createElement("template")
  box.innerHTML = html
  return [...box.content.querySelectorAll(".line")]
}

function place(list, line) {
  const old = document.getElementById(line.id) ?? (line.dataset.cid && list.querySelector(`.line[data-cid="${CSS.escape(line.dataset.cid)}"]`))
  if (old) return void old.replaceWith(line)
  const after = [...list.querySelectorAll(".line")].findLast(one => idOf(one) < idOf(line))
  line.classList.add("fresh")
  after ? after.after(line) : (list.querySelector(".lines-more") ?? null)?.after(line) ?? list.prepend(line)
}

// Lines as the server draws them; says which of them were not there before.
export function bring(number, html) {
  const list = linesOf(number)
  if (!list) return []
  const end = atEnd(list)
  const lines = read(html)
  const fresh = lines.filter(line => !document.getElementById(line.id))
  for (const line of lines) place(list, line)
  group(list)
  refresh([list])
  knows(number, newest(list))
  if (end) toEnd(list)
  else if (fresh.some(line => line.matches(".in"))) list.closest(".chat").querySelector("[data-newest]").hidden = false
  return fresh
}

// Older ones above, what is being read staying where it is.
export async function earlier(button) {
  const chat = button.closest(".chat")
  const list = chat.querySelector(".lines")
  const first = list.querySelector(".line[data-id]")
  button.disabled = true
  const answer = await fetch(`${chat.dataset.said}?before=${first?.dataset.id ?? ""}`).catch(() => null)
  button.disabled = false
  if (!answer?.ok) return
  const lines = read(await answer.text())
  const from = list.scrollHeight - list.scrollTop
  list.querySelector(".lines-more").after(...lines)
  if (lines.length < 50) button.closest(".lines-more").remove()
  group(list)
  refresh([list])
  list.scrollTop = list.scrollHeight - from
}

// What a page missed while it heard nothing.
export async function missed(number) {
  const [chat, list] = [chatOf(number), linesOf(number)]
  if (!chat) return
  const answer = await fetch(`${chat.dataset.said}?after=${newest(list)}`).catch(() => null)
  if (answer?.ok) bring(number, await answer.text())
}

const RANK = { sent: 1, delivered: 2, read: 3 }
export function ticks(number, { delivered = 0, read: seen = 0 }) {
  for (const mark of linesOf(number)?.querySelectorAll(".line.out .line-ticks") ?? []) {
    const id = Number(mark.closest(".line").dataset.id)
    const state = id && id <= seen ? "read" : id && id <= delivered ? "delivered" : ""
    if ((RANK[state] ?? 0) > (RANK[mark.dataset.state] ?? 0)) mark.dataset.state = state
  }
}

const quiet = new Map() // timers by number: a frame that never comes leaves nobody typing for ever
export function types(box, on, text = "") {
  if (!box) return
  const list = box.closest(".chat")?.querySelector(".lines")
  const end = list && atEnd(list)
  box.hidden = !on
  box.querySelector(".draft").textContent = text
  if (end) toEnd(list)
  clearTimeout(quiet.get(box))
  if (on) quiet.set(box, setTimeout(() => types(box, false), 12000))
}
