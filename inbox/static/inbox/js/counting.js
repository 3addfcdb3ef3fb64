// How long a text is for the chosen channel, and how many messages it becomes: as inbox/counting.py says it.
import { takes } from "./fitting.js"
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
const MOST_BACK = 40
const isMark = one => /[\p{M}\u200d\u{1f3fb}-\u{1f3ff}\u{e0020}-\u{e007f}]/u.test(one)
const isHalfFlag = one => /[\u{1f1e6}-\u{1f1ff}]/u.test(one)

function goesOn(letters, at) {
  if (letters[at - 1] === "\u200d" || isMark(letters[at])) return true
  let halves = 0
  if (isHalfFlag(letters[at])) while (halves < at && isHalfFlag(letters[at - 1 - halves])) halves++
  return halves % 2 === 1
}

function breakAt(letters, end) {
  const start = Math.max(1, Math.trunc(end * 0.6))
  for (const mark of MARKS)
    for (let at = end + 1 - mark.length; at >= start; at--)
      if (letters.slice(at, at + mark.length).join("") === mark) return at + (mark.trim() ? mark.length - 1 : mark.length)
  for (let at = end; at > Math.max(0, end - MOST_BACK); at--) if (!goesOn(letters, at)) return at
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
    end = Math.max(end, 1)
    const last = end >= rest.length
    if (!last) end = breakAt(rest, end)
    parts.push(last ? rest.join("") : rest.slice(0, end).join("").trimEnd())
    rest = last ? [] : [...rest.slice(end).join("").trimStart()]
  }
  return parts.filter(Boolean)
}

const SMS = { longest: 0, unit: "sms", most: 0 } // as the networks count

function say() {
  const form = document.getElementById("composer")
  const place = document.getElementById("count")
  if (!form || !place) return
  const told = takes(form)
  place.hidden = !told?.unit
  if (place.hidden) return
  const limit = { longest: Number(told.longest), unit: told.unit, most: Number(told.most) }
  const text = surface(form).get().text
  const parts = split(text, limit)
  const over = Boolean(limit.most) && parts.length > limit.most
  const alone = over && limit.most === 1 // it is not split: what counts is all of it
  place.querySelector(".figure").textContent = `${size(alone ? text : (parts.at(-1) ?? ""), limit)} / ${room(text, limit)}`
  place.classList.toggle("over", over)
  const whole = place.querySelector(".whole")
  whole.hidden = !alone
  if (alone) whole.textContent = place.dataset.whole.replace("{}", () => size(text, limit) - limit.longest)
  const sms = place.querySelector(".sms")
  sms.hidden = !told.sms || !text
  if (!sms.hidden) {
    sms.textContent = place.dataset.sms.replace("{}", () => Math.ceil(size(text, SMS) / room(text, SMS)))
    sms.title = isGsm(text) ? "" : place.dataset.roomy
  }
  const several = place.querySelector("details")
  several.hidden = alone || parts.length < 2
  several.querySelector("summary").textContent = (over ? place.dataset.over : place.dataset.several).replace("{}", parts.length).replace("{most}", limit.most)
  if (several.open) several.querySelector("ol").replaceChildren(...parts.map(part => Object.assign(document.createElement("li"), { textContent: part, dir: "auto" })))
}

document.addEventListener("input", event => event.target.closest?.("#composer") && say())
document.addEventListener("change", event => event.target.closest?.("#composer") && say())
document.addEventListener("toggle", event => event.target.closest?.("#count") && say(), true)
document.addEventListener("htmx:after:swap", say)
say()
