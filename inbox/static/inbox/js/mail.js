// Mail in its sandboxed frame: as high as its content, loaded when unfolded, with remote images only when asked.
const fits = new WeakMap()

function fit(frame) {
  const page = frame.contentDocument
  if (!page?.body) return
  const height = Math.min(Math.max(page.documentElement.offsetHeight, page.body.scrollHeight, 24), 20000)
  if (Math.abs(frame.offsetHeight - height) > 1) frame.style.blockSize = `${height}px`
}

function watch(frame) {
  const page = frame.contentDocument
  if (!page?.body || page.URL === "about:blank") return
  fits.get(frame)?.disconnect()
  const observer = new ResizeObserver(() => fit(frame))
  observer.observe(page.body)
  fits.set(frame, observer)
  fit(frame)
}

const isMail = element => element.tagName === "IFRAME" && "fit" in element.dataset

// load does not bubble, but it can be caught on its way down
document.addEventListener("load", event => isMail(event.target) && watch(event.target), true)
for (const frame of document.querySelectorAll("iframe[data-fit]")) if (frame.contentDocument?.readyState === "complete") watch(frame)

document.addEventListener("toggle", event => {
  if (!event.target.matches?.("details.fold")) return
  const frame = event.target.querySelector("iframe[data-src]")
  if (event.target.open && frame && !frame.src) frame.src = frame.dataset.src
}, true)

document.addEventListener("click", event => {
  const button = event.target.closest("[data-images]")
  if (!button) return
  button.closest(".body").querySelector("iframe.mail").src = button.dataset.images
  button.hidden = true
})
