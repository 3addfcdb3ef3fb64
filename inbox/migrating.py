"""Operations of migrations that leave tables of millions of rows usable while they run."""

from __future__ import annotations

from typing import Any

from django.contrib.postgres.operations import NotInTransactionMixin
from django.db import models
from django.db.migrations.operations.base import Operation
from django.db.migrations.state import ProjectState

BEFORE = "_before"  # what an index is called until its successor is there


class ReplaceIndex(NotInTransactionMixin, Operation):
    """Put an index in the place of one of the same name: the old one serves until the new one is built.

    Interrupted at any moment, it is done by running the migration again. For migrations with `atomic = False`.
    """

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
