"""An IMAP server that answers by script, for what real servers rarely do on demand."""

import contextlib
import socket
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field

from tests.servers import listening

# (tag, command without it, the client's socket for what comes beside the answer) -> answer; None hangs up, "" is OK
Script = Callable[[str, str, socket.socket], str | None]


@dataclass
class ScriptedImap:
    """What the server saw: connections, and commands without their tags."""

    port: int
    connections: int = 0
    commands: list[str] = field(default_factory=list)


@contextlib.contextmanager
def running(script: Script, capabilities: str = "IMAP4rev1 IDLE") -> Iterator[ScriptedImap]:
    """Serve while the block runs. An answer carries its tag and ends in CRLF."""
    server = ScriptedImap(0)

    def serve(client: socket.socket) -> None:
        server.connections += 1
        _serve(client, server, script, capabilities)

    with listening.running(serve) as (server.port, _served):
        yield server


def _serve(client: socket.socket, server: ScriptedImap, script: Script, capabilities: str) -> None:
    with contextlib.suppress(OSError), client, client.makefile("rb") as file:
        client.sendall(f"* OK [CAPABILITY {capabilities}] scripted\r\n".encode())
        while raw := file.readline():
            tag, _space, command = raw.decode("utf-8", "replace").strip().partition(" ")
            server.commands.append(command)
            if command.upper() == "CAPABILITY":
                client.sendall(f"* CAPABILITY {capabilities}\r\n".encode())
            said = script(tag, command, client)
            if said is None:
                client.shutdown(socket.SHUT_RDWR)
                return
            client.sendall((said or f"{tag} OK done\r\n").encode())
