"""The options of `manage.py up`, as environment variables: settings and every child process read nothing else."""

import argparse
import os
import socket
from pathlib import Path

PORTS = {"PORT": 8000, "SMTP_IN_PORT": 2525, "SANDBOX_SMTP_PORT": 2526}  # defaults
moved: list[tuple[int, int]] = []  # (default, port taken instead): what `environment` changed, for `up` to say


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--port", type=int, metavar="N", help="port of the web pages (default: PORT, or 8000)")
    parser.add_argument("--data", type=Path, metavar="DIR", help="folder of all data (default: DATA_DIR, or .data)")
    parser.add_argument("--no-demo", action="store_true", help="no demo organisation, demo log-ins or sandbox")


def environment(arguments: list[str]) -> dict[str, str]:
    """What `manage.py up ARGUMENTS` adds to the environment before the settings are loaded.

    A port nobody asked for steps aside when another program has it; one that was asked for never does.
    """
    parser = argparse.ArgumentParser(add_help=False)
    add_arguments(parser)
    options, _ = parser.parse_known_args(arguments)
    found: dict[str, str] = {"LOG_FORMAT": os.environ.get("LOG_FORMAT", "console")}
    if options.port is not None:
        found["PORT"] = str(options.port)
    if options.data is not None:
        found["DATA_DIR"] = str(options.data.resolve())
    if options.no_demo:
        found["DEMO"] = "0"
    else:  # a demo never mixes its log-ins into a database of your own unless asked
        found["DEMO"] = os.environ.get("DEMO", "0" if os.environ.get("DATABASE_URL") else "1")
    taken: set[int] = set()
    for name, default in PORTS.items():
        if name not in os.environ and name not in found:
            port = free_port(default, taken)
            found[name] = str(port)
            taken.add(port)
            if port != default and not is_free("127.0.0.1", default):
                moved.append((default, port))
    return found


def free_port(first: int, taken: set[int]) -> int:
    """The first port from `first` on, of a hundred, that nobody listens on; `first` when all are busy."""
    return next((port for port in range(first, first + 100) if port not in taken and is_free("127.0.0.1", port)), first)


def is_free(host: str, port: int) -> bool:
    """Whether a server could listen on this address now."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    with socket.socket(family, socket.SOCK_STREAM) as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)  # as servers do: TIME_WAIT is not busy
        try:
            probe.bind((host, port))
        except OSError:
            return False
        return True
