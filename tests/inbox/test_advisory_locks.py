"""Each class of advisory locks is one thing's alone, and stands in inbox/locks.py."""

import re
from pathlib import Path

from django.conf import settings

from inbox import locks

FOLDERS = ("api", "channels_chat", "channels_email", "channels_social", "config", "inbox", "reports", "sandbox")


def test_no_two_classes_are_alike() -> None:
    numbers = [value for name, value in vars(locks).items() if name.isupper()]
    assert len(numbers) == len(set(numbers)) > 5


def test_every_lock_takes_its_class_from_there() -> None:
    """No call of PostgreSQL's functions has a number written into it."""
    calls = 0
    for path in [path for folder in FOLDERS for path in Path(settings.BASE_DIR, folder).rglob("*.py")]:
        for call in re.findall(r"pg_(?:try_)?advisory_(?:xact_)?(?:un)?lock\(([^,)]*)", path.read_text()):
            calls += 1
            assert not call.strip().isdigit(), f"{path}: {call}"
    assert calls > 8
