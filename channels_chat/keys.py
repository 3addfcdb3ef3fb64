"""Where the desk stands among Rabta's places: sidebar, palette, the help on `?`, sheets and scripts of every page."""

from __future__ import annotations

from django.utils.translation import gettext_lazy as _

from channels_chat.models import Chat, ChatState
from inbox import context, default_views, shortcuts
from inbox.default_views import View
from inbox.models import Agent
from inbox.models.tickets import TicketQuerySet


def waiting(agent: Agent, found: TicketQuerySet) -> TicketQuerySet:
    """The tickets whose visitors wait for somebody: what the sidebar counts."""
    return found.filter(pk__in=Chat.objects.filter(state=ChatState.WAITING).values("engagement__ticket"))


DESK = View("chats", _("Chats"), "chats", {}, {}, "c", among=waiting, page="chats", of_kind="chat")
VISITORS = View("chat-visitors", _("Who is on the site"), "globe", {}, {}, "w", counted=False, aside=True,
                page="chat-visitors", of_kind="chat")  # fmt: skip
KEYS = shortcuts.Group("chats", _("Chats"), (
    shortcuts.Shortcut(_("To the chats"), ("g", "c"), in_turn=True),
    shortcuts.Shortcut(_("To who is on the site"), ("g", "w"), in_turn=True),
    shortcuts.one(_("Accept the chat that is offered, on any page"), "Ctrl ⇧ a"),
    shortcuts.one(_("Accept who waits longest"), "a"),
    shortcuts.one(_("To the first, second… chat"), "1", "2", "Alt 3"),
    shortcuts.one(_("Next and previous chat"), "j", "k"),
    shortcuts.one(_("Out of the field, so that keys work"), "Esc"),
    shortcuts.one(_("Send; a new line"), "Enter", "⇧ Enter"),
    shortcuts.one(_("Hand over"), "t"),
    shortcuts.one(_("Send a page"), "p"),
    shortcuts.one(_("Open as ticket"), "o"),
    shortcuts.one(_("Solve"), "e"),
))  # fmt: skip


def register() -> None:
    default_views.ADDED += [DESK, VISITORS]
    shortcuts.register(KEYS)
    context.STYLE_SHEETS += ["channels_chat/css/offers.css", "channels_chat/css/chat.css"]
    context.SCRIPTS += [f"channels_chat/js/{name}.js" for name in ("clocks", "sound", "offers", "beside")]
