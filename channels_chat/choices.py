"""What the sections of the settings offer to choose from, and what they tell beside their inputs."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from django.conf import settings as django_settings
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from channels_chat import config, flows, site, snippets
from channels_chat.drafts import Draft
from channels_chat.forms import BOT_WORDS
from channels_chat.models import Visitor
from channels_chat.words import CHOSEN, words
from inbox import access
from inbox.models import Agent, Channel, Field, FieldNoun

# Words that stand on one line.
SHORT = {"title", "placeholder", "launcher", "topic", "start", "rate", "bot_human", "bot_yes", "bot_no"}


def of_section(key: str, channel: Channel, agent: Agent, draft: Draft) -> dict[str, Any]:
    """What this section reads beside its draft."""
    found = _SECTIONS.get(key)
    return found(channel, agent, draft) if found else {}


def of_item(what: str, channel: Channel, draft: Draft, key: str) -> dict[str, Any]:
    """What the page of one invitation or step reads beside its draft."""
    return _invitation(channel, key) if what == "invitation" else _step(channel, draft, key)


def _look(channel: Channel, agent: Agent, draft: Draft) -> dict[str, Any]:
    return {
        "positions": {
            "end": _("Where lines end (right in English)"),
            "start": _("Where lines begin (left in English)"),
        },
        "themes": {"auto": _("As the visitor's device"), "light": _("Light"), "dark": _("Dark")},
        "offered": spoken(channel),
        "shows": "chat",
    }


def spoken(channel: Channel) -> list[tuple[str, str]]:
    """Languages to choose from: those that the widget speaks, and those that are chosen already."""
    known = {"en": "English", "ur": "اردو"}
    return [(code, known.get(code, code)) for code in dict.fromkeys([*known, *config.of(channel).languages])]


def _texts(channel: Channel, agent: Agent, draft: Draft) -> dict[str, Any]:
    plain = config.read({})
    languages = [*dict.fromkeys([*config.of(channel).languages, *channel.settings.get("texts", {})])]
    defaults = {language: words(plain, language) for language in languages}
    labels = _labels()

    def rows(keys: tuple[str, ...]) -> list[dict[str, Any]]:
        return [
            {
                "key": key,
                "label": labels[key],
                "short": key in SHORT,
                "cells": [(one, f"texts.{one}.{key}", defaults[one].get(key, "")) for one in languages],
            }
            for key in keys
        ]

    return {"groups": [("", rows(CHOSEN)), (_("What the bot says by itself"), rows(BOT_WORDS))]}


def _labels() -> dict[str, str]:
    return {
        "title": _("Title"),
        "greeting": _("Greeting"),
        "placeholder": _("In the empty input"),
        "launcher": _("Button that opens the chat"),
        "before": _("Above the form before the chat"),
        "topic": _("Question for the topic"),
        "start": _("Button that begins the chat"),
        "consent": _("Consent"),
        "offline": _("When nobody is there"),
        "offline_sent": _("After a message was left"),
        "overflow": _("When it takes too long"),
        "ended": _("After the chat"),
        "rate": _("Question for the rating"),
        "rate_thanks": _("Thanks for the rating"),
        "bot_human": _("Button for a person"),
        "bot_handoff": _("When it hands over"),
        "bot_confused": _("When it does not understand"),
        "bot_yes": _("It helped"),
        "bot_no": _("It did not help"),
        "bot_bye": _("When it is done"),
        "bot_again_text": _("Asking again"),
        "bot_again_email": _("Asking again for an e-mail address"),
        "bot_again_phone": _("Asking again for a phone number"),
        "bot_again_choice": _("Asking again for a choice"),
    }


def _queue(channel: Channel, agent: Agent, draft: Draft) -> dict[str, Any]:
    any_one = ("", _("any"))
    return {
        "teams": [("", _("Choose a team")), *access.teams(agent).order_by("name").values_list("slug", "name")],
        "topics": [any_one, *((one["key"], first(one["label"])) for one in config.of(channel).topics)],
        "spoken": [any_one, *spoken(channel)],
        "waits": config.Queue(),
    }


def first(texts: Mapping[str, str]) -> str:
    """These words in whatever language they have."""
    return next(iter(texts.values()), "")


def _continuity(channel: Channel, agent: Agent, draft: Draft) -> dict[str, Any]:
    mailboxes = access.channels(agent).filter(kind="email").order_by("name").values_list("slug", "name")
    offered = [
        ("auto", _("The first that can send")),
        ("", _("None: they see the answer when they come back")),
        *mailboxes,
    ]
    off = "continuity" in draft.values and draft.values["continuity"] is None
    return {"mailboxes": offered, "mailbox": "" if off else draft.value("continuity.channel") or "auto"}


def _proactive(channel: Channel, agent: Agent, draft: Draft) -> dict[str, Any]:
    def told(one: Mapping[str, Any]) -> str:
        count = len(one.get("all") or ()) + len(one.get("any") or ())
        said = ngettext("%(count)d condition", "%(count)d conditions", count) % {"count": count}
        held = int(one.get("holdout") or 0)
        return f"{said} · " + _("%(n)d %% held back") % {"n": held} if held else said

    found = [
        {
            "key": one["key"],
            "name": one.get("name") or one["key"],
            "on": one.get("on", True),
            "text": first(one.get("text") or {}),
            "told": told(one),
        }
        for one in channel.settings.get("invitations") or ()
    ]
    return {"invitations": found, "moments": moments()}


def moments() -> list[tuple[str, str]]:
    """What a journey may begin or end with."""
    return [("url", _("a page")), ("event", _("a tracked event"))]


def _bot(channel: Channel, agent: Agent, draft: Draft) -> dict[str, Any]:
    flow = channel.settings.get("flow") or {}
    targets = dict(_targets(channel))

    def told(one: Mapping[str, Any]) -> str:
        if one.get("buttons"):
            labels = [f"{first(each['label'])} → {targets.get(each.get('go', ''), '?')}" for each in one["buttons"]]
            return " · ".join(labels)
        if one.get("helped"):
            return _("asks whether it helped")
        leads = targets.get(flows.HUMAN if one.get("human") else one.get("go", ""), "?")
        if one.get("ask"):
            return _("asks for %(field)s → %(next)s") % {"field": one["ask"].get("field"), "next": leads}
        return f"→ {leads}"

    steps = [{"key": one["key"], "text": first(one["say"]), "told": told(one)} for one in flow.get("steps") or ()]
    return {"steps": steps, "starts": [(one["key"], one["key"]) for one in steps], "silent": flows.SILENT}


def _targets(channel: Channel) -> list[tuple[str, str]]:
    """Where a step may lead; what says nothing hands over."""
    keys = [one["key"] for one in (channel.settings.get("flow") or {}).get("steps") or ()]
    ends = [("", _("a person")), (flows.HUMAN, _("a person")), (flows.END, _("the end of the chat"))]
    return [*ends, *((key, key) for key in keys)]


def _install(channel: Channel, agent: Agent, draft: Draft) -> dict[str, Any]:
    return {
        "snippet": snippets.script(channel),
        "page": snippets.page(channel),
        "seen": seen(channel),
        "signing": snippets.signing(),
        "identify": snippets.identify(channel),
        "on_site": snippets.on_site(),
        "elsewhere": snippets.elsewhere(channel),
    }


def seen(channel: Channel) -> dict[str, Any] | None:
    """Where the widget was last seen, and when: on a page that is open now, else by the newest visitor who wrote."""
    here = [one for one in site.now(channel.pk) if one.page]
    if here:
        return {"page": here[0].page, "at": here[0].at, "now": True}
    rows = Visitor.objects.filter(channel=channel).exclude(pages=[]).order_by("-last_seen_at")
    found = rows.values("pages", "last_seen_at").first()
    if found is None:
        return None
    return {"page": str(found["pages"][-1].get("url", "")), "at": found["last_seen_at"], "now": False}


def _hours(channel: Channel, agent: Agent, draft: Draft) -> dict[str, Any]:
    """The usual hours stand there to begin with, and count once they are chosen."""
    when = draft.value("hours.when")
    chosen = when == "set" if when else bool(draft.value("hours"))
    if not draft.value("hours"):
        draft.values = {**draft.values, "hours": {"days": [[["09:00", "17:00"]] for _day in range(5)] + [[], []]}}
    return {"set_hours": chosen, "zone": agent.time_zone or django_settings.TIME_ZONE}


_SECTIONS = {
    "look": _look,
    "texts": _texts,
    "hours": _hours,
    "queue": _queue,
    "continuity": _continuity,
    "proactive": _proactive,
    "bot": _bot,
    "install": _install,
}


def _invitation(channel: Channel, key: str) -> dict[str, Any]:
    journeys = [(one["key"], one.get("name") or one["key"]) for one in config.of(channel).journeys]
    return {
        "inviting": key or "-",
        "conditions": conditions(),
        "ops": [*((one, one) for one in ("=", "!=", ">", "<")), ("contains", _("contains"))],
        "counted": [(">", _("more than")), ("=", _("exactly")), ("<", _("fewer than"))],
        "journeys": [("", _("none")), *journeys],
        "spoken": spoken(channel),
    }


def conditions() -> list[tuple[str, str]]:
    """The kinds of conditions, as people say them."""
    return [
        ("url", _("the page's address is like")),
        ("time", _("seconds on this page, at least")),
        ("visits", _("number of visits")),
        ("scroll", _("per cent scrolled, at least")),
        ("idle", _("seconds without moving, at least")),
        ("exit", _("the pointer leaves the page")),
        ("returning", _("was here before")),
        ("hours", _("it is within business hours")),
        ("language", _("the language is")),
        ("attribute", _("an attribute of the visitor")),
        ("event", _("an event was tracked")),
        ("stalled", _("got stuck in the journey")),
    ]


def _step(channel: Channel, draft: Draft, key: str) -> dict[str, Any]:
    own = Field.objects.exclude(noun=FieldNoun.ORGANISATION).order_by("noun", "position", "pk")
    waits = next((name for name in ("buttons", "ask", "helped") if draft.value(name)), "")
    return {
        "targets": [one for one in _targets(channel) if one[0] and one[0] != key],
        "waits": waits if draft.value("waits") is None else draft.value("waits"),
        "ways": [
            ("", _("nothing: it goes on at once")),
            ("buttons", _("a button to be pressed")),
            ("ask", _("an answer, which fills a field")),
            ("helped", _("whether this helped: yes or no")),
        ],
        "kinds": [("text", _("Text")), ("email", _("E-mail")), ("phone", _("Phone")), ("choice", _("Choice"))],
        "intos": [
            ("", _("the chat alone")),
            ("name", _("the visitor's name")),
            ("email", _("the visitor's e-mail address")),
            ("phone", _("the visitor's phone number")),
            ("topic", _("the topic, which routes go by")),
            *((f"{one.noun}:{one.key}", f"{one.get_noun_display()}: {one.label}") for one in own),
        ],
    }
