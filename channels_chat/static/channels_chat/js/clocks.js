// Clocks of waiting visitors: they count on by themselves, and change their colour at one minute and at three.
const LATE = 60
const VERY_LATE = 180

export function spoken(seconds) {
  const whole = Math.max(0, Math.floor(seconds))
  const two = number => String(number).padStart(2, "0")
  const [hours, minutes, left] = [Math.floor(whole / 3600), Math.floor((whole % 3600) / 60), whole % 60]
  return hours ? `${hours}:${two(minutes)}:${two(left)}` : `${minutes}:${two(left)}`
}

export function tick() {
  for (const clock of document.querySelectorAll("[data-clock]")) {
    const waited = (Date.now() - new Date(clock.dataset.clock)) / 1000
    const text = spoken(waited)
    if (clock.textContent !== text) clock.textContent = text
    clock.classList.toggle("late", waited >= LATE && waited < VERY_LATE)
    clock.classList.toggle("very-late", waited >= VERY_LATE)
  }
}
setInterval(tick, 1000)
document.addEventListener("htmx:after:swap", tick)
tick()
