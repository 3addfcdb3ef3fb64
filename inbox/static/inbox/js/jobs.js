// The tray of long work: how far it is comes by the socket, and is asked for where none comes.
import { settle } from "./bulk.js"

const tray = document.getElementById("jobs")
const cards = () => [...(tray?.querySelectorAll("[data-job]") ?? [])]
const isOver = state => !["queued", "running"].includes(state)
const KEPT = 30000 // ms that a change which went well is shown

let heard = 0
const states = new Map() // as last seen

const ask = () => tray.dispatchEvent(new CustomEvent("ask"))

function progress({ job, state, total, done, failed }) {
  heard = Date.now()
  const card = document.getElementById(`job-${job}`)
  if (!card || isOver(state) || card.dataset.state !== state) return ask()
  const bar = card.querySelector("progress")
  if (!bar) return
  if (total) [bar.max, bar.value] = [total, done + failed]
  card.querySelector("[data-done]").textContent = done + failed
  card.querySelector("[data-total]").textContent = total
}

// What ended since: said once, and the list is asked for again.
function look() {
  for (const card of cards()) {
    const { job, state, left, kind } = card.dataset
    const was = states.get(job)
    states.set(job, state)
    if (!isOver(state) || was === state) continue
    if (was !== undefined || fromHere) {
      document.getElementById("jobs-said").textContent = card.querySelector("[data-words]")?.textContent ?? ""
      if (kind !== "export") settle(new Set(left.split(",")))
    }
    if (state === "done" && kind !== "export" && !left) setTimeout(() => document.getElementById(`job-${job}`)?.remove(), kind === "undo" ? KEPT / 4 : KEPT)
  }
  fromHere = false
}

let fromHere = false // what ends in the answer to a click of this page is news, too
document.addEventListener("htmx:before:request", event => (fromHere ||= event.target.id === "bulk" || Boolean(event.target.closest?.("#jobs form"))))

if (tray) {
  document.addEventListener("rabta:hint", event => event.detail.job && progress(event.detail))
  document.addEventListener("htmx:after:swap", event => {
    if (event.detail.ctx?.target === tray) look()
  })
  setInterval(() => {
    if (cards().some(card => !isOver(card.dataset.state)) && Date.now() - heard > 4000) ask()
  }, 3000)
}
