"""An index is replaced beside the work that needs it: the old one serves until the new one is there."""

import pytest
from django.apps import apps
from django.db import connection, models
from django.db.backends.postgresql.schema import DatabaseSchemaEditor
from django.db.migrations.state import ProjectState

from inbox.migrating import ReplaceIndex
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
