// The keyboard: moving through the list, opening, and a key for each thing one does all day.
import { hold } from "./ahead.js"
import { write } from "./composer.js"
import { openTicket } from "./conversation.js"
import { show } from "./menus.js"
import { reveal } from "./properties.js"
import { linkOf } from "./rows.js"
import * as search from "./search.js"
import { elsewhere } from "./selecting.js"
import { unread } from "./seen.js"

const rows = () => [...document.querySelectorAll("#rows .row:not(.leaving)")]
const byId = id => document.getElementById(id)
let leader = 0 // when g was pressed

function move(step) {
  const all = rows()
  if (!all.length) return
  const at = all.findIndex(row => row.contains(document.activeElement))
  const from = at >= 0 ? at : all.findIndex(row => row.hasAttribute("aria-current"))
  if (step > 0 && from >= all.length - 3) document.querySelector("#rows > .more:not(.htmx-request)")?.click()
  const next = all[Math.min(Math.max(from + step, 0), all.length - 1)]
  linkOf(next).focus({ preventScroll: true })
  next.scrollIntoView({ block: "nearest" })
}

function back() {
  const row = document.querySelector("#rows .row[aria-current]") ?? rows()[0]
  if (row) linkOf(row).focus()
}

// From what was typed to what was found, and out of it.
function inField(event) {
  if (event.key === "ArrowDown") move(1)
  else if (event.key !== "Escape") return
  else if (!search.end()) back()
  event.preventDefault()
}

// An answer goes to the ticket that has the focus in the list: it opens first.
function answer(kind, key) {
  const row = elsewhere()
  if (!row) return write(kind)
  linkOf(row).click()
  hold({ key })
}

const keys = {
  j: () => move(1),
  k: () => move(-1),
  r: () => answer("reply", "r"),
  n: () => answer("note", "n"),
  t: () => reveal(byId("tags-input")),
  e: () => byId("solve")?.value === "solved" && byId("solve").click(),
  u: unread,
  "/": search.focus,
  "?": () => byId("shortcuts").showModal(),
}

// What bears data-key is reached by that key: a menu opens, a field takes the focus, a button is pressed.
function marked(key) {
  const element = document.querySelector(`[data-key="${CSS.escape(key)}"]:not(:disabled)`)
  if (!element) return
  return () => (element.matches("details") ? show(element) : element.matches("input, textarea") ? element.focus() : element.click())
}

const typing = element => element.isContentEditable || element.matches("input:not([type=radio], [type=checkbox]), textarea, select")

document.addEventListener("keydown", event => {
  if (event.defaultPrevented || event.ctrlKey || event.metaKey || event.altKey || document.querySelector("dialog[open]")) return
  if (event.target.matches("#search input")) return inField(event)
  if (event.key === "Escape" && event.target.matches("#rows .go") && search.end()) return search.focus()
  if (event.key === "Escape" && openTicket()) return back()
  if (typing(event.target)) return
  const key = event.key.length === 1 ? event.key.toLowerCase() : event.key
  if (key === "g") return void (leader = Date.now())
  if (Date.now() - leader < 1500) {
    leader = 0
    const view = document.querySelector(`[data-go="${CSS.escape(key)}"]`)
    if (view) {
      event.preventDefault()
      return view.click()
    }
  }
  const does = Object.hasOwn(keys, key) ? keys[key] : marked(key)
  if (!does) return
  event.preventDefault()
  does()
})
