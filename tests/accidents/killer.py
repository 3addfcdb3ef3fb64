"""Kills what it is told to, at seeded random points of the work, and keeps a list of what died when."""

import random
import socket
import time
from collections.abc import Callable
from dataclasses import dataclass, field

import psutil
import psycopg
import redis

from config import local
from tests.accidents.house import House
from tests.instance import kill, until

KINDS = ("web", "worker", "beat", "mail", "redis", "postgres")
FLUSH = "flush"
SPAN = (0.03, 0.93)  # between which shares of the work things die
READY_WITHIN = 60  # seconds from a process's start
GOES_ON_WITHIN = 90  # seconds from an accident to the next piece of work


@dataclass
class Killer:
    """`progress` says which share of the work is done; `kills` is (name, time.monotonic()) of every accident.

    Points of the work rather than of time: then things die while there is something to lose, on any machine.
    """

    instance: House
    progress: Callable[[], float]
    seed: int
    each: int
    flushes: int
    kills: list[tuple[str, float]] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.random = random.Random(self.seed)
        self.plan = [kind for kind in KINDS for _time in range(self.each)] + [FLUSH] * self.flushes
        self.random.shuffle(self.plan)

    def run(self) -> None:
        """Go through the plan; returns at its end."""
        points = sorted(self.random.uniform(*SPAN) for _accident in self.plan)
        for name, point in zip(self.plan, points, strict=True):
            until(
                lambda point=point: self.progress() >= point,
                f"the work goes on after {self.kills[-3:]}",
                seconds=GOES_ON_WITHIN,
            )
            time.sleep(self.random.uniform(0, 0.2))
            if name == FLUSH:
                self._flush()
            else:
                self._kill(name)

    def _kill(self, name: str) -> None:
        # Who has not come back from the last death has nothing in hand.
        until(lambda: self._works(name), f"{name} has come back", seconds=READY_WITHIN)
        process = self.instance.programs()[name]
        victims = [process]
        if name == "worker":
            # The whole tree as when the machine dies, the parent alone, or one child as when memory runs out.
            children = process.children()
            ways = [[process, *children], [process], children[:1] or [process]]
            victims = ways[sum(done == name for done, _ in self.kills) % len(ways)]
        kill(victims)
        self.kills.append((name, time.monotonic()))

    def _works(self, name: str) -> bool:
        """Whether this process runs and does what it is there for."""
        process = self.instance.programs().get(name)
        if process is None:
            return False
        try:
            match name:
                case "web":
                    return self.instance.answers()
                case "mail":
                    with socket.create_connection(("127.0.0.1", self.instance.smtp_port), 2) as mail:
                        return mail.recv(3) == b"220"
                case "worker" | "beat":
                    pids = [process.pid, *(child.pid for child in process.children())]
                    beats = (
                        "SELECT count(*) FROM inbox_heartbeat WHERE process = %s AND split_part(name, ':', 3) = ANY(%s)"
                    )
                    return bool(self.instance.value(beats, name, [str(pid) for pid in pids]))
                case "postgres":
                    return bool(self.instance.value("SELECT 1"))
                case _:
                    return True
        except (OSError, psutil.NoSuchProcess, psycopg.OperationalError):
            return False

    def _flush(self) -> None:
        client = redis.Redis.from_url(local.redis_url(self.instance.data_dir), socket_timeout=2)
        deadline = time.monotonic() + 20
        while True:
            try:
                client.flushall()
                break
            except redis.ConnectionError:  # dead at the moment
                if time.monotonic() > deadline:
                    raise
                time.sleep(0.1)
        client.close()
        self.kills.append((FLUSH, time.monotonic()))
