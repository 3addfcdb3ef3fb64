"""The secret that a channel and its far side both sign with: made here, told once, rolled without a gap.

An adapter names it in `signs_with`. It lies with the channel's other secrets; beside it, until its day is over, lies
the one before it: `{"secret", "until"}`, `until` in ISO 8601.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any

from django.db import transaction
from django.utils import timezone
from django.utils.translation import gettext as _

from inbox import log
from inbox.actions.errors import ActionError
from inbox.adapters import Adapter, kinds
from inbox.models import Agent, Channel
from lib import standard_webhooks

FORMER_LASTS = timedelta(hours=24)


def former_of(name: str) -> str:
    return f"former_{name}"


def in_force(channel: Channel, name: str) -> list[str]:
    """The secrets that count now, the newest first; none where they cannot be read any more."""
    kept = _readable(channel)
    found = [str(kept[name])] if kept.get(name) else []
    return [*found, str(kept[former_of(name)]["secret"])] if former_until(channel, name) else found


def former_until(channel: Channel, name: str) -> datetime | None:
    """Until when the one before counts as well; None where there is none, or its time is over."""
    former = _readable(channel).get(former_of(name))
    until = datetime.fromisoformat(former["until"]) if former else None
    return until if until is not None and until > timezone.now() else None


def succeed(kept: Mapping[str, Any], given: Mapping[str, Any], name: str) -> dict[str, Any]:
    """`given` takes the place of the secrets `kept`: the one that another takes the place of counts for a day more, and
    older ones end now.
    """
    old, new = kept.get(name), given.get(name)
    if not old or not new or old == new:
        return dict(given)
    until = (timezone.now() + FORMER_LASTS).isoformat()
    return {**given, former_of(name): {"secret": old, "until": until}}


def made(channel: Channel, settings: Mapping[str, Any]) -> str:
    """The secret that was made for a new channel because its `settings` gave none: to be told this once; else empty."""
    adapter = kinds().get(channel.kind)
    name = adapter.signs_with if adapter is not None else ""
    return "" if not name or settings.get(name) else str(channel.secrets.get(name, ""))


def roll(channel: Channel, *, by: Agent | None) -> str:
    """A new secret, told this once. Raises ActionError where a channel of this kind has none."""
    adapter = kinds().get(channel.kind)
    if adapter is None or not adapter.signs_with:
        raise ActionError(_("This channel has no secret of that kind."), "no_secret")
    secret = standard_webhooks.new_secret()
    with transaction.atomic():
        row = Channel.objects.select_for_update(no_key=True).get(pk=channel.pk)
        kept = _readable(row)
        row.secrets = succeed(kept, {**kept, adapter.signs_with: secret}, adapter.signs_with)
        row.save(update_fields=["credentials"])
        say_made(row, by=by)
    return secret


def say_made(channel: Channel, *, by: Agent | None) -> None:
    log.record(None, "channel_secret_made", by=by, channel=channel.pk)


def _readable(channel: Channel) -> dict[str, Any]:
    try:
        return channel.secrets
    except ValueError:  # sealed under a key of this installation that is gone
        return {}


def settings_of(secrets: Mapping[str, Any], adapter: Adapter) -> dict[str, Any]:
    """Those of a channel's secrets that somebody gives or makes: all but the one that lies beside another for a day."""
    return {name: value for name, value in secrets.items() if name != former_of(adapter.signs_with)}
