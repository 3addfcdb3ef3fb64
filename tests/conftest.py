"""The test run's own PostgreSQL and Redis: started before the settings load, gone at the end.

Under pytest-xdist the controller starts them; its workers inherit the addresses and take a database each.
"""

import atexit
import fcntl
import os
from contextlib import ExitStack
from pathlib import Path

import django

from config import embedded
from config.translations import compile_translations


def start_servers() -> None:
    stack = ExitStack()
    atexit.register(stack.close)
    compile_translations(Path(__file__).resolve().parent.parent / "config" / "locale")
    servers = stack.enter_context(embedded.scratch())
    (servers.data_dir / "data" / "static").mkdir(parents=True)
    os.environ.update(
        DATABASE_URL=servers.database_url,
        REDIS_URL=servers.redis_url,
        DATA_DIR=str(servers.data_dir / "data"),
        SECRET_KEY="only-for-tests-" + "x" * 40,
        ENCRYPTION_KEYS="MDEyMzQ1Njc4OWFiY2RlZjAxMjM0NTY3ODlhYmNkZWY=",
        BASE_URL="http://testserver",
        ALLOWED_HOSTS="testserver,localhost,127.0.0.1",
        ALLOW_PRIVATE_NETWORKS="1",
        DEMO="1",
        RABTA_TEST_SERVERS=str(servers.data_dir),
    )


if "RABTA_TEST_SERVERS" not in os.environ:
    start_servers()
if worker := os.environ.get("PYTEST_XDIST_WORKER"):
    # Redis has sixteen databases by default; each worker keeps its wake-ups to itself.
    os.environ["REDIS_URL"] = f"{os.environ['REDIS_URL'].split('?')[0]}?db={1 + int(worker.removeprefix('gw')) % 15}"

# Only now, and here rather than later, so that the conftests of folders below may import models.
os.environ["DJANGO_SETTINGS_MODULE"] = "config.settings"
django.setup()

# Only now: the settings have to be there.
from collections.abc import Iterator  # noqa: E402

import pytest  # noqa: E402
import pytest_django  # noqa: E402
from asgiref.sync import SyncToAsync  # noqa: E402
from django.conf import settings  # noqa: E402
from django.contrib.auth.hashers import PBKDF2PasswordHasher  # noqa: E402
from django.core.management import call_command  # noqa: E402
from django.db import connection, connections  # noqa: E402
from django.test import TransactionTestCase  # noqa: E402
from django.utils import timezone, translation  # noqa: E402

from lib import processes  # noqa: E402

# Files of a whole Rabta, as five workers take them: one that has a single test is taken together with those that follow
# when a worker begins, so that each comes to much the same.
WHOLE = (
    "accidents/test_kill.py",
    "accidents/test_away.py",
    "accidents/test_webhooks.py",
    "config/test_up_again.py",
    "accidents/test_chat.py",
    "config/test_up.py",
    "accidents/test_messengers.py",
    "accidents/test_storm.py",
    "accidents/test_delivery.py",
    "accidents/test_receive.py",
)
MIGRATED = "migrated"  # the database that all tests' own begin as
KEPT = {"django_migrations", "django_content_type", "auth_permission"}  # the same after every test


def empty_tables(self: TransactionTestCase) -> None:
    """Take away what a test committed: from the few tables that have rows, where Django's own flush empties them all
    (each a file to be made anew) and then writes its permissions again.
    """
    tables = sorted(set(connection.introspection.django_table_names(only_existing=True, include_views=False)) - KEPT)
    with connection.cursor() as cursor:
        cursor.execute(" UNION ALL ".join(f"SELECT '{one}' WHERE EXISTS (SELECT FROM \"{one}\")" for one in tables))
        filled = [name for (name,) in cursor.fetchall()]
        if filled:
            # Without foreign keys being looked at: all that belongs together goes in one transaction.
            deletes = "".join(f'DELETE FROM "{one}";' for one in filled)
            cursor.execute(f"BEGIN; SET LOCAL session_replication_role = replica; {deletes} COMMIT")


TransactionTestCase._fixture_teardown = empty_tables  # type: ignore[attr-defined]
PBKDF2PasswordHasher.iterations = 1000  # a third of a second for each password is for those who steal them


@pytest.fixture(autouse=True)
def own_language_and_zone() -> Iterator[None]:
    """A request leaves its agent's language and zone behind in this thread: they are no other test's."""
    yield
    translation.activate(settings.LANGUAGE_CODE)
    timezone.deactivate()


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Tests of a whole Rabta are a few long files, each of which is one worker's: whichever begins last ends last."""
    turns = {name: turn for turn, name in enumerate(WHOLE)}
    items.sort(key=lambda item: turns.get(f"{item.path.parent.name}/{item.path.name}", -1))


def pytest_collection_finish() -> None:
    """Else each collection of garbage goes through thousands of tests that are none, a seventh of what they take."""
    processes.keep_loaded()


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_setupnodes() -> None:
    """Workers inherit what is set here: with the settings' name, they would load them without a Redis of their own."""
    os.environ.pop("DJANGO_SETTINGS_MODULE", None)


@pytest.fixture(scope="session")
def django_db_modify_db_settings(
    django_db_modify_db_settings_parallel_suffix: None, django_db_blocker: pytest_django.DjangoDbBlocker
) -> None:
    """Under pytest-xdist one worker runs the migrations, which takes seconds, and all copy its database."""
    if "PYTEST_XDIST_WORKER" not in os.environ:
        return
    database = connection.settings_dict
    lock_at = Path(os.environ["RABTA_TEST_SERVERS"]) / "migrated.lock"
    with lock_at.open("a") as lock, django_db_blocker.unblock():
        fcntl.flock(lock, fcntl.LOCK_EX)
        own, server = database["NAME"], connection._nodb_cursor
        with server() as cursor:
            cursor.execute("SELECT FROM pg_database WHERE datname = %s", [MIGRATED])
            done = cursor.fetchone() is not None
        if not done:
            with server() as cursor:
                cursor.execute("CREATE DATABASE half_migrated")
            database["NAME"] = "half_migrated"
            call_command("migrate", verbosity=0)
            connections.close_all()
            database["NAME"] = own
            with server() as cursor:
                cursor.execute(f"ALTER DATABASE half_migrated RENAME TO {MIGRATED}")
    database["TEST"]["TEMPLATE"] = MIGRATED


@pytest.fixture(scope="session")
def django_db_setup(django_db_setup: None) -> Iterator[None]:
    """Async tests read in a thread of asgiref's: its connection would keep the database from being dropped."""
    yield
    SyncToAsync.single_thread_executor.submit(connections.close_all).result()
