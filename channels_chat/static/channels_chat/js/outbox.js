// What an agent sends from the desk stands there at once. It leaves over the line, or by a request where it brings files or
// macros or the line is away; under its own id, so that it may be sent again until the server has said that it has it.
import * as wire from "./wire.js"

const KEY = `chats:outbox:${document.body.dataset.me}`
const PATIENCE = 8000
const words = document.getElementById("desk").dataset
const waiting = new Map() // by client id
const trying = new Map() // timers by client id

function keep() {
  try { sessionStorage.setItem(KEY, JSON.stringify([...waiting.values()])) } catch { /* it stands on the page */ }
}

export const lineOf = cid => document.querySelector(`.line[data-cid="${CSS.escape(cid)}"]`)

function button(what, text, item) {
  const made = Object.assign(document.createElement("button"), { type: "button", className: "text-button small", textContent: text })
  made.dataset[what] = item.cid
  return made
}

// The line of something that is not sent yet, or cannot be (`problem`).
function show(item, problem = "") {
  const list = document.getElementById(`lines-${item.ticket}`)
  if (!list) return
  let line = lineOf(item.cid)
  if (!line) {
    line = document.getElementById("line-shape").content.firstElementChild.cloneNode(true)
    line.dataset.cid = item.cid
    line.dataset.who = `out-agent-${document.body.dataset.me}`
    line.dataset.at = Math.floor(Date.now() / 1000)
    line.querySelector(".line-text").textContent = item.text
    line.querySelector(".line-text").hidden = !item.text
    line.querySelector(".files").textContent = (item.names ?? []).join(" · ")
    list.append(line)
    list.scrollTop = list.scrollHeight
  }
  line.classList.toggle("unsent", Boolean(problem))
  const foot = line.querySelector(".line-wait")
  if (!foot) return
  foot.replaceChildren(problem.trim() ? `${words.wordsUnsent}: ${problem}` : problem ? words.wordsUnsent : words.wordsSending)
  if (problem) foot.append(button("again", words.wordsRetry, item), button("back", words.wordsDrop, item))
}

export function took(cid, id) {
  clearTimeout(trying.get(cid))
  waiting.delete(cid)
  keep()
  const line = lineOf(cid)
  if (!line || !id) return
  const twin = document.getElementById(`line-${id}`)
  if (twin && twin !== line) return line.remove()
  line.classList.remove("pending", "unsent")
  line.dataset.id = id
  line.id = `line-${id}`
  line.querySelector(".line-wait")?.replaceChildren()
}

function refused(cid, problem) {
  clearTimeout(trying.get(cid))
  const item = waiting.get(cid)
  if (!item) return
  item.refused = problem || " "
  keep()
  show(item, item.refused)
}

async function post(item) {
  const form = document.querySelector(`#chat-${item.ticket} .chat-composer`)
  const body = new FormData()
  const token = form?.querySelector("[name=csrfmiddlewaretoken]").value ?? ""
  for (const [name, value] of [["kind", "reply"], ["client_id", item.cid], ["text", item.text], ["version", item.version ?? 0]]) body.set(name, value)
  for (const file of item.files ?? []) body.append("attachments", file)
  for (const macro of item.macros ?? []) body.append("macro", macro)
  const answer = await fetch(`/chats/${item.ticket}/messages/`, { method: "POST", body, headers: { "X-CSRFToken": token, "HX-Request": "true" } })
  const said = answer.headers.get("Content-Type")?.includes("json") ? await answer.json() : {}
  if (answer.ok) took(item.cid, said.id)
  else if (answer.status < 500) refused(item.cid, said.no)
  else throw new Error(answer.status)
}

async function send(item) {
  show(item)
  const plain = !item.files?.length && !item.macros?.length
  clearTimeout(trying.get(item.cid))
  if (plain && !item.slow && wire.say({ t: "say", ticket: item.ticket, cid: item.cid, text: item.text, version: item.version ?? 0 })) {
    trying.set(item.cid, setTimeout(() => { item.slow = true; waiting.has(item.cid) && send(item) }, PATIENCE))
    return
  }
  try {
    await post(item)
  } catch {
    trying.set(item.cid, setTimeout(() => waiting.has(item.cid) && !item.refused && send(item), PATIENCE / 2))
    if (Date.now() - item.at > PATIENCE) show(item, " ") // it is tried again by itself all the same
  }
}

export function put(item) {
  waiting.set(item.cid, { ...item, at: Date.now() })
  keep()
  send(waiting.get(item.cid))
}

// Everything that nobody has answered for, again: after a reconnect, or on a page that came anew.
export function again() {
  for (const item of waiting.values()) {
    item.slow = false
    if (item.refused) show(item, item.refused)
    else send(item)
  }
}

export function take(cid) {
  const item = waiting.get(cid)
  waiting.delete(cid)
  keep()
  lineOf(cid)?.remove()
  return item
}

try { for (const item of JSON.parse(sessionStorage.getItem(KEY) ?? "[]")) waiting.set(item.cid, item) } catch { /* nothing kept */ }
document.addEventListener("chats:took", ({ detail }) => took(detail.cid, detail.id))
document.addEventListener("chats:no", ({ detail }) => (detail.why === "later" ? setTimeout(() => waiting.has(detail.cid) && send(waiting.get(detail.cid)), 3000) : refused(detail.cid, detail.text)))
document.addEventListener("chats:on", again)
addEventListener("online", again)
document.addEventListener("click", event => {
  const button = event.target.closest("[data-again]")
  const item = button && waiting.get(button.dataset.again)
  if (!item) return
  delete item.refused
  item.at = Date.now()
  send(item)
})
