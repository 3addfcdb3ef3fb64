// Going back to a list leads to where one was in it, however far that was scrolled.
/* global htmx */
import { list } from "./rows.js"

const KEY = "rabta-place"
const FURTHEST = 20 // pages that are fetched again
let back = performance.getEntriesByType("navigation")[0]?.type === "back_forward"

document.addEventListener("scroll", event => {
  if (event.target.id !== "rows") return
  const { dataset, scrollTop } = event.target
  sessionStorage.setItem(KEY, JSON.stringify({ url: dataset.url, top: scrollTop }))
}, { capture: true, passive: true })

async function restore() {
  const rows = list()
  const was = JSON.parse(sessionStorage.getItem(KEY) ?? "null")
  if (!back || !rows) return
  back = false
  if (was?.url !== rows.dataset.url || rows.scrollTop) return
  for (let page = 0; page < FURTHEST && rows.scrollHeight < was.top + rows.clientHeight; page++) {
    const more = rows.querySelector(":scope > .more")
    if (!more) break
    await htmx.ajax("GET", more.getAttribute("href"), { target: more, swap: "outerHTML" })
  }
  rows.scrollTop = was.top
}

addEventListener("popstate", () => (back = true))
document.addEventListener("htmx:after:swap", restore)
restore()
