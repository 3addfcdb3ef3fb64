"""A TCP proxy that cuts the connection after so many bytes, as bad networks do."""

import contextlib
import socket
import threading
from collections.abc import Iterator


class Proxy:
    """Forwards to 127.0.0.1:`target`. `cut_after` bytes from the server, the first `cuts` connections are reset."""

    def __init__(self, target: int, *, cut_after: int, cuts: int = 1) -> None:
        self.target, self.cut_after, self.cuts = target, cut_after, cuts
        self.connections = 0
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.port = int(self._listener.getsockname()[1])
        threading.Thread(target=self._accept, daemon=True).start()

    def _accept(self) -> None:
        while True:
            try:
                client, _address = self._listener.accept()
            except OSError:
                return
            self.connections += 1
            cut = self.connections <= self.cuts
            server = socket.create_connection(("127.0.0.1", self.target))
            threading.Thread(target=self._pump, args=(client, server, None), daemon=True).start()
            limit = self.cut_after if cut else None
            threading.Thread(target=self._pump, args=(server, client, limit), daemon=True).start()

    def _pump(self, source: socket.socket, sink: socket.socket, limit: int | None) -> None:
        passed = 0
        with contextlib.suppress(OSError):
            while data := source.recv(8192):
                passed += len(data)
                if limit is not None and passed > limit:
                    break
                sink.sendall(data)
        for one in (source, sink):
            with contextlib.suppress(OSError):
                one.shutdown(socket.SHUT_RDWR)
            one.close()

    def close(self) -> None:
        self._listener.close()


@contextlib.contextmanager
def cutting(target: int, *, cut_after: int, cuts: int = 1) -> Iterator[Proxy]:
    """A proxy while the block runs."""
    proxy = Proxy(target, cut_after=cut_after, cuts=cuts)
    try:
        yield proxy
    finally:
        proxy.close()
