"""Macros, saved views and tags: what agents keep to work faster.

One that has an owner is theirs alone; one with a team is its members'; one with neither is everybody's. Whatever others
see takes the right to share.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Any, TypeVar

from django.contrib.postgres.fields import ArrayField
from django.db import transaction
from django.db.models import Case, CharField, F, Func, Q, Value, When
from django.utils import timezone
from django.utils.translation import gettext as _

from inbox import log
from inbox.actions import base
from inbox.actions.errors import ActionError
from inbox.actions.naming import without
from inbox.models import Agent, Event, Macro, SavedView, Tag, Ticket
from inbox.rights import Right, require

BATCH = 500  # tickets of one transaction
Kept = TypeVar("Kept", Macro, SavedView)


def create(noun: type[Kept], /, *, by: Agent, **fields: Any) -> Kept:
    """Keep a macro or a view. Raises PermissionDenied where others would see it and `by` may not share."""
    row = noun(**fields)
    _may_keep(row, by)
    with transaction.atomic():
        row.save(force_insert=True)
        log.record(None, f"{_name(noun)}_created", by=by, **{_name(noun): row.pk})
    return row


def update(row: Kept, *, by: Agent, **changes: Any) -> Kept:
    """Change what is named; `by` must be allowed to keep it both as it was and as it will be."""
    noun = type(row)
    with transaction.atomic():
        row = noun.objects.select_for_update(of=("self",)).get(pk=row.pk)
        _may_keep(row, by)
        changed = [name for name, value in changes.items() if getattr(row, name) != value]
        for name in changed:
            setattr(row, name, changes[name])
        if changed:
            _may_keep(row, by)
            row.save(update_fields=changed)
            log.record(None, f"{_name(noun)}_changed", by=by, fields=sorted(changed), **{_name(noun): row.pk})
    return row


def delete(row: Macro | SavedView, *, by: Agent) -> None:
    _may_keep(row, by)
    with transaction.atomic():
        log.record(None, f"{_name(type(row))}_deleted", by=by, **{_name(type(row)): row.pk})
        row.delete()


def move(view: SavedView, step: int, *, by: Agent, among: Sequence[SavedView]) -> None:
    """Put a view so many places further down (or up) in the order of `among`, all of which `by` may change."""
    order = list(among)
    place = order.index(view)
    to = min(max(place + step, 0), len(order) - 1)
    if to == place:
        return
    order.insert(to, order.pop(place))
    with transaction.atomic():
        for position, one in enumerate(order, 1):
            _may_keep(one, by)
            SavedView.objects.filter(pk=one.pk).exclude(position=position).update(position=position)
        log.record(None, "view_changed", by=by, fields=["position"], view=view.pk)


def _name(noun: type[Macro | SavedView]) -> str:
    return "macro" if noun is Macro else "view"


def _may_keep(row: Macro | SavedView, by: Agent) -> None:
    require(by, Right.ANSWER if row.owner_id == by.pk else Right.SHARE)


def create_tag(name: str, colour: str = "", *, by: Agent) -> Tag:
    """A word that tickets can carry. Raises ActionError when there is one of that name."""
    require(by, Right.SHARE)
    clean = _folded(name)
    with transaction.atomic():
        row, created = Tag.objects.get_or_create(name=clean, defaults={"colour": colour})
        if not created:
            raise ActionError(_("There is a tag of this name already."), "taken")
        log.record(None, "tag_created", by=by, tag=row.pk)
    return row


def update_tag(tag: Tag, *, by: Agent, name: str | None = None, colour: str | None = None) -> Tag:
    """Colour a tag, or give it another name, on every ticket that carries it. Raises ActionError as `create_tag`."""
    require(by, Right.SHARE)
    with transaction.atomic():
        row = Tag.objects.select_for_update().get(pk=tag.pk)
        before = (row.name, row.colour)
        new = row.name if name is None else _folded(name)
        row.colour = row.colour if colour is None else colour
        if new != row.name and Tag.objects.filter(name=new).exists():
            raise ActionError(_("There is a tag of this name already."), "taken")
        old, row.name = row.name, new
        fields = [field for field, was in zip(("name", "colour"), before, strict=True) if getattr(row, field) != was]
        if fields:
            row.save(update_fields=fields)
            log.record(None, "tag_changed", by=by, tag=row.pk, fields=fields)
    if new != old:
        _retag(old, _tags("array_replace", old, new), by, added=[row.pk], removed=[], renamed=True)
    return row


def merge_tag(tag: Tag, into: Tag, *, by: Agent) -> Tag:
    """Let `into` take the place of `tag` on every ticket; interrupted, it can be asked for again."""
    require(by, Right.SHARE)
    if tag.pk == into.pk:
        raise ActionError(_("That is the same tag."), "same")
    both = Q(tags__contains=[into.name])
    one, other = _tags("array_remove", tag.name), _tags("array_replace", tag.name, into.name)
    tags = Case(When(both, then=one), default=other)
    _retag(tag.name, tags, by, added=[into.pk], removed=[tag.pk], renamed=True)
    with transaction.atomic():
        log.record(None, "tags_merged", by=by, tag=tag.pk, into=into.pk)
        tag.delete()
    return into


def delete_tag(tag: Tag, *, by: Agent) -> None:
    """Take a tag away, from tickets first: where that is interrupted, it can be deleted again."""
    require(by, Right.SHARE)
    _retag(tag.name, _tags("array_remove", tag.name), by, added=[], removed=[tag.pk])
    with transaction.atomic():
        log.record(None, "tag_deleted", by=by, tag=tag.pk)
        tag.delete()


def _tags(function: str, *names: str) -> Func:
    words = [Value(name, output_field=CharField()) for name in names]
    return Func(F("tags"), *words, function=function, output_field=ArrayField(CharField(max_length=80)))


def _retag(name: str, tags: Func | Case, by: Agent, **told: Any) -> None:
    """Set the tags of all tickets that carry this name, some at a time, so that nobody waits for all of them.

    `told` is what the log of each says.
    """
    after = 0
    while True:
        with transaction.atomic():
            rows = list(
                Ticket.objects.select_for_update(no_key=True)
                .filter(tags__contains=[name], number__gt=after)
                .order_by("number")
                .only("number")[:BATCH]
            )
            if not rows:
                return
            numbers = [row.number for row in rows]
            after = numbers[-1]
            with log.how(bulk=True):
                Event.objects.bulk_create([log.line(row, "tags_changed", by=by, **told) for row in rows])
            Ticket.objects.filter(pk__in=numbers).update(tags=tags, updated_at=timezone.now())
            base.announce(numbers)


def _folded(name: str) -> str:
    clean = " ".join(name.split())[:80]
    if not clean:
        raise ActionError(_("Give the tag a name."), "empty")
    return clean


def forget(words: re.Pattern[str]) -> None:
    """Take these words, which name somebody who is erased, out of macros and views. A view that asked for them finds
    nothing from now on.
    """
    for noun, names in ((SavedView, ("name", "query")), (Macro, ("name", "text", "html", "actions"))):
        for row in noun._default_manager.select_for_update(of=("self",)).order_by("pk"):  # nobody changes it meanwhile
            left = {name: without(getattr(row, name), words) for name in names}
            if any(getattr(row, name) != value for name, value in left.items()):
                noun._default_manager.filter(pk=row.pk).update(**left | {"name": left["name"][:120]})
