// The page of notifications: let this browser show them, or stop. Asks for permission only when its button is pressed.
import { supported } from "./notifications.js"

const box = document.getElementById("push")
const button = id => document.getElementById(id)

function say(name) {
  const place = button("push-said")
  place.textContent = name ? place.dataset[name] : ""
  place.hidden = !name
}

async function tell(fields) {
  const body = new FormData()
  for (const [name, value] of Object.entries(fields)) body.append(name, value)
  const csrf = document.querySelector("[name=csrfmiddlewaretoken]").value
  const answer = await fetch(box.dataset.url, { method: "POST", body, headers: { "X-CSRFToken": csrf } })
  if (!answer.ok) throw new Error(`status ${answer.status}`)
}

async function allow() {
  say("")
  if ((await Notification.requestPermission()) !== "granted") return say("denied")
  const registration = await navigator.serviceWorker.register(box.dataset.worker, { scope: "/" })
  await navigator.serviceWorker.ready
  const { endpoint, keys } = (await registration.pushManager.subscribe({ userVisibleOnly: true, applicationServerKey: box.dataset.keyOfServer })).toJSON()
  await tell({ endpoint, ...keys })
  location.reload()
}

async function stop() {
  const registration = await navigator.serviceWorker.getRegistration("/")
  const found = await registration?.pushManager.getSubscription()
  if (!found) return
  await tell({ endpoint: found.endpoint, forget: "yes" })
  await found.unsubscribe()
  location.reload()
}

async function show() {
  if (!supported()) {
    button("push-allow").disabled = true
    return say("unable")
  }
  const registration = await navigator.serviceWorker.getRegistration("/")
  const on = Boolean(await registration?.pushManager.getSubscription())
  button("push-allow").hidden = on
  button("push-stop").hidden = !on
}

const failed = error => {
  console.info(error)
  say("failed")
}
if (box) {
  button("push-allow").addEventListener("click", () => allow().catch(failed))
  button("push-stop").addEventListener("click", () => stop().catch(failed))
  show().catch(failed)
}
