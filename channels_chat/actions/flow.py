"""The flow bot: it walks along the steps that are built in the channel's settings (docs/channels/chat.md).

What others call stands here too, for whichever bot it is: `start`, `hear`, `press`, `human`, `mute`, `ended`, `watch`.
"""

from __future__ import annotations

from typing import Any, ClassVar

from django.core.exceptions import ValidationError
from django.core.validators import validate_email
from django.db import transaction

from channels_chat import bots, config, flows
from channels_chat.actions import identify, seat
from channels_chat.actions.seat import begin as start
from channels_chat.actions.seat import ended, hear, human, mute, overdue, press, watch
from channels_chat.bots import Bot, register
from channels_chat.flows import END, Ask, Flow, Step, text_in
from channels_chat.models import Chat
from inbox.actions import customers, tickets
from inbox.actions.errors import ActionError
from inbox.models import Channel, Message
from lib.folding import PHONE, fold, words

__all__ = ["ended", "hear", "human", "mute", "overdue", "press", "start", "watch"]

LONGEST = 1000  # characters of an answer
MOST_CHOSEN = 12  # choices that the note names
YES = {"yes", "y", "yeah", "yep", "ji", "haan", "han", "جی", "ہاں", "جی ہاں"}
NO = {"no", "n", "nope", "nahi", "nahin", "نہیں", "جی نہیں"}


@register
class FlowBot(Bot):
    name: ClassVar[str] = "flow"

    def on(self, channel: Channel) -> bool:
        return _flow(channel).works

    def title(self, channel: Channel, language: str) -> str:
        return text_in(_flow(channel).name, language) or channel.name

    def silent(self, channel: Channel) -> int:
        return _flow(channel).silent

    def asking(self, channel: Channel) -> tuple[str, ...]:
        return _flow(channel).words

    def start(self, chat: Chat, message: Message | None) -> None:
        flow = _flow(chat.channel)
        step = flow.steps[flow.start]
        if message is not None and (key := _button(step, chat, message.text)):
            chat.flow["step"] = step.key  # they said with their first words what it would ask
            seat.mark(chat, "entered")
            _choose(chat, flow, step, key)
        else:
            _go(chat, flow, flow.start)

    def hear(self, chat: Chat, message: Message) -> None:
        flow = _flow(chat.channel)
        step = flow.steps.get(str(chat.flow.get("step", "")))
        text = (message.visible_text or message.text).strip()
        if step is None:  # its flow was changed under it
            seat.handoff(chat, "flow", _chosen(chat))
        elif step.ask is not None:
            _answer(chat, flow, step, step.ask, text)
        elif key := _button(step, chat, text):
            _choose(chat, flow, step, key)
        else:
            _missed(chat, step, "bot_confused")

    def press(self, chat: Chat, message: Message, button: str) -> None:
        flow = _flow(chat.channel)
        step = flow.steps.get(str(chat.flow.get("step", "")))
        if step is None:
            seat.handoff(chat, "flow", _chosen(chat))
        elif step.ask is not None:
            place = button.removeprefix("option-")
            options = step.ask.options
            known = place.isascii() and place.isdigit() and int(place) < len(options)
            _answer(chat, flow, step, step.ask, options[int(place)] if known else "")
        else:
            _choose(chat, flow, step, button)

    def left(self, chat: Chat) -> bool:
        """It had said all that it had to say, and asked whether that helped."""
        step = _flow(chat.channel).steps.get(str(chat.flow.get("step", "")))
        return step is not None and step.helped and not chat.flow.get("missed")


def _flow(channel: Channel) -> Flow:
    return flows.read(config.of(channel).flow)


def _go(chat: Chat, flow: Flow, to: str) -> None:
    """Go on to a step, and through those that wait for nothing."""
    for _hop in range(flows.MOST_STEPS):
        step = flow.steps.get(to)
        if to == END:
            return seat.finish(chat, confirmed=False)
        if step is None:
            return seat.handoff(chat, "flow", _chosen(chat))
        chat.flow["step"], chat.flow["missed"] = step.key, 0
        seat.mark(chat, "entered")
        _say(chat, step, text_in(step.say, seat.language_of(chat)))
        if step.waits:
            return None
        to = step.go
    raise seat.Loop


def _say(chat: Chat, step: Step, text: str) -> None:
    if text or step.waits:
        seat.say(chat, text or "…", buttons=_buttons(step, chat), waits=step.waits)


def _buttons(step: Step, chat: Chat) -> list[dict[str, str]]:
    """What stands below a step's words, as the visitor sees it."""
    if step.helped:
        return [
            {"key": "yes", "label": seat.words(chat, "bot_yes")},
            {"key": "no", "label": seat.words(chat, "bot_no")},
        ]
    if step.ask is not None:
        return [{"key": f"option-{place}", "label": one} for place, one in enumerate(step.ask.options)]
    language = seat.language_of(chat)
    return [{"key": one.key, "label": text_in(one.label, language) or one.key} for one in step.buttons]


def _button(step: Step, chat: Chat, text: str) -> str:
    """Key of the button that these words mean: its own words in any language, or its place."""
    said = _folded(text)
    shown = [] if step.ask is not None else _buttons(step, chat)
    if step.helped and said in YES | NO:
        return "yes" if said in YES else "no"
    for place, one in enumerate(shown, 1):
        if said in {_folded(one["label"]), str(place)}:
            return one["key"]
    for button in step.buttons:
        if said and said in {_folded(label) for label in button.label.values()}:
            return button.key
    return ""


def _folded(text: str) -> str:
    return " ".join(words(fold(text[:LONGEST])))


def _choose(chat: Chat, flow: Flow, step: Step, key: str) -> None:
    if step.helped:
        seat.mark(chat, "helped" if key == "yes" else "unhelpful")
        if key == "yes":
            seat.finish(chat, confirmed=True)
        else:
            seat.handoff(chat, "unhelpful", _chosen(chat))
        return
    button = next((one for one in step.buttons if one.key == key), None)
    if button is None:  # shown before its flow was changed
        _missed(chat, step, "bot_confused")
        return
    seat.mark(chat, "chosen", choice=key)
    label = text_in(button.label, seat.language_of(chat)) or key
    chat.flow["chosen"] = [*chat.flow.get("chosen", []), label[:80]][-MOST_CHOSEN:]
    _go(chat, flow, button.go)


def _chosen(chat: Chat) -> str:
    """The way that the visitor went, for the note."""
    return " → ".join(chat.flow.get("chosen", []))


def _missed(chat: Chat, step: Step, key: str) -> None:
    """Not understood: said once, with the step's buttons again; then a human gets the chat."""
    seat.mark(chat, "fallback")
    chat.flow["missed"] = chat.flow.get("missed", 0) + 1
    if chat.flow["missed"] >= bots.MOST_MISSED:
        seat.handoff(chat, "missed", _chosen(chat))
    else:
        _say(chat, step, seat.words(chat, key))


def _answer(chat: Chat, flow: Flow, step: Step, ask: Ask, text: str) -> None:
    value = _value(ask, text)
    if not value:
        _missed(chat, step, f"bot_again_{ask.kind}")
        return
    chat.fields = {**chat.fields, ask.field: value}
    chat.save(update_fields=["fields"])
    seat.mark(chat, "answered", choice=ask.field)
    _put(chat, ask.into, value)
    _go(chat, flow, step.go)


def _value(ask: Ask, text: str) -> str:
    """The answer as it is kept; empty where it is none."""
    clean = " ".join(text[: 4 * LONGEST].split())[:LONGEST]
    match ask.kind:
        case "email":
            found = next((one.strip("<>(),;") for one in clean.split() if "@" in one), clean)
            try:
                validate_email(found)
            except ValidationError:
                return ""
            return found[:320]
        case "phone":
            digits = [one for one in fold(clean) if one.isdigit()]
            return clean[:40] if PHONE[0] <= len(digits) <= PHONE[1] else ""
        case "choice":
            said = _folded(clean)
            named = {_folded(one): one for one in ask.options}
            placed = {str(place): one for place, one in enumerate(ask.options, 1)}
            return named.get(said) or placed.get(said, "")
    return clean


def _put(chat: Chat, into: str, value: str) -> None:
    """Keep an answer where its step says so. What does not fit there stays in the chat's fields alone."""
    noun, _colon, key = into.partition(":")
    bot = seat.agent_of(chat.channel, bots.named(FlowBot.name) or FlowBot())
    try:
        with transaction.atomic():
            if noun in flows.CLAIMS:
                identify.claim(chat.visitor, {noun: value})
            elif noun == "topic":
                chat.topic = _topic(chat, value)
                chat.save(update_fields=["topic"])
            elif noun == "ticket":
                tickets.set_attributes(chat.engagement.ticket, {key: value}, by=bot)
            elif noun == "customer" and chat.visitor.customer is not None:
                known: dict[str, Any] = {**chat.visitor.customer.attributes, key: value}
                customers.update(chat.visitor.customer, by=bot, attributes=known)
    except (ActionError, ValueError):
        return


def _topic(chat: Chat, value: str) -> str:
    """The key of the topic that is called so, in whatever language; else the words themselves."""
    said = _folded(value)
    for one in config.of(chat.channel).topics:
        if said in {_folded(str(name)) for name in [one.get("key", ""), *dict(one.get("label") or {}).values()]}:
            return str(one["key"])[:60]
    return value[:60]
