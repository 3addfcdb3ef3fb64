// On which tickets this agent has a draft: their rows bear a pencil. Live rows are the same for everybody, so that the
// page keeps what it knows: of the rows that the server made for it, of hints, and of one question for all the others.
import { touched } from "./rows.js"

const begun = new Map() // number of a ticket: whether there is a draft
let whole = false // everything is known
let asking = false
let lost = false // the connection was away, and hints with it

function paint(event) {
  let unknown = false
  for (const row of touched(event)) {
    const { number, drafted } = row.dataset
    if (drafted) {
      begun.set(number, drafted === "yes")
      delete row.dataset.drafted
    }
    unknown ||= !whole && !begun.has(number)
    row.classList.toggle("drafted", begun.get(number) ?? false)
  }
  if (unknown && !asking) ask()
}

async function ask() {
  asking = true
  const answer = await fetch("/drafts/").catch(() => null)
  if (answer?.ok) {
    for (const number of begun.keys()) begun.set(number, false)
    for (const number of (await answer.json()).numbers) begun.set(String(number), true)
  }
  whole = true // or away: what is not known is not marked
  asking = false
  paint()
}

document.addEventListener("rabta:hint", ({ detail }) => {
  if (!("drafted" in detail)) return
  begun.set(String(detail.draft), detail.drafted)
  paint()
})
document.addEventListener("rabta:offline", () => (lost = true))
document.addEventListener("rabta:online", () => {
  if (!lost) return
  lost = whole = false
  begun.clear()
  paint()
})
document.addEventListener("rabta:rows", paint)
paint()
