"""Answers that are sent as they are read, under ASGI too."""

from __future__ import annotations

from collections.abc import AsyncIterator, Generator, Iterable, Iterator

from asgiref.sync import sync_to_async
from django.core.handlers.asgi import ASGIRequest
from django.http import HttpRequest


def streamed(request: HttpRequest, parts: Iterable[bytes]) -> Iterable[bytes] | AsyncIterator[bytes]:
    """`parts` for a StreamingHttpResponse; reading them must not need the database.

    Of an iterator that is not asynchronous Django would, under ASGI, collect all before it sends the first byte.
    """
    return _one_by_one(iter(parts)) if isinstance(request, ASGIRequest) else parts


async def _one_by_one(parts: Iterator[bytes]) -> AsyncIterator[bytes]:
    following = sync_to_async(lambda: next(parts, None), thread_sensitive=False)  # a slow disk holds up nobody else
    try:
        while (part := await following()) is not None:
            yield part
    finally:  # whoever asked may have gone
        if isinstance(parts, Generator):
            await sync_to_async(parts.close, thread_sensitive=False)()
