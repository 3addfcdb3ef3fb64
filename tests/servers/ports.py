"""Free ports, waiting for servers, and temporary folders that daemons of other users may enter."""

import contextlib
import os
import random
import shutil
import signal
import socket
import subprocess
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

dice = random.SystemRandom()  # workers that run side by side are seeded alike


def free_port() -> int:
    """A port that is free now and stays so until its server is up, a minute later on a busy machine.

    No other worker of this run is given it, and the system gives none of these to outgoing connections (Linux: from
    32768 on).
    """
    while True:
        port = dice.randrange(10_000, 32_000)
        if run := os.environ.get("RABTA_TEST_SERVERS"):
            try:
                Path(run, f"port-{port}").touch(exist_ok=False)
            except FileExistsError:
                continue
        with socket.socket() as probe:
            try:
                probe.bind(("127.0.0.1", port))
            except OSError:
                continue
        return port


def wait_for(port: int, process: subprocess.Popen[bytes] | None = None, seconds: float = 15) -> None:
    """Return when something listens on `port`; fail when the process has ended or time is up."""
    deadline = time.monotonic() + seconds
    while True:
        try:
            socket.create_connection(("127.0.0.1", port), 1).close()
            return
        except OSError:
            if process is not None and process.poll() is not None:
                raise AssertionError(f"the server ended with {process.returncode}") from None
            if time.monotonic() > deadline:
                raise
            time.sleep(0.02)


def needs(program: str, package: str) -> str:
    """The path of a program; the test is skipped, by name, where it is missing or we are not root."""
    path = shutil.which(program, path=f"{os.environ.get('PATH', '')}:/usr/sbin:/sbin")
    if path is None:
        pytest.skip(f"{program} is missing: apt-get install {package}")
    if os.geteuid() != 0:
        pytest.skip(f"{program} of its own needs root")
    return path


@contextlib.contextmanager
def folder(prefix: str) -> Iterator[Path]:
    """A short temporary folder that other users may pass through."""
    path = Path(tempfile.mkdtemp(prefix=prefix, dir="/tmp"))
    path.chmod(0o755)
    try:
        yield path
    finally:
        shutil.rmtree(path, ignore_errors=True)


def stop(process: subprocess.Popen[bytes], seconds: float = 10) -> None:
    """End a process that we started."""
    if process.poll() is None:
        process.send_signal(signal.SIGTERM)
        try:
            process.wait(seconds)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()
