// Rewrites <time data-time="…"> in the reader's language and zone, and keeps "3m" true as minutes pass.
const root = document.documentElement
const lang = root.lang
const own = Intl.DateTimeFormat().resolvedOptions().timeZone
const timeZone = root.dataset.zone || own

document.cookie = `zone=${own}; path=/; max-age=31536000; samesite=lax`

const format = options => new Intl.DateTimeFormat(lang, { timeZone, ...options })
const clock = format({ hour: "2-digit", minute: "2-digit", hourCycle: "h23" })
const date = format({ day: "numeric", month: "short" })
const year = format({ day: "numeric", month: "short", year: "numeric" })
const day = format({ weekday: "long", day: "numeric", month: "long" })
const full = format({ dateStyle: "medium", timeStyle: "short", hourCycle: "h23" })
const key = format({ year: "numeric", month: "2-digit", day: "2-digit" })
const ago = new Intl.RelativeTimeFormat(lang, { style: "narrow" })
const named = new Intl.RelativeTimeFormat(lang, { numeric: "auto" })

// Each of them said once: a long list asks for the same few again and again, and making a format takes its time.
const units = Object.fromEntries(["minute", "hour", "day"].map(name => [name, new Intl.NumberFormat(lang, { style: "unit", unit: name, unitDisplay: "narrow" })]))
const said = new Map()
function unit(value, name) {
  const about = `${value} ${name}`
  if (!said.has(about)) said.set(about, units[name].format(value))
  return said.get(about)
}

function short(then, now) {
  const minutes = Math.floor((now - then) / 60000)
  if (minutes < 1) return document.getElementById("words")?.dataset.now ?? ""
  if (minutes < 60) return unit(minutes, "minute")
  if (minutes < 1440) return unit(Math.floor(minutes / 60), "hour")
  if (minutes < 10080) return unit(Math.floor(minutes / 1440), "day")
  return (now - then > 300 * 86400000 ? year : date).format(then)
}

// As "short" is, within a sentence: "10m ago", and a date as it stands.
function since(then, now) {
  const minutes = Math.floor((now - then) / 60000)
  if (minutes < 1 || minutes >= 10080) return short(then, now)
  if (minutes < 60) return ago.format(-minutes, "minute")
  if (minutes < 1440) return ago.format(-Math.floor(minutes / 60), "hour")
  return ago.format(-Math.floor(minutes / 1440), "day")
}

// How long there is still time: "closes in 3h", "closes in 25m"; what to say when there is none stands on the element.
function left(element, then, now) {
  const minutes = Math.ceil((then - now) / 60000)
  const { said = "{}", closed = "" } = element.parentElement?.dataset ?? {}
  element.closest("[data-window]")?.toggleAttribute("data-closing", minutes <= 60)
  if (minutes <= 0) return closed
  return said.replace("{}", minutes < 120 ? ago.format(minutes, "minute") : ago.format(Math.floor(minutes / 60), "hour"))
}

function dayName(then, now) {
  if (key.format(then) === key.format(now)) return named.format(0, "day")
  if (key.format(then) === key.format(now - 86400000)) return named.format(-1, "day")
  return (now - then > 300 * 86400000 ? year : day).format(then)
}

const zoneClock = zone => {
  try {
    return new Intl.DateTimeFormat(lang, { timeZone: zone, hour: "2-digit", minute: "2-digit", hourCycle: "h23" }).format()
  } catch {
    return zone
  }
}

function words(element, now) {
  const then = new Date(element.dateTime)
  switch (element.dataset.time) {
    case "short": return short(then, now)
    case "ago": return since(then, now)
    case "left": return left(element, then, now)
    case "clock": return clock.format(then)
    case "day": return dayName(then, now)
    case "date": return year.format(then)
    case "zone": return zoneClock(element.dataset.zone)
    default: return full.format(then)
  }
}

const titled = new WeakMap() // for which time an element bears its title
export function refresh(places = [document]) {
  const now = Date.now()
  for (const element of places.flatMap(place => [...place.querySelectorAll("time[data-time]")])) {
    const text = words(element, now)
    if (element.textContent !== text) element.textContent = text
    const { dateTime } = element
    if (!dateTime || (titled.get(element) === dateTime && element.title)) continue
    element.title = full.format(new Date(dateTime))
    titled.set(element, dateTime)
  }
}

refresh()
setInterval(() => refresh(), 30000)
document.addEventListener("htmx:after:swap", () => refresh())
document.addEventListener("rabta:rows", event => refresh(event.detail.rows))
