"""Teams: who is in them, which channels they see, whether they are private."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from typing import Any

from django.db import IntegrityError, transaction
from django.utils.text import slugify
from django.utils.translation import gettext as _

from inbox import log
from inbox.actions import people
from inbox.actions.errors import ActionError
from inbox.models import Agent, Channel, Team


def create(
    name: str,
    *,
    by: Agent,
    slug: str = "",
    private: bool = False,
    signature: str = "",
    members: Iterable[Agent] = (),
    channels: Iterable[Channel] = (),
) -> Team:
    """Without a `slug` it gets one of its name. Raises ActionError when there is a team of that name or slug."""
    with _only(name, slug):
        made = slug or _free_slug(name)
        team = Team.objects.create(name=name, slug=made, private=private, signature=signature)
        log.record(None, "team_created", by=by, team=team.pk, private=private)
        _set(team, members, channels, by)
    return team


def change(
    team: Team,
    *,
    by: Agent,
    members: Iterable[Agent] | None = None,
    channels: Iterable[Channel] | None = None,
    **wanted: Any,
) -> Team:
    """Change what is named: `name`, `slug`, `private`, `signature`, all `members`, all `channels` that it sees.

    Whoever sees more or less for it hears of it on commit. Raises ActionError for a name or slug that is taken.
    """
    with _only(wanted.get("name", ""), wanted.get("slug", "")):
        row = Team.objects.select_for_update(no_key=True).get(pk=team.pk)
        fields = [field for field, value in wanted.items() if getattr(row, field) != value]
        if fields:
            for field in fields:
                setattr(row, field, wanted[field])
            row.save(update_fields=fields)
            told = {"private": row.private} if "private" in fields else {}
            log.record(None, "team_changed", by=by, team=row.pk, fields=sorted(fields), **told)
            if told:
                _tell_everybody()
        _set(row, members, channels, by)
    return row


def delete(team: Team, *, by: Agent) -> None:
    """Dissolve a team. Raises ActionError where everybody would see then what only its members saw."""
    with transaction.atomic():
        row = Team.objects.select_for_update().get(pk=team.pk)
        if row.channels.exists() or (row.private and row.tickets.exists()):
            raise ActionError(_("This team still has tickets or channels. Give them to another team first."), "in_use")
        people.tell(row.members.values_list("pk", flat=True))
        log.record(None, "team_deleted", by=by, team=row.pk)
        row.delete()


@contextmanager
def _only(name: str, slug: str) -> Iterator[None]:
    """A transaction that says in words when a name or slug is taken."""
    try:
        with transaction.atomic():
            yield
    except IntegrityError as error:
        if slug and not Team.objects.filter(name=name).exists():
            raise ActionError(_("There is a team “%(slug)s” already.") % {"slug": slug}, "slug_taken") from error
        raise ActionError(_("There is a team “%(name)s” already.") % {"name": name}, "team_exists") from error


def _set(team: Team, members: Iterable[Agent] | None, channels: Iterable[Channel] | None, by: Agent) -> None:
    before = set(team.members.values_list("pk", flat=True))
    after = before if members is None else {agent.pk for agent in members}
    if before != after:
        team.members.set(after)
        for agent in sorted(after - before):
            log.record(None, "team_joined", by=by, agent=agent, team=team.pk)
        for agent in sorted(before - after):
            log.record(None, "team_left", by=by, agent=agent, team=team.pk)
        people.tell(before ^ after)
    seen = set(team.channels.values_list("pk", flat=True))
    wanted = seen if channels is None else {channel.pk for channel in channels}
    if seen != wanted:
        team.channels.set(wanted)
        added, removed = sorted(wanted - seen), sorted(seen - wanted)
        log.record(None, "team_channels_changed", by=by, team=team.pk, added=added, removed=removed)
        _tell_everybody()  # the first team of a channel hides it from all others


def _tell_everybody() -> None:
    people.tell(Agent.objects.filter(is_active=True, is_bot=False).values_list("pk", flat=True))


def _free_slug(name: str) -> str:
    """A slug that no team has: letters of any script, as far as they have one."""
    wanted = slugify(name)[:40] or "team"
    taken = set(Team.objects.filter(slug__startswith=wanted).values_list("slug", flat=True))
    number = 1
    slug = wanted
    while slug in taken:
        number += 1
        slug = f"{wanted}-{number}"
    return slug
