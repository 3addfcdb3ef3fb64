// Of a list whose rows do not say themselves whether they belong, the server is asked which do: how many are new is
// said, and they come when one asks for them.
import { leave, list } from "./rows.js"

const EVERY = 1500 // milliseconds between two such questions
const news = new Set()
const unsure = new Set()
let asking = 0

// Rows that may belong now, or no more, and the numbers of those that do not.
export function doubt(fresh, gone) {
  for (const row of fresh) unsure.add(row.dataset.number)
  for (const number of gone) news.delete(number)
  asking ||= setTimeout(ask, EVERY)
}

// What the server lists: those that are not shown are new.
export function listed(fresh) {
  for (const row of fresh) if (!document.getElementById(row.id)) news.add(row.dataset.number)
  tell()
}

export function forget() {
  news.clear()
  unsure.clear()
}

async function ask() {
  const rows = list()
  const numbers = [...unsure].slice(0, 100)
  unsure.clear()
  try {
    if (!rows || !("hint" in rows.dataset) || !numbers.length) return
    const answer = await fetch(`${rows.dataset.url}&among=${numbers.join()}`)
    if (!answer.ok || rows !== list()) return
    const inside = new Set((await answer.json()).numbers.map(String))
    for (const number of numbers) {
      const row = document.getElementById(`row-${number}`)
      if (row && !inside.has(number)) leave(row, rows)
      else if (!row && inside.has(number)) news.add(number)
      else news.delete(number)
    }
    tell()
  } catch {
    // away: what comes back asks again
  } finally {
    asking = 0
    if (unsure.size) asking = setTimeout(ask, EVERY)
  }
}

function tell() {
  const button = document.getElementById("fresh")
  button.textContent = document.getElementById("words").dataset.news.replace("%(number)s", news.size)
  button.hidden = !news.size
}
