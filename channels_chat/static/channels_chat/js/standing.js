// The chats that stand side by side: which they are, opening one more, putting one away.
/* global htmx */
import { notice } from "../../inbox/js/htmx.js"
import { restore } from "../../inbox/js/restoring.js"
import { tick } from "./clocks.js"
import { arrange, focus } from "./columns.js"
import { chatOf, group, newest, toEnd } from "./lines.js"
import { again } from "./outbox.js"
import * as wire from "./wire.js"

export const words = document.getElementById("desk").dataset
export const MOST = 9
const place = document.getElementById("main")
export const chats = () => [...place.querySelectorAll(".chat")]
export const numbers = () => chats().map(one => Number(one.dataset.ticket))
const ask = url => fetch(url, { headers: { "HX-Request": "true", "HX-Request-Type": "partial" } })

export function settle() {
  const state = new URLSearchParams(numbers().length ? { open: numbers().join(",") } : {})
  history.replaceState(history.state, "", `${words.url}${state.size ? `?${state}` : ""}`)
  arrange()
  tick()
}

export function begin(chat) {
  const list = chat.querySelector(".lines")
  group(list)
  toEnd(list)
  wire.watch(Number(chat.dataset.ticket), newest(list))
}

// Open a chat beside the others, or go to the one that stands there.
const opening = new Map() // by number: the rail and a click may ask for the same one at once
export async function open(number, { focus: wanted = true } = {}) {
  if (!chatOf(number)) {
    if (!opening.has(number)) opening.set(number, bringIn(number).finally(() => opening.delete(number)))
    await opening.get(number)
  }
  if (wanted && chatOf(number)) focus(chatOf(number))
}

async function bringIn(number) {
  if (chats().length >= MOST) return notice(words.wordsFull)
  const answer = await ask(`${words.url}${number}/`).catch(() => null)
  if (!answer?.ok) return answer?.status === 404 && notice(words.wordsLost)
  const box = document.createElement("template")
  box.innerHTML = await answer.text()
  const chat = box.content.querySelector(".chat")
  if (!chat) return
  document.getElementById("desk-empty").before(chat)
  htmx.process(chat)
  restore()
  begin(chat)
  again()
  settle()
}

export function close(number) {
  const chat = chatOf(number)
  if (!chat) return
  const next = chat.nextElementSibling?.matches(".chat") ? chat.nextElementSibling : chat.previousElementSibling
  document.body.querySelector("#desk > div[hidden]")?.append(...chat.querySelectorAll("#macro-box, #emoji-box"))
  chat.remove()
  wire.unwatch(number)
  settle()
  if (next) focus(next)
}
