// Shows what the server pushes, and opens its ticket in the tab that is there. Caches nothing.
addEventListener("install", () => skipWaiting())
addEventListener("activate", event => event.waitUntil(clients.claim()))

addEventListener("push", event => {
  let told
  try {
    told = event.data.json()
  } catch {
    return
  }
  event.waitUntil((async () => {
    const pages = await clients.matchAll({ type: "window", includeUncontrolled: true })
    if (pages.some(page => page.focused && page.visibilityState === "visible")) return // the page itself says it
    await registration.showNotification(told.title, { body: told.body, tag: told.tag, renotify: true, data: { url: told.url }, lang: told.language, dir: "auto" })
  })())
})

addEventListener("notificationclick", event => {
  event.notification.close()
  const url = new URL(event.notification.data.url, location.origin).href
  event.waitUntil((async () => {
    const pages = await clients.matchAll({ type: "window", includeUncontrolled: true })
    const page = pages.find(one => new URL(one.url).origin === location.origin)
    if (!page) return clients.openWindow(url)
    await page.focus()
    if (page.url !== url) await page.navigate(url).catch(() => clients.openWindow(url))
  })())
})
