// The page of a new ticket: a customer who was picked stays picked until another name is typed, and the channel that is
// chosen says what can be written.
/* global htmx */
import { changed } from "./surface.js"

const picked = () => document.getElementById("new-customer")

document.addEventListener("suggest:taken", event => {
  if (event.target.id !== "new-to") return
  picked().value = event.detail.customer ?? ""
  const form = event.target.form
  if (form.dataset.draft) changed(form)
})
document.addEventListener("input", event => {
  if (event.target.id === "new-to") picked().value = ""
})
document.addEventListener("change", event => {
  const way = event.target.id === "new-channel" && document.getElementById("new-way")
  if (way) htmx.ajax("GET", `/tickets/new/way/?channel=${encodeURIComponent(event.target.value)}`, { source: way, target: "#new-way", swap: "innerHTML" })
})
