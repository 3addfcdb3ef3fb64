// Fields beside the text that fill gaps in a text which stands there: what is typed shows in it at once.
document.addEventListener("input", ({ target }) => {
  const gap = target.dataset?.fills
  if (!gap) return
  const said = target.value.split(/\s+/).filter(Boolean).join(" ") // as it will be sent
  for (const one of target.closest("form").querySelectorAll(`[data-slot="${CSS.escape(gap)}"]`)) {
    one.textContent = said || one.dataset.shown
    one.toggleAttribute("data-filled", Boolean(said))
  }
})
