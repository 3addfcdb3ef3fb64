"""The test run's own PostgreSQL and Redis: started before the settings load, gone at the end.

Under pytest-xdist the controller starts them; its workers inherit the addresses and take a database each.
"""

import atexit
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
