"""Requests whose bodies may not be endless: what is too large is refused before Django takes it in.

Django reads a request's whole body, to disk where it is large, before a view can say no.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Any

Application = Callable[[Any, Any, Any], Awaitable[None]]


def bounded(inner: Application, prefix: str, most: int) -> Application:
    """`inner` (ASGI), to which no body of more than `most` bytes comes at addresses that begin with `prefix`: 413."""

    async def application(scope: Any, receive: Any, send: Any) -> None:
        if not scope["path"].startswith(prefix) or scope["method"] in {"GET", "HEAD"}:
            await inner(scope, receive, send)
            return
        length = dict(scope["headers"]).get(b"content-length", b"").decode("latin-1")
        if length.isdecimal():
            if int(length[:20]) > most:
                await _refuse(send)
            else:
                await inner(scope, receive, send)
            return
        read = await _read(receive, most)
        if read is None:
            await _refuse(send)
            return
        await inner(scope, _again(read, receive), send)

    return application


async def _read(receive: Any, most: int) -> bytes | None:
    """A body that does not say how long it is; None where it is too long, or ends before its end."""
    read = bytearray()
    while True:
        message = await receive()
        if message["type"] != "http.request":
            return None
        read += message.get("body", b"")
        if len(read) > most:
            return None
        if not message.get("more_body", False):
            return bytes(read)


def _again(body: bytes, receive: Any) -> Any:
    """A `receive` that gives this body, and then what comes after it."""
    left = [{"type": "http.request", "body": body, "more_body": False}]

    async def once() -> Any:
        return left.pop() if left else await receive()

    return once


async def _refuse(send: Any) -> None:
    """Without reading what is still on its way: the connection ends."""
    headers = [(b"content-length", b"0"), (b"connection", b"close")]
    await send({"type": "http.response.start", "status": 413, "headers": headers})
    await send({"type": "http.response.body", "body": b""})
