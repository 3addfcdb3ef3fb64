// The line on which chats come and go. What arrives is told as events of the document, by its kind: chats:said,
// chats:typing…; after each connection chats:on, so that whoever shows a chat asks for what it missed.
const FIRST = 400
const LONGEST = 5000
const LOGGED_OUT = 4401

let socket = null
let wanted = false
let pause = FIRST
const watched = new Map() // number of a ticket: the newest message that the page shows of it

function told(kind, detail) {
  document.dispatchEvent(new CustomEvent(`chats:${kind}`, { detail }))
}

export const isOn = () => socket?.readyState === WebSocket.OPEN

export function say(frame) {
  if (!isOn()) return false
  socket.send(JSON.stringify(frame))
  return true
}

export function connect() {
  wanted = true
  if (socket) return
  const line = new WebSocket(`${location.protocol === "https:" ? "wss" : "ws"}://${location.host}/ws/chats/?language=${document.documentElement.lang}`)
  socket = line
  line.onopen = () => {
    pause = FIRST
    look()
    told("on", {})
  }
  line.onmessage = ({ data }) => {
    let frame
    try { frame = JSON.parse(data) } catch { return }
    if (frame?.t) told(frame.t, frame)
  }
  line.onclose = ({ code }) => {
    if (socket === line) socket = null
    if (code === LOGGED_OUT || !wanted) return
    setTimeout(() => wanted && connect(), pause * (0.75 + Math.random() / 2))
    pause = Math.min(pause * 2, LONGEST)
  }
}

export function close() {
  wanted = false
  socket?.close()
  socket = null
}

// What this page shows, and how much of each it knows: the server sends what is newer, now and from now on.
function look() {
  say({ t: "watch", tickets: [...watched.keys()], since: Object.fromEntries(watched) })
}

export function watch(number, newest) {
  const known = watched.has(number)
  watched.set(number, Math.max(newest, watched.get(number) ?? 0))
  if (!known) look()
}

export function unwatch(number) {
  if (watched.delete(number)) look()
}

export function knows(number, newest) {
  if (watched.has(number)) watched.set(number, Math.max(newest, watched.get(number)))
}

document.addEventListener("rabta:offline", () => socket?.close()) // the other line noticed first that it is dead
document.addEventListener("rabta:online", () => {
  pause = FIRST
  if (wanted) connect()
})
