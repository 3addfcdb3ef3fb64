// The line to the server: what this page says over its websocket. Rabta only hints there: what cannot be said is lost.
let connection

export const open = on => (connection = on)
export const close = () => connection?.socket?.close()

export function say(message) {
  const socket = connection?.socket
  if (socket?.readyState !== WebSocket.OPEN) return false
  socket.send(JSON.stringify(message))
  return true
}
