// The open conversation: where it is scrolled to, and fetching what is new without touching what is being typed.
/* global htmx */
import { since } from "./meanwhile.js"

const PATIENCE = 300 // milliseconds for the mails of a ticket that opens
const stream = () => document.getElementById("stream")
const atEnd = box => box.scrollHeight - box.scrollTop - box.clientHeight < 80

export const openTicket = () => document.querySelector(".talk[data-ticket]")

let busy = false
let again = false

export async function refresh() {
  const talk = openTicket()
  if (!talk) return
  if (busy) return void (again = true)
  busy = true
  const box = stream()
  const end = atEnd(box)
  const before = box.querySelectorAll(".message").length
  const from = document.getElementById("timeline").dataset.from
  const way = document.getElementById("reply-channel")?.value ?? ""
  try {
    await htmx.ajax("GET", `${talk.dataset.changes}?from=${from}&channel=${way}`, { source: "#live", swap: "none" })
  } finally {
    busy = false
  }
  if (end) box.scrollTop = box.scrollHeight
  else if (box.querySelectorAll(".message").length > before) offer()
  if (again) {
    again = false
    refresh()
  }
}

// Whatever changes the ticket answers with its stream; it starts where this page's begins.
document.addEventListener("htmx:config:request", event => {
  const { request, sourceElement } = event.detail.ctx
  const from = document.getElementById("timeline")?.dataset.from
  if (request.method !== "POST" || !from || !sourceElement.closest?.(".talk")) return
  request.body.set("from", from)
  const way = document.getElementById("reply-channel")?.value
  if (way) request.body.set("channel", way)
})

function offer() {
  const pill = document.getElementById("newer")
  if (!pill) return
  pill.textContent = document.getElementById("words").dataset.newer
  pill.hidden = false
}

// A mail knows its height once it is in its frame. Until those in sight do, nothing is shown that would jump; but not for long.
function hold(box) {
  const { top, bottom } = box.getBoundingClientRect()
  const missing = new Set([...box.querySelectorAll("iframe.mail[src]")].filter(frame => {
    const at = frame.getBoundingClientRect()
    return at.bottom > top && at.top < bottom
  }))
  if (!missing.size) return
  const show = () => delete box.dataset.fitting
  box.dataset.fitting = ""
  setTimeout(show, PATIENCE)
  box.addEventListener("load", event => missing.delete(event.target) && !missing.size && show(), true)
}

// Says whether it was opened just now.
function opened() {
  const box = stream()
  if (!box || box.dataset.placed) return false
  box.dataset.placed = "yes"
  box.scrollTop = box.scrollHeight
  let pinned = true // who was at the end stays there while pictures, frames, the composer and what failed find their height
  const sizes = new ResizeObserver(() => pinned && (box.scrollTop = box.scrollHeight))
  for (const part of [box, document.getElementById("timeline")]) sizes.observe(part)
  box.addEventListener("scroll", () => {
    pinned = atEnd(box)
    const pill = document.getElementById("newer")
    if (pill && atEnd(box)) pill.hidden = true
  }, { passive: true })
  return true
}

document.addEventListener("click", event => {
  if (event.target.id !== "newer") return
  stream().scrollTo({ top: stream().scrollHeight, behavior: "smooth" })
})

// Older messages are put above what is being read, which stays where it is.
document.addEventListener("htmx:before:swap", event => {
  if (event.detail.ctx?.sourceElement?.matches?.("#stream > .more")) stream().dataset.below = stream().scrollHeight - stream().scrollTop
})
document.addEventListener("htmx:after:swap", event => {
  if (opened()) hold(stream())
  const { target, begun } = event.detail.ctx ?? {}
  const number = Number(openTicket()?.dataset.ticket)
  if (target?.id === "conversation" && since(begun).some(({ changed, gone }) => changed.includes(number) || gone.includes(number))) refresh()
  const box = stream()
  if (box?.dataset.below) {
    box.scrollTop = box.scrollHeight - Number(box.dataset.below)
    delete box.dataset.below
  }
  if (event.detail.ctx?.sourceElement?.id === "composer" && box) box.scrollTop = box.scrollHeight
  // Where the link to it stood in what it replaced, the keyboard goes on in it.
  if (event.detail.ctx?.target?.id === "conversation" && document.activeElement === document.body) document.getElementById("main")?.focus({ preventScroll: true })
})
opened()
