"""An SMTP server that answers by script, for what real servers rarely do on demand."""

import contextlib
import socket
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field

from tests.servers import listening

Script = Callable[[str, int], str | None]  # (command line, number of the mail on this server) -> answer; None hangs up


@dataclass
class Scripted:
    """What the server saw: connections, command lines, mails (as they came, dots undone)."""

    port: int
    connections: int = 0
    commands: list[str] = field(default_factory=list)
    mails: list[bytes] = field(default_factory=list)


@contextlib.contextmanager
def running(script: Script) -> Iterator[Scripted]:
    """Serve while the block runs. `script` gets each command line, `.` when a mail has come; "" is the default."""
    server = Scripted(0)

    def serve(client: socket.socket) -> None:
        server.connections += 1
        _serve(client, server, script)

    with listening.running(serve) as (server.port, _served):
        yield server


DEFAULTS = {"EHLO": "250-scripted\r\n250-8BITMIME\r\n250 SMTPUTF8", "DATA": "354 go on", "QUIT": "221 bye"}


def _serve(client: socket.socket, server: Scripted, script: Script) -> None:
    file = client.makefile("rb")

    def answer(line: str) -> bool:
        said = script(line, len(server.mails))
        if said is None:
            client.shutdown(socket.SHUT_RDWR)
            client.close()
            return False
        client.sendall((said or DEFAULTS.get(line.upper().split(" ")[0], "250 ok")).encode() + b"\r\n")
        return True

    with contextlib.suppress(OSError):
        client.sendall(b"220 scripted\r\n")
        while raw := file.readline():
            line = raw.decode("utf-8", "replace").strip()
            server.commands.append(line)
            if not answer(line):
                return
            if line.upper() == "DATA" and not (script(line, len(server.mails)) or "3").startswith(("4", "5")):
                lines = []
                while (one := file.readline()) not in (b".\r\n", b""):
                    lines.append(one.removeprefix(b".") if one.startswith(b"..") else one)
                server.mails.append(b"".join(lines))
                if not answer("."):
                    return
            if line.upper() == "QUIT":
                client.close()
                return
