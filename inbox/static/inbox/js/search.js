// The field above the list: what is found as one types is the server's; here is how one gets in and out of it.
const field = () => document.querySelector("#search input[type=search]")

export function focus() {
  field()?.focus()
  field()?.select()
}

// An empty field gives the list back.
export function end() {
  if (!field()?.value) return false
  field().value = ""
  field().dispatchEvent(new Event("input", { bubbles: true }))
  return true
}

document.addEventListener("click", event => {
  if (!event.target.closest?.("#search-end")) return
  event.preventDefault()
  end()
  field().focus()
})

// What can be typed next: operators and their values, in a panel below the field. The arrow down goes into it, Enter
// takes one, and Escape closes it first.
const help = () => document.getElementById("search-help")
let asked = ""

async function offer() {
  const panel = help()
  const typed = field().value
  const last = typed.split(" ").at(-1)
  if (typed && !last.includes(":") && (last.length < 2 || typed !== last)) return hide()
  asked = typed
  const answer = await fetch(`${panel.dataset.url}?q=${encodeURIComponent(typed)}`).catch(() => null)
  if (!answer?.ok || asked !== typed || document.activeElement !== field()) return
  panel.innerHTML = await answer.text()
  panel.hidden = !panel.querySelector(".option")
}

function hide() {
  asked = null
  if (help()) help().hidden = true
}

export const isHelping = () => Boolean(help() && !help().hidden)

function put(option) {
  const words = field().value.split(" ")
  words[words.length - 1] = option.dataset.put
  field().value = words.join(" ")
  field().focus()
  field().dispatchEvent(new Event("input", { bubbles: true }))
}

document.addEventListener("focusin", event => {
  if (event.target === field()) offer()
  else if (!event.target.closest?.("#search-help")) hide()
})
document.addEventListener("input", event => event.target === field() && offer())
document.addEventListener("click", event => {
  const option = event.target.closest?.("#search-help .option")
  if (option) put(option)
  else if (!event.target.closest?.("#search")) hide()
})
document.addEventListener("keydown", event => {
  if (!isHelping() || !event.target.closest?.("#search")) return
  const options = [...help().querySelectorAll(".option")]
  const at = options.indexOf(document.activeElement)
  if (event.key === "ArrowDown" || event.key === "ArrowUp") {
    const next = event.key === "ArrowDown" ? options[at + 1] ?? (at < 0 ? options[0] : null) : options[at - 1] ?? field()
    if (!next || (at < 0 && event.key === "ArrowUp")) return
    next.focus()
  } else if (event.key === "Escape") {
    field().focus()
    hide()
  } else return
  event.preventDefault()
  event.stopPropagation()
}, true)
