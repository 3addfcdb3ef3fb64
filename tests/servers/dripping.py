"""A server that sends a byte now and then, without end: no time-out of a socket ever comes."""

import contextlib
import socket
import threading
import time
from collections.abc import Iterator


@contextlib.contextmanager
def running(begin: bytes, drop: bytes, *, quiet: int = 0) -> Iterator[int]:
    """Serve while the block runs; gives the port. `begin` is sent at once, then `drop` again and again. The first
    `quiet` connections get nothing, and are ended when the client ends them. Asserts that nobody listens afterwards."""
    listener = socket.create_server(("127.0.0.1", 0))
    served: list[threading.Thread] = []

    def serve(client: socket.socket, first: bool) -> None:
        with client, contextlib.suppress(OSError):
            if first:
                client.recv(1)
                return
            client.sendall(begin)
            while True:
                client.sendall(drop)
                time.sleep(0.02)

    def accept() -> None:
        while True:
            try:
                client, _address = listener.accept()
            except OSError:
                return
            thread = threading.Thread(target=serve, args=(client, len(served) < quiet), daemon=True)
            served.append(thread)
            thread.start()

    threading.Thread(target=accept, daemon=True).start()
    try:
        yield int(listener.getsockname()[1])
    finally:
        listener.close()
        for thread in served:
            thread.join(10)
    assert not any(thread.is_alive() for thread in served), "the connection was cut"
