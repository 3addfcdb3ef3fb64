// After the click: the seconds in which it can be undone, and where one goes on.
import { composer } from "./drafts.js"
import { surface } from "./surface.js"

function count() {
  for (const place of document.querySelectorAll("[data-until][data-said]")) {
    const left = Math.ceil((new Date(place.dataset.until) - Date.now()) / 1000)
    const said = new Intl.NumberFormat(document.documentElement.lang, { style: "unit", unit: "second", unitDisplay: "long" }).format(left)
    const text = left > 0 ? place.dataset.said.replace("{}", () => said) : place.dataset.now
    if (place.textContent !== text) place.textContent = text
    const undo = place.parentElement.querySelector("[data-undo]")
    if (undo) undo.hidden = left <= 0
  }
}
setInterval(count, 500)

let next = null // what one goes on to, chosen while the list still stands as it was seen
document.addEventListener("htmx:before:request", event => {
  const form = event.target
  if (form.id !== "composer") return
  const after = form.querySelector("[name=kind]:checked").value === "reply" && form.querySelector("[name=after_send]:checked")?.value
  const row = document.querySelector("#rows .row[aria-current] .go")
  const all = [...document.querySelectorAll("#rows .row:not(.leaving) .go")]
  next = after === "next" ? all[all.indexOf(row) + 1] ?? "list" : after === "list" ? "list" : null
})

// What was sent is sent: the next key is a shortcut, no beginning of another mail to the customer.
function letGo() {
  const at = document.activeElement
  if (at && at !== document.body && !at.closest("#composer")) return
  const to = next
  next = null
  if (to === "list") document.querySelector("#ticket-head .back")?.click()
  else if (to?.isConnected) to.click()
  const link = to === "list" ? document.querySelector("#rows .row:not(.leaving) .go") ?? document.getElementById("list") : to
  if (link?.isConnected) return link.focus({ preventScroll: true })
  const stream = document.getElementById("stream")
  if (!stream) return
  stream.dataset.handed = "" // nobody asked where the focus is: no frame around all that was written
  stream.addEventListener("blur", () => delete stream.dataset.handed, { once: true })
  stream.focus({ preventScroll: true })
}

document.addEventListener("htmx:after:swap", event => {
  count()
  const source = event.detail.ctx?.sourceElement
  if (source?.id === "composer" && source.dataset.sent) setTimeout(letGo) // after htmx has given the focus back to what bears the same id
  if (!source?.matches?.("[data-back], [data-back] *")) return
  const form = source.closest("details.aside")?.querySelector("form[data-draft]") ?? composer()
  if (form) surface(form).focus() // undone: it is written on
})
count()
