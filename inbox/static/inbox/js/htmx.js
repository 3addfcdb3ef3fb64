// What we ask of htmx: morphs that keep open what people opened, and failures said in words.
/* global htmx */
const words = document.getElementById("words").dataset

htmx.registerExtension("rabta", {
  htmx_before_morph_node(element, { oldNode, newNode }) {
    if (oldNode.tagName === "TIME" && oldNode.dateTime === newNode.dateTime) return false // its words are ours
  },
  htmx_before_morph_attr(element, { attrName }) {
    if (element.tagName === "DETAILS" && attrName === "open") return false
    if (element.tagName === "IFRAME" && (attrName === "src" || attrName === "style")) return false
  },
})

export function notice(text) {
  const place = document.getElementById("notices")
  if ([...place.children].some(one => one.firstElementChild?.textContent === text)) return
  const box = document.createElement("div")
  box.className = "notice"
  const span = document.createElement("span")
  span.textContent = text
  const button = document.createElement("button")
  button.className = "text-button"
  button.type = "button"
  button.dataset.dismiss = ""
  button.textContent = words.close
  box.append(span, button)
  place.append(box)
}

const background = element => element?.id === "problems" || element?.closest?.("#live")

document.addEventListener("htmx:response:error", event => {
  const { ctx } = event.detail
  const status = ctx.response.status
  if (status === 422 || status === 401 || background(ctx.sourceElement)) return
  notice(status === 404 ? words.gone : status === 403 ? words.forbidden : words.failed)
})

document.addEventListener("htmx:error", event => {
  const { ctx, error } = event.detail
  if (!ctx || background(ctx.sourceElement) || error?.name === "AbortError" || ctx.response) return
  notice(words.unreachable)
})

// Notices leave by themselves once they have been on a visible screen for a while.
new MutationObserver(changes => {
  for (const { addedNodes } of changes)
    for (const node of addedNodes) if (node.nodeType === 1) setTimeout(() => node.remove(), 9000)
}).observe(document.getElementById("notices"), { childList: true })

document.addEventListener("click", event => {
  event.target.closest("[data-dismiss]")?.closest(".notice")?.remove()
})
