// Who is on the site, asked for every few seconds: what is under the pointer, or being written to, stays where it is.
/* global htmx */
import { spoken } from "./clocks.js"

const EVERY = 4000
const place = document.getElementById("guests")
const bar = document.getElementById("visitors-bar")

// Rows that somebody is at keep their place; who came goes above or below them, who left fades and goes last.
function merge(fresh) {
  const body = place.querySelector("tbody")
  const now = fresh.querySelector("tbody")
  const total = fresh.querySelector("#guests-now")
  if (total) document.getElementById("guests-total").textContent = total.getAttribute("value")
  if (!body || !now) return busy() || place.replaceChildren(...fresh.childNodes)
  const wanted = new Map([...now.children].map(row => [row.id, row]))
  for (const old of [...body.children]) {
    const row = wanted.get(old.id)
    if (!row) {
      if (old.matches(":hover, :focus-within, :has(details[open])")) old.classList.add("left")
      else old.remove()
      continue
    }
    wanted.delete(old.id)
    old.classList.remove("left")
    for (const [nth, cell] of [...row.children].entries()) {
      const shown = old.children[nth]
      if (shown.innerHTML !== cell.innerHTML && !shown.matches(":focus-within, :has(details[open])")) shown.replaceChildren(...cell.childNodes)
    }
    htmx.process(old)
  }
  const held = body.matches(":hover")
  for (const row of [...wanted.values()].reverse()) {
    held ? body.append(row) : body.prepend(row)
    htmx.process(row)
  }
  ages()
}
const busy = () => place.matches(":focus-within") && place.querySelector("details[open]")

let asking = null
async function ask() {
  asking?.abort()
  asking = new AbortController()
  const query = new URLSearchParams([...new FormData(bar)].filter(([, value]) => value))
  const answer = await fetch(`${place.dataset.url}?${query}`, { headers: { "HX-Request": "true", "HX-Request-Type": "partial" }, signal: asking.signal }).catch(() => null)
  if (!answer?.ok) return
  const fresh = document.createElement("template")
  fresh.innerHTML = await answer.text()
  merge(fresh.content)
}

function ages() {
  for (const age of document.querySelectorAll("[data-age]")) age.textContent = spoken((Date.now() - new Date(age.dataset.age)) / 1000)
}

let soon
bar.addEventListener("input", () => {
  clearTimeout(soon)
  soon = setTimeout(() => {
    const query = new URLSearchParams([...new FormData(bar)].filter(([, value]) => value))
    history.replaceState(history.state, "", `${bar.action}${query.size ? `?${query}` : ""}`)
    ask()
  }, 200)
})
bar.addEventListener("submit", event => {
  event.preventDefault()
  ask()
})
setInterval(ages, 1000)
setInterval(() => !document.hidden && ask(), EVERY)
document.addEventListener("visibilitychange", () => !document.hidden && ask())
ages()
