// Whom a reply goes to, said while the fields are closed: what stands there is what the fields say now.
const NAMES = ["to", "cc", "bcc"]
const ADDRESS = /[^\s<>,;:،"]+@[^\s<>,;:،"]+/g
const isolated = text => `\u2066${text}\u2069` // left-to-right, whatever stands around it
const addresses = text => text.match(ADDRESS) ?? (text.trim() ? [text.trim()] : [])

// What a field holds by itself, whatever a draft put into it.
export const usual = input => input.dataset.usual ?? input.defaultValue ?? ""
export const inputs = form => [...NAMES, ...(form.dataset.also?.split(" ") ?? [])].map(name => form.elements.namedItem(name)).filter(Boolean)
export const everybody = form => inputs(form).flatMap(input => addresses(input.value.toLowerCase())).sort().join()

export function say(form) {
  const place = form.querySelector("#route-said")
  if (!place || !inputs(form).length) return
  const said = inputs(form).map(input => {
    const people = addresses(input.value)
    if (!people.length && input.name !== "to") return ""
    return place.dataset[input.name].replace("{}", () => (people.map(isolated).join(", ") || "…"))
  })
  const text = said.filter(Boolean).join(" · ")
  if (place.textContent !== text) place.textContent = text
  place.title = text
  warn(form)
}

// An address that nobody knows is easily a slip: said before it is asked.
function warn(form) {
  const line = form.querySelector("#strangers")
  const to = form.elements.namedItem("to")
  if (!line || !to) return
  const known = line.dataset.known.toLowerCase().split(" ")
  const strangers = addresses(to.value).filter(one => one.includes("@") && !known.includes(one.toLowerCase()))
  line.hidden = !strangers.length
  line.querySelector("span").textContent = line.dataset.said.replace("{}", () => strangers.map(isolated).join(", "))
}

document.addEventListener("input", event => {
  const form = event.target.closest("#composer")
  if (form && event.target.closest("#recipients")) say(form)
})
