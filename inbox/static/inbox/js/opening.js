// The page of a new ticket: a customer who was picked stays picked until another name is typed, and the channel that is
// chosen says what can be written. A call that is being written down outlives a look at the other form.
/* global htmx */
import { changed } from "./surface.js"

const picked = () => document.getElementById("new-customer")
let byHand = false // somebody chose the channel themselves

// What is said of a customer goes with them.
const forgetThem = () => document.querySelectorAll("#new-way [data-theirs]").forEach(one => one.remove())

const askWay = more => {
  const way = document.getElementById("new-way")
  const asked = new URLSearchParams({ channel: document.getElementById("new-channel").value, customer: picked().value, ...more })
  if (way) htmx.ajax("GET", `/tickets/new/way/?${asked}`, { source: way, target: "#new-way", swap: "innerHTML" })
}

document.addEventListener("suggest:taken", event => {
  if (event.target.id !== "new-to") return
  picked().value = event.detail.customer ?? ""
  const form = event.target.form
  if (form.dataset.draft) changed(form)
  if (picked().value) askWay(byHand ? {} : { picked: "yes" })
})
document.addEventListener("input", event => {
  if (event.target.id !== "new-to") return
  picked().value = ""
  forgetThem()
})
document.addEventListener("change", event => {
  if (event.target.id !== "new-channel") return
  byHand = true
  askWay()
})

// Who was picked prefers a channel: it is chosen for them.
document.addEventListener("htmx:after:swap", () => {
  if (!picked()?.value) return forgetThem() // another name was typed while this was on its way
  const way = document.querySelector("#new-way > [data-picked]")
  const channel = document.getElementById("new-channel")
  if (!way || way.value === channel.value) return
  channel.value = way.value
  changed(channel.form)
})

// What was refused names its field, which takes the focus and is marked until it says something else.
document.addEventListener("htmx:after:swap", () => {
  const problem = document.querySelector("#composer-problem[data-field]")
  const field = problem?.closest("form").elements.namedItem(problem.dataset.field)
  if (!field || problem.dataset.met) return
  problem.dataset.met = "yes"
  field.setAttribute("aria-invalid", "true")
  field.setAttribute("aria-describedby", problem.id)
  field.focus()
})
document.addEventListener("input", event => {
  if (event.target.getAttribute("aria-describedby") !== "composer-problem") return
  event.target.removeAttribute("aria-invalid")
  event.target.removeAttribute("aria-describedby")
})

const call = document.getElementById("new-call")
if (call) {
  const at = `${call.dataset.keptAs}:${location.search}` // in this tab alone: whose page it is, and for whom it was opened
  const fields = () => [...call.elements].filter(one => one.name && !["client_id", "csrfmiddlewaretoken"].includes(one.name))
  const forget = () => sessionStorage.removeItem(at)
  const keep = () => {
    const said = fields().filter(one => one.type !== "radio" || one.checked).map(one => [one.name, one.value])
    sessionStorage.setItem(at, JSON.stringify(Object.fromEntries(said)))
  }
  const kept = "refused" in call.dataset ? {} : JSON.parse(sessionStorage.getItem(at) ?? "{}")
  for (const one of fields()) {
    if (!(one.name in kept)) continue
    if (one.type === "radio") one.checked = one.value === kept[one.name]
    else one.value = kept[one.name]
  }
  call.addEventListener("input", keep)
  call.addEventListener("change", keep)
  call.addEventListener("submit", forget)
  call.querySelector("[data-forgets]").addEventListener("click", forget)
}
