"""What the form of a mailbox needs to know beyond its fields."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from django import template

from channels_email import forms, oauth, presets
from inbox.models import Channel

register = template.Library()


@dataclass(frozen=True, slots=True)
class Shown:
    """How the form stands: which log-in is chosen, whether sending has the same one, which parts are open."""

    oauth: str  # the provider whose log-in by OAuth can be chosen; empty: passwords alone
    oauth_label: str
    login: str  # password or oauth
    same_login: bool
    reads: bool
    servers_open: bool
    advanced_open: bool
    is_new: bool
    keeps_imap: bool  # whether a password is kept that stays unless another one is typed
    keeps_smtp: bool


ADVANCED = (
    "imap.folders",
    "imap.move_to",
    "aliases",
    "from_addresses",
    "plus_addressing",
    "catch_all",
    "reopen_days",
    "acknowledgement",
)


@register.simple_tag(takes_context=True)
def mailbox(context: template.Context, form: forms.EmailSettingsForm) -> Shown:
    """The state of the page around `form`, from what was posted, else from the channel, else from the provider."""
    request = context["request"]
    posted = request.POST if form.is_bound else None
    channel: Channel | None = context.get("channel")
    given: dict[str, Any] = dict(form.initial)
    imap_oauth = str(given.get("imap.oauth") or given.get("smtp.oauth") or "")
    preset = presets.named(request.GET.get("provider", "")) or presets.by_server(_text(form, "smtp.host"))
    way = _way(imap_oauth or (preset.oauth if preset else ""), chosen=bool(imap_oauth))
    if posted is not None:
        login, same = posted.get("login", "password"), "same_login" in posted
    else:
        login = "oauth" if imap_oauth or (channel is None and way) else "password"
        same = channel is None or given.get("smtp.username") == given.get("imap.username") or not given.get("smtp.host")
        same = same and (channel is None or bool(given.get("imap.host")))
    forwarded = channel is None and preset is not None and preset.forwarded
    wrong = set(form.errors) if form.is_bound else set()
    servers = {f"{one}.{name}" for one in ("imap", "smtp") for name in ("host", "port", "security")}
    return Shown(
        oauth=way[0] if way else "",
        oauth_label=way[1] if way else "",
        login=login if way else "password",
        same_login=same and not forwarded and "smtp.password" not in wrong,
        reads=not forwarded,
        servers_open=bool(wrong & servers) or not (_text(form, "imap.host") or forwarded) or preset is None,
        advanced_open=bool(wrong & set(ADVANCED)),
        is_new=channel is None,
        keeps_imap=_keeps(channel, "imap"),
        keeps_smtp=_keeps(channel, "smtp"),
    )


def _keeps(channel: Channel | None, protocol: str) -> bool:
    given = (channel.settings.get(protocol) or {}) if channel else {}
    return bool(given.get("username")) and not given.get("oauth")


def _text(form: forms.EmailSettingsForm, name: str) -> str:
    return str(form[name].value() or "")


def _way(key: str, *, chosen: bool) -> tuple[str, str] | None:
    """The OAuth provider of this key, (key, label), when its client is configured or the settings name it already."""
    return next(
        ((one.key, one.label) for one in oauth.providers() if one.key == key and (one.configured or chosen)), None
    )
