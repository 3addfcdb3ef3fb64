"""Connecting channels and changing their settings: one validation for the page, the shell and the API.

Settings are validated by the adapter's form. What the adapter names in `secrets` (dotted: `smtp.password`) leaves the
settings and is kept encrypted under that dotted name in `Channel.secrets`.
"""

from __future__ import annotations

import copy
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from django.core.exceptions import ValidationError
from django.db import IntegrityError, transaction
from django.db.models import ProtectedError
from django.utils import timezone
from django.utils.translation import gettext as _

from inbox import adapters, log, wake
from inbox import schedules as hours
from inbox.actions import channel_secrets, schedules, sweeping
from inbox.actions.errors import ActionError
from inbox.models import Agent, Brand, Channel, MessageCopy, Receipt, ReceiptState, Team, Ticket

SAVED = (
    "settings",
    "credentials",
    "name",
    "addresses",
    "paused",
    "brand",
    "default_team",
    "next_poll_at",
    "next_send_at",
)


class UnknownKind(ActionError):
    """No adapter of that name is installed."""


class InUse(ActionError):
    """The channel has a history, which would go with it."""


@dataclass(frozen=True, slots=True)
class Place:
    """Where a channel belongs: what is no setting of its adapter. Empty `teams`: everybody sees it."""

    name: str
    brand: Brand | None = None
    default_team: Team | None = None
    teams: tuple[Team, ...] = ()


def place_of(channel: Channel, *, teams: Iterable[Team] | None = None, **changes: Any) -> Place:
    """Where a channel is now, but for what is named here."""
    here = {name: getattr(channel, name) for name in ("name", "brand", "default_team")}
    return Place(**{**here, **changes}, teams=tuple(channel.teams.all() if teams is None else teams))


def create(
    kind: str, slug: str, settings: Mapping[str, Any], *, by: Agent | None, place: Place | None = None
) -> Channel:
    """Connect a channel. Raises ValidationError by field for the settings, ActionError for the kind or the slug."""
    adapter = adapter_of(kind)
    checked = validated(adapter, settings, None)
    plain, secrets = split(checked, adapter.secrets)
    channel = Channel(kind=kind, slug=slug, name=name_of(plain, slug), settings=plain, addresses=addresses_of(plain))
    channel.secrets = secrets
    _refuse_taken(channel, channel.addresses)
    if place is not None:
        channel.name, channel.brand, channel.default_team = place.name or channel.name, place.brand, place.default_team
    try:
        with transaction.atomic():
            channel.save(force_insert=True)
            if place is not None:
                channel.teams.set(place.teams)
            log.record(None, "channel_created", by=by, channel=channel.pk)
            if channel_secrets.made(channel, settings):
                channel_secrets.say_made(channel, by=by)
            if adapter.messenger:
                wake.tend(channel.pk, kind)
            if hours.of_channel(channel):
                schedules.note([channel.pk])
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
    place: Place | None = None,
    by: Agent | None,
) -> Channel:
    """Change a channel. New `settings` take the old ones' place; secrets that they do not name are kept, as far as
    the adapter lets them go with these.

    Its name follows the settings until it was given one of its own. The event tells the names of what changed.
    """
    with transaction.atomic():
        row = Channel.objects.select_for_update(no_key=True).get(pk=channel.pk)
        changed: set[str] = set()
        if settings is not None:
            changed |= _settle(row, settings)
        if place is not None:
            changed |= _put(row, place)
        if paused is not None and paused != row.paused:
            row.paused = paused
            changed.add("paused")
        if not changed:
            return row
        row.next_poll_at = row.next_send_at = timezone.now()  # what was wrong may be mended: do not wait out a hold
        row.save(update_fields=SAVED)
        log.record(None, "channel_changed", by=by, channel=row.pk, fields=sorted(changed))
        if "brand" in changed or any(name.partition(".")[0] == hours.setting_of(row) for name in changed):
            schedules.note([row.pk])
        if not row.paused:
            if adapter_of(row.kind).polls:
                wake.poll(row.pk, row.kind)
            wake.deliver(row.pk, row.kind)
            if adapter_of(row.kind).messenger:
                wake.tend(row.pk, row.kind)
    return row


def _settle(row: Channel, settings: Mapping[str, Any]) -> set[str]:
    """Give the locked row new settings; returns the names of those that changed, secrets by their name alone."""
    adapter = adapter_of(row.kind)
    forget_unreadable(row)
    old, kept = row.settings, row.secrets
    plain, secrets = split(validated(adapter, settings, row), adapter.secrets)
    secrets = channel_secrets.succeed(
        kept, secrets | still_kept(adapter, kept, secrets, old, plain), adapter.signs_with
    )
    if row.name == name_of(old, row.name):
        row.name = name_of(plain, row.name)
    before, row.settings, row.addresses = row.addresses, plain, addresses_of(plain)
    _refuse_taken(row, [address for address in row.addresses if address not in before])
    if secrets != kept:
        row.secrets = secrets
    return _differences(old, plain) | _differences(
        channel_secrets.settings_of(kept, adapter), channel_secrets.settings_of(secrets, adapter)
    )


def _refuse_taken(channel: Channel, addresses: Sequence[str]) -> None:
    """One address is one channel's: what came to two would be answered from either, and each be counted as missing."""
    others = Channel.objects.filter(kind=channel.kind, addresses__overlap=list(addresses)).exclude(pk=channel.pk)
    for other in others if addresses else ():
        taken = next(address for address in addresses if address in other.addresses)
        said = _("%(address)s belongs to the channel “%(channel)s” already.")
        raise ValidationError({"address": said % {"address": taken, "channel": other.name}})


def forget_unreadable(channel: Channel) -> None:
    """Drop, from this object alone, secrets whose key is gone: they are asked for again, and nothing else is lost."""
    try:
        channel.secrets  # noqa: B018 (opening them is the test)
    except ValueError:
        channel.credentials = ""


def _put(row: Channel, place: Place) -> set[str]:
    """Move the locked row to its place; returns the names of what changed."""
    changed = set()
    if place.name and row.name != place.name:
        row.name = place.name
        changed.add("name")
    for name in ("brand", "default_team"):
        if getattr(row, f"{name}_id") != getattr(getattr(place, name), "pk", None):
            setattr(row, name, getattr(place, name))
            changed.add(name)
    if {team.pk for team in place.teams} != set(row.teams.values_list("pk", flat=True)):
        row.teams.set(place.teams)
        changed.add("teams")
    return changed


def _differences(old: Mapping[str, Any], new: Mapping[str, Any]) -> set[str]:
    """Dotted names of what is not the same on both sides."""
    found: set[str] = set()
    for name in old.keys() | new.keys():
        before, after = old.get(name), new.get(name)
        if before == after:
            continue
        inner = [one for one in (before, after) if isinstance(one, Mapping)]
        if inner and (before is None or after is None or len(inner) == 2):
            found |= {f"{name}.{one}" for one in _differences(before or {}, after or {})}
        else:
            found.add(name)
    return found


def disconnect(channel: Channel, *, by: Agent | None) -> None:
    """Delete a channel that has no history, with what it received and left out. Raises InUse, which says why not."""
    with transaction.atomic():
        row = Channel.objects.select_for_update().get(pk=channel.pk)
        if reason := why_kept(row):
            raise InUse(reason, "in_use")
        stored = set(Receipt.objects.filter(channel=row).exclude(stored="").values_list("stored", flat=True))
        try:
            with transaction.atomic():
                Receipt.objects.filter(channel=row).delete()
                row.delete()
        except ProtectedError as error:  # a ticket of another channel was answered here
            raise InUse(_("Tickets of other channels were answered from here. Pause it instead."), "in_use") from error
        log.record(None, "channel_deleted", by=by, channel=channel.pk)
        transaction.on_commit(lambda: sweeping.forget_files(stored, Receipt))


def why_kept(channel: Channel) -> str:
    """Why this channel cannot be deleted, in words; empty when it can, as far as that is told without a long search."""
    if Ticket.objects.filter(channel=channel).exists() or MessageCopy.objects.filter(channel=channel).exists():
        return _("It has tickets, which would lose their channel. Pause it instead: then nothing comes in or goes out.")
    if Receipt.objects.filter(channel=channel, state=ReceiptState.NEW).exists():
        return _("Messages wait here to be taken in. Pause it instead, or wait until they are.")
    if Receipt.objects.filter(channel=channel, state=ReceiptState.FAILED).exists():
        return _("It holds messages that could not be read. Retry them, or pause the channel instead.")
    return ""


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


def still_kept(
    adapter: adapters.Adapter,
    kept: Mapping[str, Any],
    given: Mapping[str, Any],
    old: Mapping[str, Any],
    new: Mapping[str, Any],
) -> dict[str, Any]:
    """The secrets that were not given again and stay: the part of the settings they belong to is still there, and the
    adapter says that they may go with it. Compared is what the form has cleaned, which is what will be used."""
    found = {}
    for name, value in kept.items():
        place: Any = new
        for folder in name.split(".")[:-1]:
            place = place.get(folder) if isinstance(place, dict) else None
        if name not in given and isinstance(place, dict) and adapter.keeps_secret(name, old, new):
            found[name] = value
    return found


def name_of(settings: Mapping[str, Any], otherwise: str) -> str:
    return str(settings.get("name") or settings.get("address") or otherwise)[:120]


def addresses_of(settings: Mapping[str, Any]) -> list[str]:
    """The addresses at which mail for this channel arrives, lower-cased: the main one first, then its aliases."""
    named = [settings.get("address"), *(settings.get("aliases") or ())]
    return list(dict.fromkeys(str(address).strip().lower() for address in named if address))
