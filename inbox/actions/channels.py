"""Connecting channels and changing their settings: one validation for the page, the shell and the API.

Settings are validated by the adapter's form. What the adapter names in `secrets` (dotted: `smtp.password`) leaves the
settings and is kept encrypted under that dotted name in `Channel.secrets`.
"""

from __future__ import annotations

import copy
from collections.abc import Mapping, Sequence
from typing import Any

from django.core.exceptions import ValidationError
from django.db import IntegrityError, transaction
from django.db.models import ProtectedError
from django.utils.translation import gettext as _

from inbox import adapters, log
from inbox.actions.base import KEEP, Keep
from inbox.actions.errors import ActionError
from inbox.models import Agent, Channel, Team


class UnknownKind(ActionError):
    """No adapter of that name is installed."""


def create(kind: str, slug: str, settings: Mapping[str, Any], *, by: Agent | None) -> Channel:
    """Connect a channel. Raises ValidationError by field for the settings, ActionError for the kind or the slug."""
    adapter = adapter_of(kind)
    checked = validated(adapter, settings, None)
    plain, secrets = split(checked, adapter.secrets)
    channel = Channel(kind=kind, slug=slug, name=name_of(plain, slug), settings=plain, addresses=addresses_of(plain))
    channel.secrets = secrets
    try:
        with transaction.atomic():
            channel.save(force_insert=True)
            log.record(None, "channel_created", by=by, channel=channel.pk)
    except IntegrityError as error:
        if Channel.objects.filter(slug=slug).exists():
            raise ActionError(_("There is a channel “%(slug)s” already.") % {"slug": slug}, "slug_taken") from error
        raise
    return channel


def update(
    channel: Channel,
    *,
    settings: Mapping[str, Any] | None = None,
    paused: bool | None = None,
    teams: Sequence[Team] | None = None,
    default_team: Team | Keep | None = KEEP,
    by: Agent | None,
) -> Channel:
    """Change a channel. New `settings` take the old ones' place; secrets that they do not name are kept.

    `teams` are all who see it; none means everybody. `default_team` gets what arrives.
    """
    with transaction.atomic():
        row = Channel.objects.select_for_update(no_key=True).get(pk=channel.pk)
        before = (row.settings, row.secrets, row.paused, row.addresses)
        if settings is not None:
            adapter = adapter_of(row.kind)
            kept = row.secrets
            checked = validated(adapter, joined(settings, kept), row)
            plain, secrets = split(checked, adapter.secrets)
            row.settings, row.secrets = plain, secrets
            row.name, row.addresses = name_of(plain, row.name), addresses_of(plain)
        if paused is not None:
            row.paused = paused
        changed = (row.settings, row.secrets, row.paused, row.addresses) != before
        if not isinstance(default_team, Keep):
            changed |= row.default_team != default_team
            row.default_team = default_team
        if teams is not None:
            wanted = {team.pk for team in teams}
            if wanted != set(row.teams.values_list("pk", flat=True)):
                changed = True
                row.teams.set(wanted)
        if not changed:
            return row
        row.save(update_fields=["settings", "credentials", "name", "addresses", "paused", "default_team"])
        log.record(None, "channel_changed", by=by, channel=row.pk)
    return row


def delete(channel: Channel, *, by: Agent | None) -> None:
    """Disconnect a channel for ever. Raises ActionError once it has carried anything: then it can be paused."""
    with transaction.atomic():
        row = Channel.objects.select_for_update().get(pk=channel.pk)
        try:
            with transaction.atomic():
                log.record(None, "channel_deleted", by=by, channel=row.pk)
                row.delete()
        except ProtectedError as error:
            raise ActionError(
                _("This channel has tickets or receipts, which belong to it. Pause it instead."), "in_use"
            ) from error


def check(channel: Channel) -> list[adapters.Check]:
    """Try the connection, line by line. It talks to the channel's server: call it outside of any transaction."""
    return adapter_of(channel.kind).check(channel)


def adapter_of(kind: str) -> adapters.Adapter:
    try:
        return adapters.adapter_for(kind)
    except KeyError as error:
        known = ", ".join(sorted(adapters.kinds()))
        raise UnknownKind(
            _("There is no kind of channel called “%(kind)s”. Known: %(known)s.") % {"kind": kind, "known": known},
            "unknown_kind",
        ) from error


def validated(adapter: adapters.Adapter, settings: Mapping[str, Any], channel: Channel | None) -> dict[str, Any]:
    """The settings as the adapter's form cleans them. Raises ValidationError by field."""
    form = adapter.settings_form(settings, channel)
    if not form.is_valid():
        raise ValidationError({name: list(errors) for name, errors in form.errors.as_data().items()})
    return dict(form.cleaned_data)


def split(settings: Mapping[str, Any], names: tuple[str, ...]) -> tuple[dict[str, Any], dict[str, Any]]:
    """(settings without secrets, secrets by dotted name). Empty secrets are left out."""
    plain: dict[str, Any] = copy.deepcopy(dict(settings))
    secrets: dict[str, Any] = {}
    for name in names:
        *folders, leaf = name.split(".")
        place: Any = plain
        for folder in folders:
            place = place.get(folder) if isinstance(place, dict) else None
        if isinstance(place, dict) and leaf in place:
            value = place.pop(leaf)
            if value not in (None, ""):
                secrets[name] = value
    return plain, secrets


def joined(settings: Mapping[str, Any], secrets: Mapping[str, Any]) -> dict[str, Any]:
    """Settings with the secrets they do not name put back, where the part these belong to is still there."""
    whole: dict[str, Any] = copy.deepcopy(dict(settings))
    for name, value in secrets.items():
        *folders, leaf = name.split(".")
        place: Any = whole
        for folder in folders:
            place = place.get(folder) if isinstance(place, dict) else None
        if isinstance(place, dict):
            place.setdefault(leaf, value)
    return whole


def name_of(settings: Mapping[str, Any], otherwise: str) -> str:
    return str(settings.get("name") or settings.get("address") or otherwise)[:120]


def addresses_of(settings: Mapping[str, Any]) -> list[str]:
    """The addresses at which mail for this channel arrives, lower-cased: the main one first, then its aliases."""
    named = [settings.get("address"), *(settings.get("aliases") or ())]
    return list(dict.fromkeys(str(address).strip().lower() for address in named if address))
