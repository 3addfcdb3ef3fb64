// How long a text is for the chosen channel, and how many messages it becomes: as inbox/counting.py says it.
import { surface } from "./surface.js"

const GSM = new Set("@£$¥èéùìòÇ\nØø\rÅåΔ_ΦΓΛΩΠΨΣΘΞÆæßÉ !\"#¤%&'()*+,-./0123456789:;<=>?¡ABCDEFGHIJKLMNOPQRSTUVWXYZÄÖÑÜ§¿abcdefghijklmnopqrstuvwxyzäöñüà")
const EXTENDED = new Set("^{}\\[~]|€\f")
const isGsm = text => [...text].every(one => GSM.has(one) || EXTENDED.has(one))
const bytes = one => new TextEncoder().encode(one).length
const cost = (one, unit, gsm) => (unit === "codepoints" ? 1 : unit === "bytes" ? bytes(one) : unit === "sms" && gsm ? (EXTENDED.has(one) ? 2 : 1) : one.length)

export function size(text, { unit }) {
  const gsm = unit === "sms" && isGsm(text)
  let sum = 0
  for (const one of text) sum += cost(one, unit, gsm)
  return sum
}

export function room(text, { longest, unit }) {
  if (unit !== "sms") return longest
  const [alone, part] = isGsm(text) ? [160, 153] : [70, 67]
  return size(text, { unit }) <= alone ? alone : part
}

const MARKS = ["\n\n", "\n", ". ", "۔ ", "? ", "؟ ", "! ", " "]
const isJoined = one => /[\u200d\ufe0f\u20e3\u0300-\u036f\u064b-\u065f\u{1f3fb}-\u{1f3ff}]/u.test(one)

function breakAt(letters, end) {
  const start = Math.max(1, Math.trunc(end * 0.6))
  for (const mark of MARKS)
    for (let at = end + 1 - mark.length; at >= start; at--)
      if (letters.slice(at, at + mark.length).join("") === mark) return at + (mark.trim() ? mark.length - 1 : mark.length)
  while (end > 1 && (isJoined(letters[end]) || letters[end - 1] === "\u200d")) end--
  return end
}

export function split(text, limit) {
  if (size(text, limit) <= room(text, limit)) return text ? [text] : []
  const most = room(text, limit)
  const gsm = limit.unit === "sms" && isGsm(text)
  const parts = []
  let rest = [...text]
  while (rest.length) {
    let used = 0
    let end = 0
    while (end < rest.length && (used += cost(rest[end], limit.unit, gsm)) <= most) end++
    const last = end >= rest.length
    if (!last) end = breakAt(rest, end)
    parts.push(last ? rest.join("") : rest.slice(0, end).join("").trimEnd())
    rest = last ? [] : [...rest.slice(end).join("").trimStart()]
  }
  return parts.filter(Boolean)
}

function say() {
  const form = document.getElementById("composer")
  const place = document.getElementById("count")
  if (!form || !place) return
  const told = document.getElementById("way")?.dataset
  const isReply = form.querySelector("[name=kind]:checked")?.value === "reply"
  place.hidden = !told?.unit || !isReply
  if (place.hidden) return
  const limit = { longest: Number(told.longest), unit: told.unit, most: Number(told.most) }
  const text = surface(form).get().text
  const parts = split(text, limit)
  const most = room(text, limit)
  place.querySelector(".figure").textContent = parts.length > 1 ? `${size(parts.at(-1), limit)} / ${most}` : `${size(text, limit)} / ${most}`
  const over = Boolean(limit.most) && parts.length > limit.most
  place.classList.toggle("over", over)
  const several = place.querySelector("details")
  several.hidden = parts.length < 2
  several.querySelector("summary").textContent = (over ? place.dataset.over : place.dataset.several).replace("{}", parts.length).replace("{most}", limit.most)
  if (several.open) several.querySelector("ol").replaceChildren(...parts.map(part => Object.assign(document.createElement("li"), { textContent: part, dir: "auto" })))
}

document.addEventListener("input", event => event.target.closest?.("#composer") && say())
document.addEventListener("change", event => event.target.closest?.("#composer") && say())
document.addEventListener("toggle", event => event.target.closest?.("#count") && say(), true)
document.addEventListener("htmx:after:swap", say)
say()
