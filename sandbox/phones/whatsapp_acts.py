"""What can be done on WhatsApp from the page where one plays its people."""

from __future__ import annotations

from typing import Any

from django.utils.translation import gettext_lazy as _

from sandbox.phones import acts, chats, hooks, whatsapp
from sandbox.phones.acts import Act, Given, Trouble
from sandbox.phones.messenger_acts import EXPIRED, LINE, TEXT, check_unblocked, line_of, without_line
from sandbox.phones.models import Account, Line, Person


def kind_of(content_type: str) -> str:
    """As what WhatsApp sends a file of this type."""
    if content_type == "image/webp":
        return "sticker"
    family = content_type.split("/")[0]
    return family if family in {"image", "audio", "video"} else "document"


def _compose(account: Account, person: Person, given: Given) -> Line | None:
    check_unblocked(person)
    reply_to = given.line.external_id if given.line else ""
    kinds = [kind_of(upload.content_type) for upload in given.files]
    captioned = bool(kinds) and kinds[0] not in {"audio", "sticker"}
    line = None
    with hooks.together(account):
        if given.text and not captioned:
            line = whatsapp.text(account, person, given.text, reply_to=reply_to)
        for number, upload in enumerate(given.files):
            line = whatsapp.file(
                account,
                person,
                kinds[number],
                upload.content,
                upload.content_type,
                name=upload.name,
                caption=given.text if captioned and not number else "",
                voice="ogg" in upload.content_type,
                reply_to=reply_to,
            )
    return line


def _reacts(account: Account, person: Person, given: Given) -> Line:
    whatsapp.react(account, person, line_of(given), given.choice)
    return line_of(given)


def _moves(account: Account, person: Person, given: Given) -> None:
    whatsapp.change_number(account, person, given.text)


def opened(account: Account, person: Person) -> None:
    """The person looks at the chat."""
    whatsapp.read(account, person)


def _quality(account: Account, event: str) -> None:
    number = account.settings.get("display_phone_number", "").lstrip("+")
    value = {"display_phone_number": number, "event": event, "current_limit": "TIER_10K"}
    whatsapp.account_news(account, "phone_number_quality_update", value)


def _template(account: Account, event: str) -> None:
    """The first template that the account has is paused, or approved again."""
    found: list[dict[str, Any]] = [{**one} for one in account.settings.get("templates") or []]
    if not found:
        return
    found[0]["status"] = event
    chats.arrange(account, templates=found)
    value = {
        "event": event,
        "message_template_id": int(found[0].get("id") or 0),
        "message_template_name": found[0]["name"],
        "message_template_language": found[0]["language"],
        "reason": "NONE",
    }
    whatsapp.account_news(account, "message_template_status_update", value)


def _own(line: Line) -> bool:
    return not line.ours


REACTIONS = (*((one, one) for one in ("👍", "❤️", "😂", "😮", "😢", "🙏")), ("", _("None")))
PLACE = {"name": "Shop", "address": "Rua 1"}

acts.register(
    acts.Platform(
        key="whatsapp",
        meet=whatsapp.meet,
        needs_phone=True,
        opened=opened,
        acts=(
            Act("text", _("Send"), _compose, takes=frozenset({"text", "file", "line"}), main=True),
            Act("place", _("Send a place"), lambda a, p, g: whatsapp.location(a, p, 38.72, -9.14, **PLACE)),
            Act(
                "card",
                _("Send a contact"),
                lambda a, p, g: whatsapp.contact(a, p, g.text or "Rui", f"+351{chats.digits(9)}"),
                takes=TEXT,
            ),
            Act("poll", _("Send a poll"), lambda a, p, g: whatsapp.unsupported(a, p)),
            Act("react", _("React"), _reacts, needs=LINE, choices=REACTIONS),
            Act(
                "press",
                _("Press"),
                lambda a, p, g: whatsapp.press(a, p, line_of(g), g.choice),
                needs=LINE,
                fits=lambda line: bool(line.payload.get("buttons")),
                choices_of=lambda line: [(value, label) for label, value in line.payload.get("buttons", [])],
            ),
            Act(
                "edit",
                _("Edit"),
                lambda a, p, g: whatsapp.edit(a, p, line_of(g), g.text),
                needs=LINE | TEXT,
                fits=lambda line: not line.ours and line.kind == "text",
            ),
            Act(
                "delete",
                _("Delete for everybody"),
                lambda a, p, g: whatsapp.revoke(a, p, line_of(g)),
                needs=LINE,
                fits=_own,
            ),
            Act("read", _("Read everything"), without_line(whatsapp.read)),
            Act("block", _("Block"), without_line(whatsapp.block)),
            Act("unblock", _("Unblock"), without_line(lambda a, p: whatsapp.block(a, p, False))),
            Act("off", _("Switch the phone off"), without_line(lambda a, p: whatsapp.switch_on(a, p, False))),
            Act("on", _("Switch the phone on"), without_line(whatsapp.switch_on)),
            Act(
                "number",
                _("Change the number"),
                _moves,
                needs=TEXT,
            ),
            Act(
                "in-app",
                _("Owner answers in the app"),
                lambda a, p, g: whatsapp.answer_in_app(a, p, g.text),
                needs=TEXT,
            ),
        ),
        troubles=(
            Trouble("window", _("24 hours pass"), do=lambda account: chats.grow_old(account, chats.DAY)),
            Trouble(
                "rate",
                _("Too many messages"),
                fault={
                    "method": "POST messages",
                    "status": 400,
                    "body": {
                        "error": {
                            "message": "(#130429) Rate limit hit",
                            "type": "OAuthException",
                            "code": 130429,
                            "error_data": {"messaging_product": "whatsapp", "details": "Throughput reached"},
                        }
                    },
                },
            ),
            Trouble(
                "later",
                _("Fail after accepting"),
                fault={"method": "status", "code": 131026, "title": "Message undeliverable"},
            ),
            Trouble("flagged", _("The number is flagged"), do=lambda account: _quality(account, "FLAGGED")),
            Trouble("unflagged", _("The number is good again"), do=lambda account: _quality(account, "UNFLAGGED")),
            Trouble("paused", _("A template is paused"), do=lambda account: _template(account, "PAUSED")),
            Trouble("approved", _("The template is approved again"), do=lambda account: _template(account, "APPROVED")),
            Trouble("down", _("Server error"), fault={"method": "", "status": 503, "text": "Service Unavailable"}),
            Trouble("token", _("The token expires"), do=lambda account: chats.arrange(account, **EXPIRED)),
            Trouble(
                "token-good", _("The token is good again"), do=lambda account: chats.arrange(account, token_state=None)
            ),
        ),
    )
)
