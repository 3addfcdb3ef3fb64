// Who else is here: marks above the composer, on rows and in the sidebar. The server says who; this page leaves itself out.
import { openTicket } from "./conversation.js"
import { touched } from "./rows.js"

const me = Number(document.body.dataset.me)
const words = document.getElementById("words").dataset
const MOST = 3 // people who are named, and avatars on a row
const STRENGTH = { reply: 2, note: 1, view: 0 }

const people = new Map() // id: { name, face }
const marks = new Map() // number of a ticket: [[id, what they do]]
const here = new Map() // id: "here" or "away"

// Above the composer ------------------------------------------------------------------------------------------------

const others = number => (marks.get(number) ?? []).filter(([id]) => id !== me).sort((a, b) => STRENGTH[b[1]] - STRENGTH[a[1]])
const sentences = { view: words.views, reply: words.writesReply, note: words.writesNote }

function face(id) {
  const holder = document.createElement("template")
  holder.innerHTML = people.get(id)?.face ?? ""
  return holder.content.firstElementChild
}

const away = () => document.querySelector("#colleagues template")?.content.cloneNode(true) ?? ""

function above() {
  const place = document.getElementById("others-here")
  if (!place) return
  const found = others(openTicket()?.dataset.ticket ?? "")
  const key = JSON.stringify(found.map(([id, what]) => [id, what, here.get(id)]))
  if (place.dataset.shown === key) return
  place.dataset.shown = key
  place.classList.toggle("writes", found.some(([, what]) => what !== "view"))
  place.replaceChildren(...found.slice(0, MOST).map(([id, what]) => {
    const one = document.createElement("span")
    one.className = `other does-${what}`
    const text = document.createElement("span")
    text.textContent = sentences[what].replace("{name}", people.get(id)?.name ?? "")
    one.append(face(id) ?? "", text)
    if (here.get(id) === "away") one.append(away())
    return one
  }))
  if (found.length > MOST) place.append(words.andOthers.replace("{count}", found.length - MOST))
}

// On the rows -------------------------------------------------------------------------------------------------------

function onRow(row) {
  const found = others(row.dataset.number)
  const key = found.length ? JSON.stringify(found) : ""
  const old = row.querySelector(".others")
  if ((old?.dataset.shown ?? "") === key) return
  old?.remove()
  if (!found.length) return
  const place = document.createElement("span")
  place.className = "others"
  place.dataset.shown = key
  place.title = found.map(([id, what]) => sentences[what].replace("{name}", people.get(id)?.name ?? "")).join("\n")
  for (const [id, what] of found.slice(0, MOST)) {
    const one = face(id)
    if (!one) continue
    one.classList.add("small", `does-${what}`)
    place.append(one)
  }
  row.querySelector(".marks")?.prepend(place)
}

// In the sidebar ----------------------------------------------------------------------------------------------------

function inSidebar() {
  const place = document.getElementById("colleagues")
  if (!place) return
  const found = [...here].filter(([id]) => id !== me && people.has(id)).sort(([a], [b]) => people.get(a).name.localeCompare(people.get(b).name))
  place.hidden = !found.length
  place.querySelector(".num").textContent = found.length || ""
  place.querySelector("ul").replaceChildren(...found.map(([id, state]) => {
    const one = document.createElement("li")
    one.className = state
    const name = document.createElement("span")
    name.className = "truncate"
    name.textContent = people.get(id).name
    one.append(face(id), name)
    if (state === "away") one.append(away())
    return one
  }))
}

function paint(event) {
  above()
  for (const row of touched(event)) onRow(row)
}

document.addEventListener("rabta:presence", ({ detail }) => {
  for (const [id, one] of Object.entries(detail.people ?? {})) people.set(Number(id), one)
  if (detail.whole) [marks, here].forEach(one => one.clear())
  for (const [number, found] of Object.entries(detail.marks ?? {})) found.length ? marks.set(number, found) : marks.delete(number)
  for (const [id, state] of Object.entries(detail.here ?? {})) state ? here.set(Number(id), state) : here.delete(Number(id))
  if (detail.here || detail.whole) inSidebar()
  paint()
})
document.addEventListener("rabta:offline", () => {
  marks.clear() // nobody knows
  here.clear()
  inSidebar()
  paint()
})
document.addEventListener("rabta:rows", paint)
document.addEventListener("htmx:after:swap", above)
