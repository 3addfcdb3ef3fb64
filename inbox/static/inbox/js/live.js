// The websocket's frames: rows, counts, the open conversation; and what to do when the connection comes and goes.
/* global htmx */
import { openTicket, refresh } from "./conversation.js"
import { again, apply } from "./list.js"
import { parse } from "./rows.js"
import { refresh as times } from "./times.js"

const LOGGED_OUT = 4401
const SILENCE = 50000 // the server says something every 20 s

let connection
let heard = Date.now()
let connectedBefore = false
let lostAt = 0

function counts(found) {
  document.dispatchEvent(new Event("rabta:counts"))
  for (const [key, text] of Object.entries(found))
    for (const element of document.querySelectorAll(`[data-count="${CSS.escape(key)}"]`)) element.textContent = text
}

function frame({ rows, changed = [], gone = [], counts: found, reload }) {
  if (found) counts(found)
  if (reload) setTimeout(catchUp, Math.random() * 2000)
  if (rows !== undefined) apply(parse(rows), gone)
  const number = Number(openTicket()?.dataset.ticket)
  if (number && (changed.includes(number) || gone.includes(number))) refresh()
  times()
}

// What concerns only this agent (live.hint): whoever cares listens for rabta:hint.
const hint = found => document.dispatchEvent(new CustomEvent("rabta:hint", { detail: found }))

async function catchUp() {
  await Promise.allSettled([document.getElementById("rows") && again(), refresh()])
  times()
}

function offline(is) {
  document.documentElement.classList.toggle("is-offline", is)
}

document.addEventListener("htmx:before:ws:message", event => {
  heard = Date.now()
  const found = event.detail.message.json
  if (!found) return
  frame(found)
  if (found.rows === undefined && !found.counts && !found.beat) hint(found)
})

document.addEventListener("htmx:after:ws:connection", event => {
  connection = event.detail.connection
  event.target.dataset.on = ""
  heard = Date.now()
  lostAt = 0
  offline(false)
  if (connectedBefore) catchUp()
  connectedBefore = true
})

document.addEventListener("htmx:ws:close", event => {
  delete event.target.dataset.on
  if (event.detail.code === LOGGED_OUT) return location.reload()
  lostAt ||= Date.now()
})

// A connection that is back within two seconds is nobody's business.
setInterval(() => {
  if (lostAt && Date.now() - lostAt > 2000) offline(true)
  if (!lostAt && connection && Date.now() - heard > SILENCE) connection.socket?.close()
}, 1000)

addEventListener("offline", () => {
  lostAt ||= Date.now()
  offline(true)
})
addEventListener("online", () => connection?.socket?.close())

// Only now, with everything listening: what comes before would be lost.
const live = document.getElementById("live")
live.setAttribute("hx-ws:connect", live.dataset.url)
htmx.process(live)
