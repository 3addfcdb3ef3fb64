"""Bodies without end are refused before anybody takes them in."""

from __future__ import annotations

from typing import Any

import pytest

from lib.bodies import bounded


class Calls:
    """What an application was given, and what it answered."""

    def __init__(self, *pieces: bytes, headers: dict[bytes, bytes] | None = None, path: str = "/hooks/x/") -> None:
        self.scope = {"type": "http", "method": "POST", "path": path, "headers": list((headers or {}).items())}
        self.pieces = list(pieces)
        self.read = 0
        self.got: bytes | None = None
        self.status = 0

    async def receive(self) -> dict[str, Any]:
        self.read += 1
        body = self.pieces.pop(0)
        return {"type": "http.request", "body": body, "more_body": bool(self.pieces)}

    async def send(self, message: dict[str, Any]) -> None:
        self.status = message.get("status", self.status)

    async def run(self) -> Calls:
        async def inner(scope: Any, receive: Any, send: Any) -> None:
            whole, more = b"", True
            while more:
                message = await receive()
                whole, more = whole + message.get("body", b""), message.get("more_body", False)
            self.got = whole
            await send({"type": "http.response.start", "status": 200})

        await bounded(inner, "/hooks/", 100)(self.scope, self.receive, self.send)
        return self


@pytest.mark.parametrize(
    ("pieces", "headers"),
    [((b"x" * 100,), {}), ((b"x" * 60, b"y" * 40), {}), ((b"x" * 100,), {b"content-length": b"100"}), ((b"",), {})],
)
async def test_what_fits_comes_whole(pieces: tuple[bytes, ...], headers: dict[bytes, bytes]) -> None:
    call = await Calls(*pieces, headers=headers).run()
    assert (call.status, call.got) == (200, b"".join(pieces))


async def test_what_says_that_it_is_too_large_is_not_read_at_all() -> None:
    call = await Calls(b"x" * 200, headers={b"content-length": b"200"}).run()
    assert (call.status, call.got, call.read) == (413, None, 0)


@pytest.mark.parametrize("length", [b"", b"-1", b"many", b"1e9"])
async def test_what_does_not_say_how_long_it_is_is_read_to_the_bound(length: bytes) -> None:
    headers = {b"content-length": length} if length else {}
    call = await Calls(*[b"x" * 60] * 1000, headers=headers).run()
    assert (call.status, call.got, call.read) == (413, None, 2)


async def test_other_addresses_are_left_alone() -> None:
    call = await Calls(b"x" * 200, headers={b"content-length": b"200"}, path="/tickets/").run()
    assert (call.status, call.got) == (200, b"x" * 200)
