// The websocket's frames: rows, counts, the open conversation; and what to do when the connection comes and goes.
/* global htmx */
import { openTicket, refresh } from "./conversation.js"
import * as line from "./line.js"
import { again, bring } from "./list.js"
import { note } from "./meanwhile.js"
import { refresh as times } from "./times.js"

const LOGGED_OUT = 4401
const SILENCE = 50000 // the server says something every 20 s
const ASLEEP = 25000 // so long without a word on a page that comes back into sight: rather connect anew

const live = document.getElementById("live")
let heard = Date.now()
let lostAt = 0
let leaving = false
let told = Number(live.dataset.at) // the server's clock when this page last knew everything
let sight = null // by which rights: another one, and what is shown may be no longer ours to see

function counts(found) {
  document.dispatchEvent(new Event("rabta:counts"))
  for (const [key, text] of Object.entries(found))
    for (const element of document.querySelectorAll(`[data-count="${CSS.escape(key)}"]`)) element.textContent = text
}

function frame({ rows, changed = [], gone = [], counts: found, reload, beat, sight: rights }) {
  if (found) counts(found)
  if (beat) {
    told = beat
    document.dispatchEvent(new CustomEvent("rabta:clock", { detail: beat }))
  }
  if (rights) sight = rights
  if (reload) setTimeout(catchUp, Math.random() * 2000)
  if (rows !== undefined) {
    note({ rows, changed, gone })
    bring({ rows, gone })
  }
  const number = Number(openTicket()?.dataset.ticket)
  if (number && (changed.includes(number) || gone.includes(number))) refresh()
}

// What concerns only this agent (live.hint): whoever cares listens for rabta:hint.
function hint(found) {
  if (found.theme) document.documentElement.dataset.theme = found.theme // chosen in another tab
  document.dispatchEvent(new CustomEvent("rabta:hint", { detail: found }))
}

async function catchUp() {
  await Promise.allSettled([document.getElementById("rows") && again(), refresh()])
  times()
}

function offline(is) {
  const was = document.documentElement.classList.contains("is-offline")
  document.documentElement.classList.toggle("is-offline", is)
  if (is && !was) document.dispatchEvent(new Event("rabta:offline"))
}

const OURS = ["rows", "counts", "beat", "reload"] // keys of frames that are done with here
const PRESENCE = ["marks", "here", "whole"]

document.addEventListener("htmx:before:ws:message", event => {
  heard = Date.now()
  const found = event.detail.message.json
  if (!found) return
  if (PRESENCE.some(key => key in found)) return document.dispatchEvent(new CustomEvent("rabta:presence", { detail: found }))
  frame(found)
  if (!OURS.some(key => key in found)) hint(found)
})

// Connected: the server tells what changed since this page last knew everything, or that it had better ask anew.
document.addEventListener("htmx:after:ws:connection", event => {
  line.open(event.detail.connection)
  event.target.dataset.on = ""
  heard = Date.now()
  lostAt = 0
  offline(false)
  line.say({ since: told, sight })
  document.dispatchEvent(new Event("rabta:online"))
})

document.addEventListener("htmx:ws:close", event => {
  delete event.target.dataset.on
  if (event.detail.code === LOGGED_OUT && !leaving) location.reload() // once: another one would begin it again
  leaving ||= event.detail.code === LOGGED_OUT
  if (leaving) return
  lostAt ||= Date.now()
})

// A connection that is back within two seconds is nobody's business.
setInterval(() => {
  if (lostAt && Date.now() - lostAt > 2000) offline(true)
  if (!lostAt && Date.now() - heard > SILENCE) line.close()
}, 1000)

// A laptop that slept: its connection looks alive for long.
function awake() {
  if (!document.hidden && !lostAt && Date.now() - heard > ASLEEP) line.close()
}
document.addEventListener("visibilitychange", awake)
document.addEventListener("resume", awake)

addEventListener("offline", () => {
  lostAt ||= Date.now()
  offline(true)
})
addEventListener("online", line.close)

// Only now, with everything listening: what comes before would be lost.
live.setAttribute("hx-ws:connect", live.dataset.url)
htmx.process(live)
