"""Scratch servers for measurements, a fresh database for each, and child processes that report as JSON."""

from __future__ import annotations

import contextlib
import json
import os
import shutil
import statistics
import subprocess
import sys
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import psutil
import psycopg
from psycopg import sql

from config import embedded, local

BASE_DIR = Path(__file__).resolve().parent.parent.parent
SLUG = "support"


@dataclass(frozen=True)
class House:
    """The servers and the environment that a child process needs to work on database `name`."""

    servers: embedded.Scratch

    def url(self, name: str) -> str:
        return local.postgres_url(self.servers.data_dir, database=name)

    def environment(self, name: str) -> dict[str, str]:
        data = self.servers.data_dir / name
        (data / "static").mkdir(parents=True, exist_ok=True)
        return {
            **os.environ,
            "DATABASE_URL": self.url(name),
            "REDIS_URL": self.servers.redis_url,
            "DATA_DIR": str(data),
            "SECRET_KEY": "only-for-measurements-" + "x" * 40,
            "ENCRYPTION_KEYS": "MDEyMzQ1Njc4OWFiY2RlZjAxMjM0NTY3ODlhYmNkZWY=",
            "ALLOWED_HOSTS": "testserver,localhost",
            "ALLOW_PRIVATE_NETWORKS": "1",
            "DJANGO_SETTINGS_MODULE": "config.settings",
            "RABTA_PROCESS": "worker",
            "LOG_LEVEL": "WARNING",
        }

    @contextlib.contextmanager
    def sql(self, name: str) -> Iterator[psycopg.Connection]:
        with psycopg.connect(self.url(name), autocommit=True) as connection:
            yield connection

    def fresh(self, name: str, template: str | None = None) -> str:
        """An empty database, or a copy of `template` with its files; an older one is gone. Ends with a checkpoint."""
        with self.sql("postgres") as connection:
            connection.execute(sql.SQL("DROP DATABASE IF EXISTS {} WITH (FORCE)").format(sql.Identifier(name)))
            source = sql.SQL("TEMPLATE {}").format(sql.Identifier(template)) if template else sql.SQL("")
            connection.execute(sql.SQL("CREATE DATABASE {} {}").format(sql.Identifier(name), source))
            connection.execute("CHECKPOINT")
        shutil.rmtree(self.servers.data_dir / name, ignore_errors=True)
        if template and (files := self.servers.data_dir / template / "media").exists():
            shutil.copytree(files, self.servers.data_dir / name / "media", copy_function=os.link)
        return name

    def seeded(self, tickets: int, days: int = 180) -> str:
        """A database with the people of `people` and so many seeded tickets; one that is there already is used again.

        With `house(kept)`, it is there in the next run too: a million takes minutes to make.
        """
        name, whole = f"seeded{tickets}", f"{tickets} tickets, what stands beside them, and their facts"
        if days != 180:
            name = f"{name}in{days}"
        with self.sql("postgres") as connection:
            found = connection.execute(
                "SELECT shobj_description(oid, 'pg_database') FROM pg_database WHERE datname = %s", [name]
            ).fetchone()
            if found == (whole,):
                self.manage(name, "migrate", "--verbosity", "0", "--skip-checks")  # made by an older Rabta, perhaps
                return name
            self.fresh(name, "empty")
            self.run(name, "tests.bench.house", "people")
            self.manage(name, "seed", "--tickets", str(tickets), "--days", str(days), "--skip-checks")
            connection.execute(sql.SQL("COMMENT ON DATABASE {} IS {}").format(sql.Identifier(name), sql.Literal(whole)))
            connection.execute("CHECKPOINT")
        return name

    def postgres_cpu(self) -> float:
        """CPU seconds that PostgreSQL has used so far, its ended processes included."""
        top = psutil.Process(self.servers.postgres.pid)
        spent = sum(top.cpu_times()[:4])
        for child in top.children():
            with contextlib.suppress(psutil.NoSuchProcess):
                spent += sum(child.cpu_times()[:2])
        return float(spent)

    def start(self, name: str, module: str, *arguments: str) -> subprocess.Popen[str]:
        """`python -m module arguments` working on database `name`."""
        return subprocess.Popen(
            [sys.executable, "-m", module, *arguments],
            env=self.environment(name),
            cwd=BASE_DIR,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )

    def run(self, name: str, module: str, *arguments: str) -> dict[str, Any]:
        """What such a process reports: the JSON of its last line."""
        return report(self.start(name, module, *arguments))

    def manage(self, name: str, *arguments: str) -> None:
        subprocess.run([sys.executable, "manage.py", *arguments], env=self.environment(name), cwd=BASE_DIR, check=True)


def report(process: subprocess.Popen[str]) -> dict[str, Any]:
    """Wait for a child of `start`; returns what it reported. Raises RuntimeError when it failed."""
    output, _ = process.communicate()
    if process.returncode:
        raise RuntimeError(f"{process.args!r} ended with {process.returncode}")
    found: dict[str, Any] = json.loads(output.strip().splitlines()[-1])
    return found


@contextlib.contextmanager
def house(kept: Path | None = None) -> Iterator[House]:
    """PostgreSQL that flushes as in production, a real Redis, and the database `empty` with one e-mail channel.

    `kept` is a folder that stays, with its databases.
    """
    with embedded.scratch(durable=True, kept=kept) as servers:
        made = House(servers)
        made.fresh("empty")
        made.manage("empty", "migrate", "--verbosity", "0", "--skip-checks")
        settings = json.dumps({"address": "support@desk.example", "name": "Support"})
        made.run("empty", "tests.bench.house", "channel", settings)
        yield made


def make_channel(settings: dict[str, Any]) -> None:
    """The channel of all measurements; runs in a child process."""
    from inbox.models import Channel

    Channel.objects.create(kind="email", name="Support", slug=SLUG, addresses=[settings["address"]], settings=settings)


def make_people() -> None:
    """Six agents in two teams, and an inbox that some of them do not see: what a page has to ask about."""
    from inbox.models import Agent, Channel, Role, Team

    teams = [Team.objects.create(name=name, slug=name.lower()) for name in ("Orders", "Billing")]
    for number, role in enumerate([Role.AGENT] * 4 + [Role.MANAGER, Role.ADMIN]):
        agent = Agent.objects.create_user(f"agent{number}@desk.example", name=f"Agent {number}", role=role)
        agent.teams.add(teams[number % 2])
    board = Team.objects.create(name="Board", slug="board", private=True)
    hidden = Channel.objects.create(
        kind="email", name="Board", slug="board", settings={"address": "board@desk.example"}
    )
    hidden.teams.add(board)


def spread(values: Iterable[float], digits: int = 0) -> str:
    """Median, least and most."""
    found = sorted(values)
    return f"{statistics.median(found):.{digits}f} ({found[0]:.{digits}f}-{found[-1]:.{digits}f})"


def table(head: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    """Rows as Markdown."""
    lines = [head, ["---"] * len(head), *rows]
    return "\n".join("| " + " | ".join(line) + " |" for line in lines)


def main() -> None:
    import django

    django.setup()
    if sys.argv[1] == "people":
        make_people()
    else:
        make_channel(json.loads(sys.argv[2]))
    print("{}")


if __name__ == "__main__":
    main()
