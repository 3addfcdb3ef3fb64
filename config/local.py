"""The embedded PostgreSQL and Redis of `manage.py up`: where they live and how they are started.

Pure paths and URLs first, because the settings ask for them in every process.
"""

import hashlib
import json
import os
import secrets as random
import tempfile
from pathlib import Path
from typing import TypedDict
from urllib.parse import parse_qsl, urlsplit

from cryptography.fernet import Fernet


class Secrets(TypedDict):
    SECRET_KEY: str
    ENCRYPTION_KEYS: list[str]


def socket_dir(data_dir: Path) -> Path:
    """Where the servers' unix sockets live."""
    return short_folder(data_dir, "sockets")


def run_dir(data_dir: Path) -> Path:
    """Where the supervisor keeps its configuration and its own socket."""
    return short_folder(data_dir, "run")


def short_folder(data_dir: Path, name: str) -> Path:
    """A folder for sockets: a path over about 107 bytes cannot be bound, then it lies in /tmp."""
    inside = data_dir / name
    if len(os.fsencode(inside)) < 80:
        return inside
    return Path("/tmp") / f"rabta-{hashlib.sha256(os.fsencode(data_dir)).hexdigest()[:12]}-{name}"


def make_private(data_dir: Path) -> None:
    """Make the data folder unless it is there; nobody else may look into it (as root, the servers pass through).

    Git does not look into it either, should it lie in a clone: nobody publishes keys and mail by `git add`.
    """
    if not data_dir.exists():
        data_dir.mkdir(parents=True)
        data_dir.chmod(0o711 if os.geteuid() == 0 else 0o700)
        (data_dir / ".gitignore").write_text("*\n")


def postgres_url(data_dir: Path, database: str = "rabta") -> str:
    """Address of `database` in the embedded PostgreSQL of `data_dir`."""
    return f"postgresql://postgres@/{database}?host={socket_dir(data_dir)}"


def redis_url(data_dir: Path) -> str:
    """Address of the embedded Redis of `data_dir`."""
    return f"unix://{socket_dir(data_dir)}/redis.sock"


def broker_url(redis_url: str) -> str:
    """A Redis URL as Celery spells it: it knows unix sockets under another scheme."""
    if not redis_url.startswith("unix://"):
        return redis_url
    path = redis_url.removeprefix("unix://").partition("?")[0]
    return f"redis+socket://{path}?virtual_host={redis_database(redis_url)}"


def redis_database(redis_url: str) -> int:
    """Which of its databases a Redis URL names, as redis-py reads it: by path (redis://host/2), or ?db=2; usually 0."""
    parts = urlsplit(redis_url)
    path = parts.path.strip("/") if parts.scheme in ("redis", "rediss") else ""
    return int(dict(parse_qsl(parts.query)).get("db") or path or 0)


def secrets(data_dir: Path) -> Secrets:
    """The secrets kept under `data_dir`, made on first use, readable by the owner alone."""
    path = data_dir / "secrets.json"
    try:
        kept: Secrets = json.loads(path.read_text())
        return kept
    except FileNotFoundError:
        pass
    make_private(data_dir)
    made: Secrets = {"SECRET_KEY": random.token_urlsafe(50), "ENCRYPTION_KEYS": [Fernet.generate_key().decode()]}
    handle, name = tempfile.mkstemp(dir=data_dir)
    with os.fdopen(handle, "w") as file:
        json.dump(made, file)
    try:
        os.link(name, path)  # of two processes starting at once one wins, and both read what it wrote
    except FileExistsError:
        pass
    finally:
        Path(name).unlink()
    kept = json.loads(path.read_text())
    return kept


def has_static_files(folder: Path) -> bool:
    """Whether `config.assets.collect` made its files here, whole."""
    try:
        return bool(json.loads((folder / "staticfiles.json").read_text())["paths"])
    except (FileNotFoundError, ValueError, KeyError):
        return False
