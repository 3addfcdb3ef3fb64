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

from cryptography.fernet import Fernet


class Secrets(TypedDict):
    SECRET_KEY: str
    ENCRYPTION_KEYS: list[str]


def socket_dir(data_dir: Path) -> Path:
    """Where the servers' unix sockets live: a short path, since one over about 107 bytes cannot be bound."""
    inside = data_dir / "sockets"
    if len(os.fsencode(inside)) < 80:
        return inside
    return Path("/tmp") / f"rabta-{hashlib.sha256(os.fsencode(data_dir)).hexdigest()[:12]}"


def postgres_url(data_dir: Path, database: str = "rabta") -> str:
    """Address of `database` in the embedded PostgreSQL of `data_dir`."""
    return f"postgresql://postgres@/{database}?host={socket_dir(data_dir)}"


def redis_url(data_dir: Path) -> str:
    """Address of the embedded Redis of `data_dir`."""
    return f"unix://{socket_dir(data_dir)}/redis.sock"


def secrets(data_dir: Path) -> Secrets:
    """The secrets kept under `data_dir`, made on first use, readable by the owner alone."""
    path = data_dir / "secrets.json"
    try:
        kept: Secrets = json.loads(path.read_text())
        return kept
    except FileNotFoundError:
        pass
    data_dir.mkdir(parents=True, exist_ok=True)
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
