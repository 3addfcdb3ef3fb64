"""Migrations, settings and translations fit the code."""

import ast
import os
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import polib
import pytest
from django.conf import settings
from django.core.checks import run_checks
from django.core.management import call_command
from django.urls import get_resolver
from redis.connection import parse_url

from config import errors, local, supervision, translations

CATALOGUES = sorted(path for folder in settings.LOCALE_PATHS for path in Path(folder).glob("*/LC_MESSAGES/*.po"))


@pytest.mark.django_db
def test_no_migration_is_missing() -> None:
    call_command("makemigrations", check=True, dry_run=True, verbosity=0)


def test_it_runs_without_what_only_the_tests_need() -> None:
    """Nothing that `make run` loads comes from requirements-dev.txt."""
    script = (
        "import sys\n"
        "for name in ('django_stubs_ext', 'pytest', 'hypothesis', 'html5lib', 'playwright'):\n"
        "    sys.modules[name] = None\n"  # importing it then fails
        "sys.argv = ['manage.py', 'check']\n"
        "import manage; manage.main(); import config.asgi\n"
    )
    subprocess.run([sys.executable, "-c", script], cwd=settings.BASE_DIR, check=True, capture_output=True, text=True)


@pytest.mark.django_db
def test_system_checks_find_nothing() -> None:
    assert run_checks(databases=["default"]) == []


@pytest.mark.parametrize("path", CATALOGUES, ids=lambda path: path.parts[-3])
def test_translations_are_complete(path: Path) -> None:
    catalogue = polib.pofile(str(path))
    if path.parts[-3] != "en":
        assert [entry.msgid for entry in catalogue.untranslated_entries() + catalogue.fuzzy_entries()] == []


TRANSLATES = re.compile(r"""\{%\s*translate\s+(?:"([^"]*)"|'([^']*)')""")


def asked_in(source: str) -> Iterator[str]:
    """The constant strings that a module hands to Django's translation functions, by whatever name it calls them."""
    tree = ast.parse(source)
    names = {
        one.asname or one.name
        for node in ast.walk(tree)
        if isinstance(node, ast.ImportFrom) and node.module == "django.utils.translation"
        for one in node.names
        if one.name in {"gettext", "gettext_lazy", "gettext_noop", "ngettext", "ngettext_lazy"}
    }
    for node in ast.walk(tree):
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id in names:
            first = node.args[0]
            if isinstance(first, ast.Constant) and isinstance(first.value, str):
                yield first.value


@pytest.mark.parametrize("path", CATALOGUES, ids=lambda path: path.parts[-3])
def test_all_that_people_read_is_in_the_catalogue(path: Path) -> None:
    """Strings under an alias that makemessages does not know would stay English, and nobody would hear of it."""
    asked: set[str] = set()
    for folder in settings.BASE_DIR.iterdir():
        if folder.name != "tests" and not folder.name.startswith(".") and folder.is_dir():
            for source in folder.rglob("*.py"):
                asked.update(asked_in(source.read_text()))
            for template in folder.rglob("*.html"):
                asked.update("".join(found) for found in TRANSLATES.findall(template.read_text()))
    assert len(asked) > 1000
    known = {entry.msgid for entry in polib.pofile(str(path))}
    assert sorted(asked - known) == []


def test_translations_are_compiled_once(tmp_path: Path) -> None:
    folder = tmp_path / "ur" / "LC_MESSAGES"
    folder.mkdir(parents=True)
    (folder / "django.po").write_text('msgid ""\nmsgstr "Content-Type: text/plain; charset=UTF-8"\n')
    assert translations.compile_translations(tmp_path) == [folder / "django.mo"]
    assert translations.compile_translations(tmp_path) == []


def test_every_setting_is_documented() -> None:
    """Each environment variable that the settings read has a row in docs/settings.md."""
    source = "".join((settings.BASE_DIR / "config" / name).read_text() for name in ("settings.py", "options.py"))
    read = set(re.findall(r'(?:environ\.get|flag|listed|number)\(\s*"([A-Z_0-9]+)"', source))
    documented = set(re.findall(r"`([A-Z_0-9]+)`", (settings.BASE_DIR / "docs" / "settings.md").read_text()))
    assert len(read) > 20
    assert read - documented == set()


def test_production_needs_its_secrets(tmp_path: Path) -> None:
    environment = {
        "PATH": os.environ["PATH"],
        "DATA_DIR": str(tmp_path),
        "DATABASE_URL": "postgresql://db.example/rabta",
        "DJANGO_SETTINGS_MODULE": "config.settings",
    }
    done = subprocess.run(
        [sys.executable, "manage.py", "migrate"],
        env=environment,
        cwd=settings.BASE_DIR,
        capture_output=True,
        text=True,
    )
    assert done.returncode != 0
    assert done.stderr.startswith("manage.py: Set SECRET_KEY and ENCRYPTION_KEYS")
    assert done.stderr.count("\n") == 1  # a sentence for whoever restores a backup, and no traceback


def test_git_does_not_see_a_data_folder_in_a_clone(tmp_path: Path) -> None:
    subprocess.run(["git", "init", "-q", tmp_path], check=True)
    local.secrets(tmp_path / "mine")
    status = ["git", "-C", str(tmp_path), "status", "--porcelain", "--untracked-files=all"]
    assert subprocess.run(status, capture_output=True, text=True, check=True).stdout == ""


def test_secrets_are_kept_and_private(tmp_path: Path) -> None:
    made = local.secrets(tmp_path / "data")
    assert local.secrets(tmp_path / "data") == made
    assert (tmp_path / "data" / "secrets.json").stat().st_mode & 0o077 == 0


@pytest.mark.parametrize(
    ("url", "expected"),
    [
        ("redis://broker:6379/1", "redis://broker:6379/1"),
        ("unix:///run/redis.sock", "redis+socket:///run/redis.sock?virtual_host=0"),
        ("unix:///run/redis.sock?db=3", "redis+socket:///run/redis.sock?virtual_host=3"),
    ],
)
def test_broker_url(url: str, expected: str) -> None:
    assert local.broker_url(url) == expected


@pytest.mark.parametrize(
    "url",
    [
        "redis://broker:6379/1",
        "rediss://user:secret@broker",
        "redis://broker/2?db=3",
        "unix:///run/redis.sock",
        "unix:///run/4/redis.sock?timeout=5&db=5",
    ],
)
def test_the_database_of_a_redis_is_the_one_that_clients_take(url: str) -> None:
    assert local.redis_database(url) == parse_url(url).get("db", 0)  # type: ignore[no-untyped-call]


def test_test_runs_side_by_side_have_a_redis_each(worker_id: str) -> None:
    """Else they hear each other's news, share counts, and fail by turns."""
    assert local.redis_database(settings.REDIS_URL) == (0 if worker_id == "master" else 1 + int(worker_id[2:]))


def test_two_on_one_redis_do_not_hear_each_other() -> None:
    """Redis hands what is published to all of its databases."""
    config = settings.CHANNEL_LAYERS["default"]["CONFIG"]
    assert config["prefix"] == f"rabta{local.redis_database(config['hosts'][0])}"


def test_long_paths_keep_their_sockets_in_tmp(tmp_path: Path) -> None:
    deep = tmp_path / ("x" * 120)
    assert len(os.fsencode(local.socket_dir(deep))) < 60
    assert local.socket_dir(deep) != local.run_dir(deep)


def test_up_runs_the_commands_of_the_procfile() -> None:
    names = [program.name for program in supervision.app_programs(demo=False)]
    assert set(supervision.procfile()) == {"web", "worker", "beat", "mail"}
    assert set(names) == {"web", "worker", "worker-live", "worker-social", "beat", "mail"}


def test_failures_are_answered_by_our_handler() -> None:
    assert get_resolver().resolve_error_handler(500) is errors.server_error


def test_checks_name_what_is_not_fit_for_production() -> None:
    found = {message.id for message in run_checks(tags=["security"], include_deployment_checks=True)}
    assert "config.W001" in found  # the test run is a demo
