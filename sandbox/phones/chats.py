"""What Meta's three platforms share of a chat: lines that are said, ids, and how long ago the person wrote last."""

from __future__ import annotations

import secrets
from datetime import datetime, timedelta
from typing import Any

from django.db import transaction
from django.utils import timezone
from django.utils.dateparse import parse_datetime

from sandbox.phones.models import Account, Line, Person

DAY = timedelta(hours=24)
WEEK = timedelta(days=7)


def digits(length: int = 15) -> str:
    """An id as Meta gives them: digits, the first no zero."""
    return str(10 ** (length - 1) + secrets.randbelow(9 * 10 ** (length - 1)))


def millis(at: datetime) -> int:
    return int(at.timestamp() * 1000)


def remember(person: Person, **attributes: Any) -> None:
    """Write these attributes of a person, and only these; None takes one away."""
    with transaction.atomic():
        row = Person.objects.select_for_update().get(pk=person.pk)
        row.attributes = {k: v for k, v in {**row.attributes, **attributes}.items() if v is not None}
        row.save(update_fields=["attributes"])
    person.attributes = row.attributes


def arrange(account: Account, **settings: Any) -> None:
    """Write these settings of an account, and only these; None takes one away."""
    with transaction.atomic():
        row = Account.objects.select_for_update().get(pk=account.pk)
        row.settings = {k: v for k, v in {**row.settings, **settings}.items() if v is not None}
        row.save(update_fields=["settings"])
    account.settings = row.settings


def wrote_at(person: Person) -> datetime | None:
    """When the person last wrote to us in private, or reacted: what opens the window for answers; None: never."""
    last = person.lines.filter(ours=False, public=False).order_by("-at").values_list("at", flat=True).first()
    reacted = parse_datetime(person.attributes.get("reacted_at", ""))
    return max((at for at in (last, reacted) if at is not None), default=None)


def window_open(person: Person, length: timedelta = DAY) -> bool:
    at = wrote_at(person)
    return at is not None and timezone.now() - at < length


def type_for(person: Person, seconds: float) -> None:
    """The account's owner shows that they write, for so long; 0: no more."""
    now = timezone.now()
    shown = (now.isoformat(), (now + timedelta(seconds=seconds)).isoformat()) if seconds else (None, None)
    remember(person, typing_at=shown[0], typing_until=shown[1])


def is_typed_to(person: Person) -> bool:
    """Whether this person's phone shows that they are being written to: until that time, or what was written came."""
    until = person.attributes.get("typing_until")
    if not until or datetime.fromisoformat(until) < timezone.now():
        return False
    return not person.lines.filter(ours=True, public=False, at__gt=person.attributes["typing_at"]).exists()


def grow_old(account: Account, by: timedelta) -> None:
    """Let all that people have said be older by this much, so that windows close."""
    for line in Line.objects.filter(account=account, ours=False):
        line.at -= by
        line.save(update_fields=["at"])
    for person in account.people.filter(attributes__has_key="reacted_at"):
        remember(person, reacted_at=None)


def found(account: Account, external_id: str, person: Person | None = None) -> Line | None:
    """A line by its id, of one person or of anybody; none that is deleted."""
    lines = Line.objects.filter(account=account, external_id=external_id, deleted_at=None)
    return (lines.filter(person=person) if person is not None else lines).first()


def react(line: Line, who: str, reaction: str) -> None:
    """Put somebody's reaction at a line; the empty one takes it away."""
    with transaction.atomic():
        row = Line.objects.select_for_update().get(pk=line.pk)
        row.reactions = {k: v for k, v in {**row.reactions, who: reaction}.items() if v}
        row.save(update_fields=["reactions"])
    line.reactions = row.reactions


def edit(line: Line, text: str) -> None:
    line.text, line.edited_at = text, timezone.now()
    line.save(update_fields=["text", "edited_at"])


def delete(line: Line) -> None:
    line.deleted_at = timezone.now()
    line.save(update_fields=["deleted_at"])
