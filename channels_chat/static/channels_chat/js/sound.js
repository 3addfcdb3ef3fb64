// A short sound, made here: no file to be fetched. Whoever muted it in this browser hears nothing.
const KEY = "chats:mute"
let audio

const kept = () => { try { return localStorage.getItem(KEY) } catch { return null } }
export const isMuted = () => kept() === "yes"

export function mute(on) {
  try { localStorage.setItem(KEY, on ? "yes" : "no") } catch { /* a private window forgets it */ }
  paint()
}

function tone(at, pitch) {
  const [source, gain] = [audio.createOscillator(), audio.createGain()]
  source.frequency.value = pitch
  gain.gain.setValueAtTime(0, at)
  gain.gain.linearRampToValueAtTime(0.12, at + 0.02)
  gain.gain.exponentialRampToValueAtTime(0.001, at + 0.35)
  source.connect(gain).connect(audio.destination)
  source.start(at)
  source.stop(at + 0.4)
}

// `pitches` one after another; a browser that wants to be touched first stays silent.
export function play(pitches) {
  if (isMuted() || navigator.userActivation?.hasBeenActive === false) return
  try {
    audio ??= new AudioContext()
    if (audio.state === "suspended") audio.resume()
    pitches.forEach((pitch, nth) => tone(audio.currentTime + nth * 0.14, pitch))
  } catch (error) {
    console.info(error)
  }
}

function paint() {
  for (const button of document.querySelectorAll("[data-mute]")) button.setAttribute("aria-pressed", String(isMuted()))
}
document.addEventListener("click", event => event.target.closest("[data-mute]") && mute(!isMuted()))
document.addEventListener("htmx:after:swap", paint)
paint()
