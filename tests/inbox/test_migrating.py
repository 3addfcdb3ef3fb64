"""Migrations leave the tables usable while they run, and are done by running them again after an accident."""

from collections.abc import Iterator
from contextlib import contextmanager
from importlib import import_module
from typing import Any

import pytest
from django.apps import apps
from django.db import IntegrityError, connection, models
from django.db.backends.postgresql.schema import DatabaseSchemaEditor
from django.db.migrations.executor import MigrationExecutor
from django.db.migrations.loader import MigrationLoader
from django.db.migrations.state import ProjectState
from django.test.utils import CaptureQueriesContext

from inbox.migrating import BOUND_LOCKS, BuildIndex, DropOwnIndex, ReplaceIndex
from inbox.models import Ticket

NAME = "ticket_trash"
(NEW,) = (one for one in Ticket._meta.indexes if one.name == NAME)
OLD = models.Index(fields=["-last_message_at"], name=NAME, condition=models.Q(trashed_at__isnull=False))


def columns(name: str) -> str:
    """The columns of an index that is whole; empty where there is none."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT substring(pg_get_indexdef(indexrelid) FROM 'USING btree (.*) WHERE') FROM pg_index"
            " WHERE indexrelid = to_regclass(%s) AND indisvalid",
            [name],
        )
        row = cursor.fetchone()
    return row[0] if row else ""


@pytest.mark.django_db(transaction=True)
def test_an_index_is_replaced_beside_work_and_again_after_an_accident(monkeypatch: pytest.MonkeyPatch) -> None:
    replace, state = ReplaceIndex("ticket", OLD, NEW), ProjectState.from_apps(apps)
    before, build = columns(NAME), DatabaseSchemaEditor.add_index
    with connection.schema_editor(atomic=False) as editor:
        replace.database_backwards("inbox", editor, state, state)
    assert columns(NAME) == "(last_message_at DESC)"

    def broken(editor: DatabaseSchemaEditor, *given: object, **how: object) -> None:
        assert columns(f"{NAME}_before"), "the old one serves meanwhile"
        raise KeyboardInterrupt

    monkeypatch.setattr(DatabaseSchemaEditor, "add_index", broken)
    with pytest.raises(KeyboardInterrupt), connection.schema_editor(atomic=False) as editor:
        replace.database_forwards("inbox", editor, state, state)
    monkeypatch.setattr(DatabaseSchemaEditor, "add_index", build)
    with connection.schema_editor(atomic=False) as editor:
        replace.database_forwards("inbox", editor, state, state)
    assert columns(NAME) == before and not columns(f"{NAME}_before")


RELEASED = "0007_api_indexes"  # the newest migration that was written without the operations tested here
# Of each migration that builds indexes of older tables one, with its table: their builds are broken off.
BROKEN = {
    "ticket_trash": "inbox_ticket",
    "customer_tags": "inbox_customer",
    "ticket_by_created": "inbox_ticket",
    "message_of_customer": "inbox_message",
}


def schema() -> set[tuple[str, str, str]]:
    """All indexes and constraints of this app's tables: name, definition, and whether they are valid."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT indexrelid::regclass::text, pg_get_indexdef(indexrelid), indisvalid::text FROM pg_index"
            " WHERE indrelid::regclass::text LIKE 'inbox%'"
            " UNION ALL SELECT conname, conrelid::regclass || ' ' || pg_get_constraintdef(oid), convalidated::text"
            " FROM pg_constraint WHERE conrelid::regclass::text LIKE 'inbox%'"
        )
        return set(cursor.fetchall())


def migrate(name: str) -> tuple[str, Any]:
    """Migrate this app; give the statements sent, and the models as they are then."""
    executor = MigrationExecutor(connection)
    with CaptureQueriesContext(connection) as sent:
        executor.migrate([("inbox", name)])
    return "\n".join(one["sql"] for one in sent), executor.loader.project_state([("inbox", name)]).apps


@contextmanager
def other_database() -> Iterator[None]:
    """An empty database beside that of the tests, whose tables they rebuild; the connection leads there meanwhile."""
    usual = connection.settings_dict["NAME"]
    other = f"{usual}_migrated"
    with connection.cursor() as cursor:
        cursor.execute(f'CREATE DATABASE "{other}" TEMPLATE template0')
    connection.close()
    connection.settings_dict["NAME"] = other
    try:
        yield
    finally:
        connection.close()
        connection.settings_dict["NAME"] = usual
        with connection.cursor() as cursor:
            cursor.execute(f'DROP DATABASE "{other}"')


@pytest.mark.django_db(transaction=True)
def test_an_installation_with_data_and_accidents_ends_as_a_new_one_begins() -> None:
    ((_, newest),) = MigrationLoader(None).graph.leaf_nodes("inbox")
    with other_database():
        migrate(newest)
        fresh = schema()
    with other_database():
        sent, upgraded = upgrade(newest), schema()
    assert upgraded == fresh and {valid for *_, valid in fresh} == {"true"}
    sent = sent.replace('DROP CONSTRAINT "block_once"', "")  # unique, of a small table
    assert "DROP INDEX CONCURRENTLY" in sent and "DROP CONSTRAINT" not in sent, "no foreign key is checked again"


def upgrade(newest: str) -> str:
    """Migrate what is released, with data and accidents, to the newest; give the statements sent."""
    _, then = migrate(RELEASED)
    of = {name: then.get_model("inbox", name) for name in ("Organisation", "Customer", "Channel", "Ticket", "Message")}
    shop = of["Organisation"].objects.create(name="Karvaan")
    post = of["Channel"].objects.create(kind="email", name="Post", slug="post")
    for number in (1, 2):
        ayesha = of["Customer"].objects.create(organisation=shop)
        ticket = of["Ticket"].objects.create(
            number=number, customer=ayesha, organisation=shop, channel=post, reply_channel=post
        )
        of["Message"].objects.create(ticket=ticket, first_ticket=ticket, customer=ayesha, channel=post, direction="in")
    with connection.cursor() as cursor:
        for name, table in BROKEN.items():  # two rows that are the same: the build fails, its index stays
            with pytest.raises(IntegrityError):
                cursor.execute(f"CREATE UNIQUE INDEX CONCURRENTLY {name} ON {table} ((1))")
        cursor.execute(  # as a drop leaves it that is interrupted
            "UPDATE pg_index SET indisvalid = false WHERE indexrelid::regclass::text LIKE 'inbox_message_customer_id_%'"
        )
        assert cursor.rowcount == 1

    sent, _ = migrate(newest)
    return sent


@pytest.mark.django_db(transaction=True)
def test_an_own_index_is_dropped_and_comes_back_whatever_was_done_already() -> None:
    (drop,) = (
        one
        for one in import_module("inbox.migrations.0018_bounded_lists").Migration.operations
        if isinstance(one, DropOwnIndex) and one.model_name == "message"
    )
    after, state = schema(), ProjectState.from_apps(apps)
    with connection.schema_editor(atomic=False) as editor:
        for _again in range(2):
            drop.database_backwards("inbox", editor, state, state)
            (own,) = schema() - after
            assert own[0].startswith("inbox_message_customer_id_") and own[1].endswith("USING btree (customer_id)")
        for _again in range(2):
            drop.database_forwards("inbox", editor, state, state)
            assert schema() == after


def test_no_migration_keeps_everybody_waiting() -> None:
    """From here on each one either bounds its locks or does nothing but concurrent work."""
    concurrent = (BuildIndex, DropOwnIndex, ReplaceIndex)
    for (app, name), migration in MigrationLoader(None).disk_migrations.items():
        if app == "inbox" and name > RELEASED:
            if migration.atomic:
                assert migration.operations[0] is BOUND_LOCKS, name
            else:
                assert all(isinstance(one, concurrent) for one in migration.operations), name
