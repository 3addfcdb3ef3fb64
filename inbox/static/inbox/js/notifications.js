// The bell: its number, its menu, and a notice for what is new while one looks. The server says all of it in words.
/* global htmx */
const place = () => document.getElementById("bell-place")
const newest = () => document.getElementById("bell-count")?.dataset.newest ?? ""

let waiting
function again() {
  clearTimeout(waiting)
  waiting = setTimeout(() => place() && htmx.ajax("GET", `/notifications/bell/?after=${newest()}`, { source: "#live", target: "#bell-place", swap: "innerHTML" }), 150)
}

document.addEventListener("rabta:hint", event => "notifications" in event.detail && again())

document.addEventListener("toggle", event => {
  if (event.target.id !== "bell" || !event.target.open) return
  const panel = document.getElementById("bell-panel")
  panel.classList.add("told-list")
  htmx.ajax("GET", panel.dataset.url, { source: panel, target: panel, swap: "innerHTML" })
}, true)

// A service worker that is there already is kept up to date; one is registered in the settings, when it is asked for.
export const supported = () => "serviceWorker" in navigator && "PushManager" in window
if (supported()) navigator.serviceWorker.getRegistration("/").then(found => found?.update()).catch(error => console.info(error))
