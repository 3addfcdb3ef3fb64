"""A server that sends a byte now and then, without end: no time-out of a socket ever comes."""

import contextlib
import itertools
import socket
import time
from collections.abc import Iterator

from tests.servers import listening


@contextlib.contextmanager
def running(begin: bytes, drop: bytes, *, quiet: int = 0) -> Iterator[int]:
    """Serve while the block runs; gives the port. `begin` is sent at once, then `drop` again and again. The first
    `quiet` connections get nothing, and are ended when the client ends them. Asserts that nobody listens afterwards."""
    begun = itertools.count()

    def serve(client: socket.socket) -> None:
        with client, contextlib.suppress(OSError):
            if next(begun) < quiet:
                client.recv(1)
                return
            client.sendall(begin)
            while True:
                client.sendall(drop)
                time.sleep(0.02)

    try:
        with listening.running(serve) as (port, served):
            yield port
    finally:
        for thread in served:
            thread.join(10)
    assert not any(thread.is_alive() for thread in served), "the connection was cut"
