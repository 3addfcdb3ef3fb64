// Chats that are offered to whoever works here, on every page: a card at the lower corner, until it is taken or passes on.
import { notice } from "../../inbox/js/htmx.js"
import { tick } from "./clocks.js"
import { play } from "./sound.js"

const URL_OF = "/chats/offers/"
const words = document.getElementById("words").dataset
let asked = 0 // of several questions the last one counts
const heard = new Set() // ids of chats and when each offer ends: the sound is played once
const has = () => /(?:^|; )rabta_chats=(\w+)/.exec(document.cookie)?.[1]

function place() {
  let found = document.getElementById("offers")
  if (found) return found
  found = Object.assign(document.createElement("section"), { id: "offers", className: "offers" })
  found.setAttribute("role", "status")
  document.body.append(found)
  return found
}
const cards = () => [...document.querySelectorAll("#offers .offer")]
const whole = new Map() // ms that an offer lasts, by its id

async function ask(loud = false) {
  const mine = ++asked
  const answer = await fetch(URL_OF, { headers: { "HX-Request": "true" } }).catch(() => null)
  if (!answer?.ok || answer.redirected) return
  const fresh = document.createElement("template")
  fresh.innerHTML = await answer.text()
  if (mine !== asked) return
  const found = [...fresh.content.querySelectorAll(".offer")]
  for (const old of cards()) if (!found.some(one => one.id === old.id)) old.remove()
  for (const one of found) {
    if (document.getElementById(one.id)) continue
    whole.set(one.id, Math.max(1000, new Date(one.dataset.ends) - Date.now()))
    const known = one.dataset.chat
    place().append(one)
    if (loud && !heard.has(known)) play([660, 880])
    heard.add(known)
  }
  const more = fresh.content.querySelector(".offers-more")
  document.querySelector("#offers > .offers-more")?.remove()
  if (more) place().append(more)
  count()
  tick()
}

function count() {
  const say = new Intl.NumberFormat(document.documentElement.lang, { style: "unit", unit: "second", unitDisplay: "narrow" })
  for (const card of cards()) {
    const left = new Date(card.dataset.ends) - Date.now()
    if (left < -1500) card.remove()
    card.querySelector("[data-left]").textContent = say.format(Math.max(0, Math.ceil(left / 1000)))
    card.querySelector("progress").value = Math.max(0, left / (whole.get(card.id) ?? left))
  }
}
setInterval(count, 1000)

document.addEventListener("rabta:hint", ({ detail }) => {
  if (detail.chat_offer) ask(true)
  if (detail.chat_offer_gone) document.getElementById(`offer-${detail.chat_offer_gone.ticket}`)?.remove()
})
document.addEventListener("rabta:online", () => has() !== "no" && ask())

// Taken: on the desk it opens beside the others, from elsewhere one goes there. A card that leaves meanwhile takes nothing
// of it along, which is why the forms are sent here.
document.addEventListener("submit", async event => {
  const form = event.target
  const card = form.closest?.(".offer")
  if (!card) return
  event.preventDefault()
  const { accepts: number } = form.dataset
  for (const button of card.querySelectorAll("button")) button.disabled = true
  const answer = await fetch(form.action, { method: "POST", body: new FormData(form), headers: { "HX-Request": "true", "HX-Request-Type": "partial" } }).catch(() => null)
  if (answer?.status === 422) {
    const said = document.createElement("template")
    said.innerHTML = await answer.text()
    notice(said.content.querySelector(".notice span")?.textContent ?? words.failed) // somebody was quicker
  } else if (!answer?.ok) notice(answer ? words.failed : words.unreachable)
  card.remove()
  ask()
  if (!answer?.ok || !number) return
  if (document.getElementById("desk")) document.dispatchEvent(new CustomEvent("chats:open", { detail: { number, focus: true } }))
  else location.href = `/chats/?focus=${number}`
})

document.addEventListener("keydown", event => {
  if (event.code !== "KeyA" || !event.shiftKey || !(event.ctrlKey || event.metaKey)) return
  const [first] = cards()
  if (!first) return
  event.preventDefault()
  first.querySelector(".button.primary").click()
})

if (has() !== "no") ask()
