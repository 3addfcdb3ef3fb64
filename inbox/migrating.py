"""Operations of migrations that leave tables of millions of rows usable while they run.

Those that build or drop an index do so concurrently, in migrations with `atomic = False`. Interrupted at any moment,
such a migration is done by running it again.
"""

from __future__ import annotations

from typing import Any

from django.contrib.postgres.operations import AddIndexConcurrently, NotInTransactionMixin
from django.db import migrations, models
from django.db.migrations.operations.base import Operation
from django.db.migrations.state import ProjectState

BEFORE = "_before"  # what an index is called until its successor is there
# First in a migration that changes tables which are read all day (each change takes a moment, but a moment alone with
# its table): rather fail, and be run again, than let everybody wait behind a query that takes minutes. Not for
# concurrent work, which nobody waits for, and which itself waits for every transaction that began before it.
BOUND_LOCKS = migrations.RunSQL("SET LOCAL lock_timeout = '10s'", migrations.RunSQL.noop)


def build(schema_editor: Any, model: type[models.Model], index: models.Index) -> None:
    """Build an index concurrently, unless it is there; one that an interrupted build left behind makes way."""
    name = schema_editor.quote_name(index.name)
    with schema_editor.connection.cursor() as cursor:
        cursor.execute("SELECT indisvalid FROM pg_index WHERE indexrelid = to_regclass(%s)", [name])
        found = cursor.fetchone()
    if found == (True,):
        return
    if found:
        schema_editor.execute(f"DROP INDEX CONCURRENTLY IF EXISTS {name}")
    schema_editor.add_index(model, index, concurrently=True)


class BuildIndex(AddIndexConcurrently):
    """AddIndexConcurrently that goes on after an interruption, where Django's fails with "already exists"."""

    def database_forwards(
        self, app_label: str, schema_editor: Any, from_state: ProjectState, to_state: ProjectState
    ) -> None:
        self._ensure_not_in_transaction(schema_editor)
        model = to_state.apps.get_model(app_label, self.model_name)
        if self.allow_migrate_model(schema_editor.connection.alias, model):
            build(schema_editor, model, self.index)


class DropOwnIndex(NotInTransactionMixin, migrations.AlterField):
    """Take a foreign key's own index away (`db_index=False` and nothing else), and leave the foreign key alone.

    Django's AlterField drops the foreign key, too, and adds it anew: nobody writes to either table until every row is
    checked, and nothing brings it back after an interruption between the two.
    """

    def database_forwards(
        self, app_label: str, schema_editor: Any, from_state: ProjectState, to_state: ProjectState
    ) -> None:
        self._ensure_not_in_transaction(schema_editor)
        model = to_state.apps.get_model(app_label, self.model_name)
        if not self.allow_migrate_model(schema_editor.connection.alias, model):
            return
        with schema_editor.connection.cursor() as cursor:
            cursor.execute(
                # By its column, as Django does: a name that Django made up ends in a hash.
                "SELECT relname FROM pg_index JOIN pg_class ON pg_class.oid = indexrelid"
                " JOIN pg_attribute ON attrelid = indrelid AND attnum = indkey[0]"
                " WHERE indrelid = to_regclass(%s) AND attname = %s AND indnatts = 1"
                " AND indpred IS NULL AND NOT indisunique AND relname <> ALL(%s)",
                [
                    schema_editor.quote_name(model._meta.db_table),
                    model._meta.get_field(self.name).column,
                    [index.name for index in model._meta.indexes],
                ],
            )
            names = [name for (name,) in cursor.fetchall()]
        for name in names:
            schema_editor.execute(f"DROP INDEX CONCURRENTLY IF EXISTS {schema_editor.quote_name(name)}")

    def database_backwards(
        self, app_label: str, schema_editor: Any, from_state: ProjectState, to_state: ProjectState
    ) -> None:
        self._ensure_not_in_transaction(schema_editor)
        model = to_state.apps.get_model(app_label, self.model_name)
        if self.allow_migrate_model(schema_editor.connection.alias, model):
            name = schema_editor._create_index_name(model._meta.db_table, [model._meta.get_field(self.name).column])
            build(schema_editor, model, models.Index(fields=[self.name], name=name))


class ReplaceIndex(NotInTransactionMixin, Operation):
    """Put an index in the place of one of the same name: the old one serves until the new one is built."""

    atomic = False

    def __init__(self, model_name: str, old: models.Index, new: models.Index) -> None:
        assert old.name == new.name and len(old.name) + len(BEFORE) <= 63
        self.model_name, self.old, self.new = model_name, old, new

    def deconstruct(self) -> tuple[str, list[Any], dict[str, Any]]:
        return self.__class__.__name__, [self.model_name, self.old, self.new], {}

    def describe(self) -> str:
        return f"Build index {self.new.name} of {self.model_name} anew beside the old one"

    @property
    def migration_name_fragment(self) -> str:
        return f"replace_{self.new.name}"

    def state_forwards(self, app_label: str, state: ProjectState) -> None:
        state.remove_index(app_label, self.model_name.lower(), self.old.name)
        state.add_index(app_label, self.model_name.lower(), self.new)

    def database_forwards(
        self, app_label: str, schema_editor: Any, from_state: ProjectState, to_state: ProjectState
    ) -> None:
        self._exchange(app_label, schema_editor, to_state, self.new)

    def database_backwards(
        self, app_label: str, schema_editor: Any, from_state: ProjectState, to_state: ProjectState
    ) -> None:
        self._exchange(app_label, schema_editor, to_state, self.old)

    def _exchange(self, app_label: str, schema_editor: Any, state: ProjectState, wanted: models.Index) -> None:
        self._ensure_not_in_transaction(schema_editor)
        model = state.apps.get_model(app_label, self.model_name)
        if not self.allow_migrate_model(schema_editor.connection.alias, model):
            return
        name, before = schema_editor.quote_name(wanted.name), schema_editor.quote_name(wanted.name + BEFORE)
        with schema_editor.connection.cursor() as cursor:
            cursor.execute("SELECT to_regclass(%s)", [before])
            (begun,) = cursor.fetchone()
        if begun is None:
            schema_editor.execute(f"ALTER INDEX IF EXISTS {name} RENAME TO {before}")
        else:
            schema_editor.execute(f"DROP INDEX CONCURRENTLY IF EXISTS {name}")  # not whole, perhaps
        schema_editor.add_index(model, wanted, concurrently=True)
        schema_editor.execute(f"DROP INDEX CONCURRENTLY IF EXISTS {before}")
