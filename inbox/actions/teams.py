"""Teams: who is in them, which channels they see, whether they are private."""

from __future__ import annotations

from collections.abc import Iterable

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
    private: bool = False,
    signature: str = "",
    members: Iterable[Agent] = (),
    channels: Iterable[Channel] = (),
) -> Team:
    """Raises ActionError when there is a team of that name."""
    try:
        with transaction.atomic():
            team = Team.objects.create(name=name, slug=_free_slug(name), private=private, signature=signature)
            log.record(None, "team_created", by=by, team=team.pk, private=private)
            _set(team, list(members), list(channels), by)
    except IntegrityError as error:
        raise ActionError(_("There is a team “%(name)s” already.") % {"name": name}, "team_exists") from error
    return team


def change(
    team: Team,
    *,
    by: Agent,
    name: str,
    private: bool,
    signature: str,
    members: Iterable[Agent],
    channels: Iterable[Channel],
) -> Team:
    """Set all of a team. Whoever sees more or less for it hears of it on commit. Raises ActionError for its name."""
    try:
        with transaction.atomic():
            row = Team.objects.select_for_update(no_key=True).get(pk=team.pk)
            wanted = {"name": name, "private": private, "signature": signature}
            fields = [field for field, value in wanted.items() if getattr(row, field) != value]
            if fields:
                for field in fields:
                    setattr(row, field, wanted[field])
                row.save(update_fields=fields)
                told = {"private": private} if "private" in fields else {}
                log.record(None, "team_changed", by=by, team=row.pk, fields=fields, **told)
                if told:
                    _tell_everybody()
            _set(row, list(members), list(channels), by)
    except IntegrityError as error:
        raise ActionError(_("There is a team “%(name)s” already.") % {"name": name}, "team_exists") from error
    return row


def _set(team: Team, members: list[Agent], channels: list[Channel], by: Agent) -> None:
    before, after = set(team.members.values_list("pk", flat=True)), {agent.pk for agent in members}
    if before != after:
        team.members.set(members)
        for agent in sorted(after - before):
            log.record(None, "team_joined", by=by, agent=agent, team=team.pk)
        for agent in sorted(before - after):
            log.record(None, "team_left", by=by, agent=agent, team=team.pk)
        people.tell(before ^ after)
    seen, wanted = set(team.channels.values_list("pk", flat=True)), {channel.pk for channel in channels}
    if seen != wanted:
        team.channels.set(channels)
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
