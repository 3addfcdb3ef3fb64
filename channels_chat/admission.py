"""What is asked before a chat (`prechat`, `consent`), looked at once more as the widget does: other clients may not.

The widget asks whoever has no session yet, and not for what the site says of who is logged in (`user`).
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from django.core.exceptions import ValidationError
from django.utils import translation
from django.utils.translation import gettext as _

from channels_chat import protocol
from channels_chat.config import Field
from channels_chat.doors import Door
from inbox.addresses import usable


def fields_of(door: Door, given: Any) -> dict[str, Any]:
    """Of what was filled in, the fields that the channel's forms ask for."""
    told = protocol.table(given, longest=2000)
    known = {one.key for one in (*door.settings.prechat, *door.settings.offline)} | {"name", "email", "phone"}
    return {name: value for name, value in told.items() if name in known}


def why_not(door: Door, said: Mapping[str, Any], form: Iterable[Field] | None = None) -> tuple[str, str]:
    """Why somebody without a session may not begin with this, as a code and in words; both empty where they may.

    `form` are the fields that are asked for, by default those before a chat.
    """
    if door.settings.consent and said.get("consent") is not True:
        return "consent", _("Please agree first that what you write is kept.")
    filled, site = fields_of(door, said.get("fields")), said.get("user")
    known = site if isinstance(site, Mapping) else {}
    for one in door.settings.prechat if form is None else form:
        value = filled.get(one.key)
        if not value and known.get(one.key) or value and value == known.get(one.key):
            continue  # nobody could put right what the site says
        if one.required and not (value.strip() if isinstance(value, str) else value):
            return "fields", _("Please fill in what is asked for before the chat.")
        if one.kind == "email" and value and not _is_address(value):
            return "fields", _("This is no e-mail address.")
    return "", ""


def _is_address(value: Any) -> bool:
    try:
        return isinstance(value, str) and bool(usable("email", value))
    except ValidationError:
        return False


def refusal(
    door: Door, said: Mapping[str, Any], language: str, form: Iterable[Field] | None = None
) -> dict[str, Any] | None:
    """The frame that says why not; None where they may begin."""
    with translation.override(language):
        why, text = why_not(door, said, form)
    return {"t": "no", "cid": protocol.word(said.get("cid")), "why": why, "text": text} if why else None
