"""Files leave part by part, whatever serves them."""

from __future__ import annotations

from collections.abc import Iterator

from asgiref.sync import async_to_sync
from django.http import HttpRequest, StreamingHttpResponse
from django.test import AsyncRequestFactory, RequestFactory

from lib.streams import streamed


def parts(read: list[int]) -> Iterator[bytes]:
    for number in range(3):
        read.append(number)
        yield b"%d" % number


def test_a_part_is_sent_before_the_next_is_read() -> None:
    read: list[int] = []
    sent: list[tuple[bytes, int]] = []

    async def serve() -> None:
        request = AsyncRequestFactory().get("/")
        async for part in StreamingHttpResponse(streamed(request, parts(read))):
            sent.append((part, len(read)))

    async_to_sync(serve)()
    assert sent == [(b"0", 1), (b"1", 2), (b"2", 3)]


def test_under_wsgi_it_is_the_iterator_itself() -> None:
    request: HttpRequest = RequestFactory().get("/")
    assert b"".join(StreamingHttpResponse(streamed(request, parts([])))) == b"012"
