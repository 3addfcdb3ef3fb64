"""The web process's websockets: uvicorn's, and a short way for what many of them are told alike.

Framing a text is the same work for each socket, and so is all that stands between an application and the connection.
Who tells hundreds of pages the same frames it once (`framed`), and writes it by what the scope offers under `WRITE`.
"""

from __future__ import annotations

from uvicorn.protocols.websockets.websockets_sansio_impl import WebSocketsSansIOProtocol
from websockets.protocol import State

WRITE = "rabta.write"  # name of the ASGI extension


def framed(text: str) -> bytes:
    """A text as one unmasked frame of RFC 6455, as servers send it."""
    body = text.encode()
    size = len(body)
    if size < 126:
        return b"\x81" + bytes([size]) + body
    if size < 1 << 16:
        return b"\x81\x7e" + size.to_bytes(2, "big") + body
    return b"\x81\x7f" + size.to_bytes(8, "big") + body


class Protocol(WebSocketsSansIOProtocol):
    async def run_asgi(self) -> None:
        self.scope["extensions"][WRITE] = {"write": self.write}
        await super().run_asgi()

    def write(self, frame: bytes) -> bool:
        """Write this frame at once; false where that cannot be, and it has to be sent the ordinary way."""
        if not self.handshake_complete or self.close_sent or self.disconnected or not self.writable.is_set():
            return False
        if self.conn.state is not State.OPEN:
            return False
        self.transport.write(frame)
        return True
