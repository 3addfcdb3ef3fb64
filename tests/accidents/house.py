"""A Rabta under `up` as these tests need it: no demo, short leases, one mailbox whose customers live in the sink."""

import contextlib
import fcntl
import json
import os
import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import psycopg
from psycopg.rows import dict_row

from config import local
from tests.accidents.sink import Sink
from tests.instance import Instance, kill

SUPPORT = "support@rabta.example"
SANA, PASSWORD = "sana@rabta.example", "between-two-rivers"
LEASE_SECONDS = 5


class House(Instance):
    """`manage.py up --no-demo`. `more` are further settings."""

    def __init__(self, data_dir: Path, **more: str) -> None:
        super().__init__(data_dir)
        self.more = more

    def environment(self) -> dict[str, str]:
        return {
            **super().environment(),
            "ALLOW_PRIVATE_NETWORKS": "1",
            "INTAKE_LEASE_SECONDS": str(LEASE_SECONDS),
            "DELIVERY_LEASE_SECONDS": str(LEASE_SECONDS),
            **self.more,
        }

    def command(self) -> list[str]:
        return [*super().command(), "--no-demo"]

    def rows(self, sql: str, *values: Any) -> list[dict[str, Any]]:
        """What a query of the instance's own database gives. Raises psycopg.OperationalError while it is away."""
        url = local.postgres_url(self.data_dir)
        with psycopg.connect(url, row_factory=dict_row, autocommit=True, connect_timeout=5) as connection:
            return connection.execute(sql, values or None).fetchall()

    def value(self, sql: str, *values: Any) -> Any:
        return next(iter(self.rows(sql, *values)[0].values()))

    def log(self, name: str, lines: int = 60) -> str:
        """The end of one process's log, to be shown when a test fails."""
        path = self.data_dir / "log" / f"{name}.log"
        return "\n".join(path.read_text(errors="replace").splitlines()[-lines:]) if path.exists() else ""


def installed() -> Path:
    """A data folder that was started and stopped, made once for all tests that run side by side: what a first start
    makes of an empty one is looked at in tests/config/test_up.py, and takes three times as long.
    """
    place = Path(os.environ["RABTA_TEST_SERVERS"], "installed")
    with place.with_name("installing").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not place.exists():
            first = House(place.with_name("half_installed"))
            try:
                first.start()
                assert first.stop() == 0
            except BaseException:
                kill(first.leftovers())
                shutil.rmtree(first.data_dir, ignore_errors=True)
                raise
            first.data_dir.rename(place)
    return place


@contextlib.contextmanager
def running(**more: str) -> Iterator[House]:
    """A House of its own while the block runs, empty; fails when anything of it outlives it.

    Not in pytest's own folder: every other run of pytest closes that to the user whom the servers run as.
    """
    folder = Path(tempfile.mkdtemp(prefix="rabta-accidents-", dir="/tmp"))
    house = House(folder / "data", **more)
    subprocess.run(["cp", "--archive", str(installed()), str(house.data_dir)], check=True)
    try:
        yield house.start()
    finally:
        if house.process is not None:
            house.stop()
        left = house.leftovers()
        shutil.rmtree(folder, ignore_errors=True)
    assert not left


@dataclass
class Desk:
    """Who and what the tests need in it: the mailbox's id, and Sana's API token."""

    channel: int
    token: str


def furnish(house: House, sink: Sink, **settings: Any) -> Desk:
    """Make the mailbox, and the agent Sana with a token."""
    given = {
        "address": SUPPORT,
        "name": "Support",
        "plus_addressing": True,
        "smtp": {"host": "127.0.0.1", "port": sink.port, "security": "none"},
        **settings,
    }
    with ThreadPoolExecutor() as pool:  # each takes seconds to start
        made = pool.submit(house.manage, "createchannel", "email", "support", "--settings", json.dumps(given))
        house.manage("createagent", SANA, "--role", "admin", "--password-stdin", stdin=f"{PASSWORD}\n")
        token = house.manage("createtoken", SANA, "--scope", "admin").strip()
    return Desk(int(json.loads(made.result())["id"]), token)
