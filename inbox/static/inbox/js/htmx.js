// What we ask of htmx: morphs that keep open what people opened, and failures said in words.
/* global htmx */
import { formOf, isEmpty, problemOf, written } from "./drafts.js"

const words = document.getElementById("words").dataset

htmx.registerExtension("rabta", {
  htmx_before_morph_node(element, { oldNode, newNode }) {
    if (oldNode.tagName === "TEXTAREA" && oldNode.value !== oldNode.defaultValue) return false // typed
    if (oldNode.tagName === "SELECT" && !touched(oldNode)) {
      const { value } = newNode
      queueMicrotask(() => (oldNode.value = value)) // once its options are in
    }
    if (oldNode.dataset?.kept !== undefined) return false // fetched by itself
    if (oldNode.id === "option-panel" && oldNode.dataset.url === newNode.dataset.url && hasBegun(oldNode)) return false // what is chosen there goes with what is written
    if (oldNode.tagName === "TIME" && oldNode.dateTime === newNode.dateTime) return false // its words are ours
    if (oldNode.dataset && ("editing" in oldNode.dataset || "kept" in oldNode.dataset)) return false // what somebody works on, or asked to see
  },
  htmx_before_morph_attr(element, { attrName, newValue }) {
    if (element.tagName === "DETAILS" && attrName === "open") return false
    if (element.tagName === "IFRAME" && attrName === "src") return false
    if (attrName === "style") return false // set by scripts, ours or an add-on's: copied as an attribute, the policy refuses it
    if (element.tagName !== "INPUT") return
    // A field that was ever set, by whomever, no longer follows its attribute: it is set, unless somebody is at it.
    if (attrName === "value" && !["checkbox", "radio"].includes(element.type)) {
      if (element.value !== element.defaultValue) return false
      if (newValue === null) element.value = ""
    }
    if (attrName === "checked") {
      if (element.checked !== element.defaultChecked) return false
      element.checked = newValue !== null
    }
  },
})

const hasBegun = element => formOf(element) && !isEmpty(written(formOf(element)))

// Whether something else is chosen than the page came with.
function touched(select) {
  const usual = [...select.options].findLast(one => one.defaultSelected) ?? select.options[0]
  return Boolean(usual && !usual.selected)
}

// With `label` and `act` it has a button of its own.
export function notice(text, label, act) {
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
  if (act) {
    const action = Object.assign(document.createElement("button"), { type: "button", className: "text-button", textContent: label })
    action.dataset.dismiss = ""
    if (label === words.undo) action.dataset.undo = Date.now() / 1000
    action.addEventListener("click", act)
    box.append(span, action, button)
  } else box.append(span, button)
  place.append(box)
}

// A failed answer says so in the composer, where it stays; everything else in a notice.
function say(source, text) {
  const problem = source?.matches?.("form[data-draft]") && source.isConnected && problemOf(source)
  if (!problem) return notice(text)
  problem.textContent = text
  problem.hidden = false
}

const background = element => element?.id === "problems" || element?.closest?.("#live")

document.addEventListener("htmx:response:error", event => {
  const { ctx } = event.detail
  const status = ctx.response.status
  if (status === 422 || status === 401 || background(ctx.sourceElement)) return
  const lost = status >= 500 || status === 408 // by whoever stands between, perhaps, after all was done
  say(ctx.sourceElement, status === 404 ? words.gone : status === 403 ? words.forbidden : lost ? unsure(ctx) : words.failed)
})

function unsure({ request, sourceElement }) {
  if (request.method.toUpperCase() === "GET") return words.notLoaded
  return sourceElement.matches?.("form[data-draft]") ? words.maybeSent : words.unsure
}

document.addEventListener("htmx:before:request", event => (event.detail.ctx.begun = Date.now()))

document.addEventListener("htmx:error", event => {
  const { ctx, error } = event.detail
  if (!ctx || background(ctx.sourceElement) || ctx.text !== undefined) return
  const timedOut = error?.name === "AbortError" && Date.now() - ctx.begun >= htmx.config.defaultTimeout - 100
  if (error?.name === "AbortError" && !timedOut) return
  say(ctx.sourceElement, timedOut || ctx.response ? unsure(ctx) : words.unreachable)
})

// What was saved is no longer merely typed: from now on others' changes show in its place again.
document.addEventListener("htmx:after:request", event => {
  if (event.target.tagName !== "FORM" || event.detail.ctx.response.status !== 200) return
  for (const input of event.target.querySelectorAll("input:not([type])")) input.defaultValue = input.value
})

// Notices leave by themselves once they have been on a visible screen for a while.
new MutationObserver(changes => {
  for (const { addedNodes } of changes)
    for (const node of addedNodes) if (node.nodeType === 1) setTimeout(() => node.remove(), 9000)
}).observe(document.getElementById("notices"), { childList: true })

document.addEventListener("click", event => {
  event.target.closest("[data-dismiss]")?.closest(".notice")?.remove()
})
