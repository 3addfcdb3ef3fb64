"""The embedded servers by themselves."""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import psycopg
import pytest
import redis

from config import embedded


@pytest.fixture(scope="module")
def servers() -> Iterator[embedded.Scratch]:
    with embedded.scratch() as running:
        yield running


def test_search_in_urdu_works(servers: embedded.Scratch) -> None:
    with psycopg.connect(servers.database_url) as connection:
        connection.execute("CREATE EXTENSION pg_trgm")
        row = connection.execute("SELECT lower('ÄÖ'), cardinality(show_trgm('پارسل'))").fetchone()
    assert row == ("äö", 6)


def test_redis_answers_on_its_socket_alone(servers: embedded.Scratch) -> None:
    client = redis.Redis.from_url(servers.redis_url)
    assert client.ping()
    assert client.config_get("port") == {"port": "0"}


def test_socket_folder_is_closed_to_others(servers: embedded.Scratch) -> None:
    assert (servers.data_dir / "sockets").stat().st_mode & 0o077 == 0


@pytest.mark.parametrize(
    "content",
    ["", "garbage\n", "1\n/elsewhere\n", f"{os.getpid()}\n"],
    ids=["empty", "garbage", "another-user", "ourselves"],
)
def test_stale_pid_file_of_a_foreign_process_is_removed(tmp_path: Path, content: str) -> None:
    pid_file = tmp_path / "postmaster.pid"
    pid_file.write_text(content)
    embedded.remove_stale_pid(tmp_path)
    assert not pid_file.exists()


def test_pid_file_of_a_running_server_is_kept(servers: embedded.Scratch) -> None:
    cluster = servers.data_dir / "postgres"
    embedded.remove_stale_pid(cluster)
    assert (cluster / "postmaster.pid").exists()


def test_a_killed_starter_leaves_no_server() -> None:
    script = (
        "from config import embedded\n"
        "with embedded.scratch() as s:\n"
        "    print(s.postgres.pid, s.redis.pid, s.data_dir, flush=True)\n"
        "    input()\n"
    )
    starter = subprocess.Popen([sys.executable, "-c", script], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
    assert starter.stdout is not None
    *pids, data_dir = starter.stdout.readline().split()
    starter.send_signal(signal.SIGKILL)
    starter.wait()
    deadline = time.monotonic() + 60
    while any(alive(int(pid)) for pid in pids):
        assert time.monotonic() < deadline
        time.sleep(0.05)
    subprocess.run(["rm", "-rf", data_dir], check=True)


def alive(pid: int) -> bool:
    """Whether `pid` runs; a zombie that its new parent has not read yet does not."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except FileNotFoundError:
        return False
