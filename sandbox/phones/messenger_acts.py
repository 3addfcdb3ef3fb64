"""What can be done in chats on Messenger and Instagram from the page where one plays their people."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from typing import Any

from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from sandbox.phones import chats, messenger
from sandbox.phones.acts import Act, Cannot, Given, Trouble
from sandbox.phones.models import Account, Line, Person

LINE, TEXT = frozenset({"line"}), frozenset({"text"})
REACTIONS: tuple[tuple[str, str | Promise], ...] = (*((one, one) for one in messenger.REACTIONS), ("", _("None")))
EXPIRED = {"token_state": "expired"}


def line_of(given: Given) -> Line:
    """The line that an act is about."""
    if given.line is None:
        raise Cannot(_("Choose a message first."))
    return given.line


def check_unblocked(person: Person) -> None:
    if person.blocked:
        raise Cannot(_("You have blocked this account. Unblock it to write."))


def opened(account: Account, person: Person) -> None:
    """The person looks at the chat."""
    messenger.read(account, person)


def without_line(deed: Callable[[Account, Person], Any]) -> Callable[[Account, Person, Given], None]:
    """An act of a person that makes no line."""

    def do(account: Account, person: Person, given: Given) -> None:
        deed(account, person)

    return do


def in_chat(line: Line) -> bool:
    return not line.public


def in_public(line: Line) -> bool:
    return line.public


def own_text(line: Line) -> bool:
    return not line.ours and not line.public and line.kind == "text"


def own_comment(line: Line) -> bool:
    return not line.ours and line.public


def _compose(account: Account, person: Person, given: Given) -> Line | None:
    check_unblocked(person)
    reply_to = given.line.external_id if given.line else ""
    line = None
    if given.text:
        line = messenger.text(account, person, given.text, reply_to=reply_to)
    if given.files:
        sent = [(_kind(one.content_type), one.content, one.content_type, one.name) for one in given.files]
        line = messenger.attach(account, person, sent, reply_to="" if given.text else reply_to)
    return line


def _kind(content_type: str) -> str:
    family = content_type.split("/")[0]
    return family if family in {"image", "audio", "video"} else "file"


def _react(account: Account, person: Person, given: Given) -> Line:
    messenger.react(account, person, line_of(given), given.choice)
    return line_of(given)


def _start(account: Account, person: Person, given: Given) -> Line:
    return messenger.postback(account, person, "Get started", "GET_STARTED", ref=given.text)


CHAT = (
    Act("text", _("Send"), _compose, takes=frozenset({"text", "file", "line"}), main=True),
    Act("start", _("Press “Get started”"), _start, takes=TEXT),
    Act("react", _("React"), _react, needs=LINE, choices=REACTIONS, fits=in_chat),
    Act(
        "press",
        _("Press"),
        lambda a, p, g: messenger.press(a, p, line_of(g), g.choice),
        needs=LINE,
        fits=lambda line: bool(line.payload.get("buttons")),
        choices_of=lambda line: [(value, label) for label, value in line.payload.get("buttons", [])],
    ),
    Act(
        "edit",
        _("Edit"),
        lambda a, p, g: messenger.edit(a, p, line_of(g), g.text),
        needs=LINE | TEXT,
        fits=own_text,
    ),
    Act(
        "delete",
        _("Take back"),
        lambda a, p, g: messenger.unsend(a, p, line_of(g)),
        needs=LINE,
        fits=lambda line: not line.ours and not line.public,
    ),
    Act("read", _("Read everything"), without_line(messenger.read)),
    Act("block", _("Block"), without_line(messenger.block)),
    Act("unblock", _("Unblock"), without_line(lambda a, p: messenger.block(a, p, False))),
    Act("in-app", _("Owner answers in the app"), lambda a, p, g: messenger.answer_in_app(a, p, g.text), needs=TEXT),
    Act("hand-over", _("Another app takes over"), without_line(messenger.hand_over)),
    Act("hand-back", _("The other app hands back"), without_line(lambda a, p: messenger.hand_over(a, p, True))),
)


def _error(code: int, message: str, **more: Any) -> dict[str, Any]:
    return {"error": {"message": f"(#{code}) {message}", "type": "OAuthException", "code": code, **more}}


TROUBLES = (
    Trouble("day", _("24 hours pass"), do=lambda account: chats.grow_old(account, chats.DAY)),
    Trouble("week", _("A week passes"), do=lambda account: chats.grow_old(account, timedelta(days=7))),
    Trouble(
        "rate",
        _("Too many calls"),
        fault={
            "method": "POST messages",
            "status": 400,
            "body": _error(613, "Calls to this api have exceeded the limit."),
        },
    ),
    Trouble(
        "transient",
        _("Fails for a moment"),
        fault={"method": "", "status": 500, "body": _error(2, "Service temporarily unavailable", is_transient=True)},
    ),
    Trouble("lost", _("The answer is lost on its way"), fault={"method": "POST messages", "after": True, "cut": True}),
    Trouble(
        "unsubscribed", _("Meta unsubscribes the app"), do=lambda account: chats.arrange(account, subscribed_fields=[])
    ),
    Trouble("token", _("The token expires"), do=lambda account: chats.arrange(account, **EXPIRED)),
    Trouble("token-good", _("The token is good again"), do=lambda account: chats.arrange(account, token_state=None)),
)
