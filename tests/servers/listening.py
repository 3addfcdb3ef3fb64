"""A port of our own on loopback, each connection served by a thread."""

import contextlib
import socket
import threading
from collections.abc import Callable, Iterator


@contextlib.contextmanager
def running(serve: Callable[[socket.socket], None]) -> Iterator[tuple[int, list[threading.Thread]]]:
    """Listen while the block runs; gives the port, and the threads of the connections so far."""
    listener = socket.create_server(("127.0.0.1", 0))
    served: list[threading.Thread] = []

    def accept() -> None:
        while True:
            try:
                client, _address = listener.accept()
            except OSError:
                return
            thread = threading.Thread(target=serve, args=(client,), daemon=True)
            served.append(thread)
            thread.start()

    threading.Thread(target=accept, daemon=True).start()
    try:
        yield int(listener.getsockname()[1]), served
    finally:
        listener.close()
