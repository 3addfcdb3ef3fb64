"""What the widget says, by key. A channel's `texts` may replace any of it by its key: {"ur": {"title": "…"}}.

`CHOSEN` are those that an organisation words for itself, in the order in which its settings ask for them.
"""

from __future__ import annotations

from django.conf import settings
from django.utils import translation
from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from channels_chat.config import Settings

WORDS: dict[str, str | Promise] = {
    "title": _("Chat with us"),
    "launcher": _("Open the chat"),
    "greeting": _("Hello! How can we help?"),
    "placeholder": _("Write a message…"),
    "start": _("Start the chat"),
    "before": _("A few words before we begin:"),
    "topic": _("What is it about?"),
    "consent": _("I agree that what I write here is kept, so that I can be answered."),
    "offline": _("Nobody is here right now. Leave a message, and we will answer by e-mail."),
    "offline_sent": _("Thank you. We have your message, and will answer by e-mail."),
    "overflow": _("It takes longer than we would like. Leave a message, and we will answer by e-mail."),
    "rate": _("How was this chat?"),
    "rate_thanks": _("Thank you for telling us."),
    "ended": _("This chat has ended. Write whenever you need us again."),
    "back": _("We are back %(when)s."),
    "close": _("Close the chat"),
    "menu": _("More"),
    "sound_on": _("Turn sound on"),
    "sound_off": _("Turn sound off"),
    "transcript": _("Send this chat by e-mail"),
    "transcript_sent": _("The chat is on its way to you."),
    "end": _("End the chat"),
    "end_sure": _("End this chat?"),
    "stay": _("Go on chatting"),
    "cancel": _("Cancel"),
    "send": _("Send"),
    "attach": _("Attach a file"),
    "emoji": _("Emoji"),
    "dropped": _("Drop files here"),
    "take_out": _("Take %(name)s out"),
    "human": _("Talk to a person"),
    "messages": _("Messages"),
    "message": _("Message"),
    "you": _("You"),
    "older": _("Earlier messages"),
    "today": _("Today"),
    "yesterday": _("Yesterday"),
    "sending": _("Sending…"),
    "unsent": _("Offline: will be sent"),
    "failed": _("Not sent"),
    "again": _("Try again"),
    "sent": _("Sent"),
    "delivered": _("Delivered"),
    "read": _("Seen"),
    "typing": _("%(name)s is writing"),
    "no_line": _("No connection. What you write is sent as soon as it is back."),
    "refused": _("This chat is not open on this site."),
    "wait": _("Usually answered in about %(time)s"),
    "wait_here": _("We usually answer at once"),
    "bot_answers": _("Our assistant answers first"),
    "queue": _("You are number %(place)s in line"),
    "queue_next": _("You are next"),
    "queue_wait": _("about %(time)s"),
    "finding": _("We are finding somebody for you"),
    "minute": _("a minute"),
    "minutes": _("%(n)s minutes"),
    "closing": _("Are you still there? This chat ends soon if nobody writes."),
    "email": _("E-mail"),
    "required": _("Please fill this in."),
    "choose": _("Choose…"),
    "too_large": _("Files may have at most %(mb)s MB."),
    "upload_failed": _("This file could not be sent."),
    "too_fast": _("That was very fast. Your message follows in a moment."),
    "new_message": _("New message"),
    "unread": _("Unread messages: %(n)s"),
    "dismiss": _("Dismiss"),
    "open_page": _("Open the page"),
    "read_page": _("Read on"),
    "comment": _("Tell us more, if you like"),
    "rate_1": _("Very bad"),
    "rate_2": _("Bad"),
    "rate_3": _("All right"),
    "rate_4": _("Good"),
    "rate_5": _("Very good"),
}
CHOSEN = (
    "title",
    "greeting",
    "placeholder",
    "launcher",
    "before",
    "topic",
    "start",
    "consent",
    "offline",
    "offline_sent",
    "overflow",
    "ended",
    "rate",
    "rate_thanks",
)


def words(settings_: Settings, language: str) -> dict[str, str]:
    """Every word of the widget in one language, the organisation's own where it has some.

    Languages that Rabta does not speak itself are said in its own default language, but for what the organisation says.
    """
    spoken = language if language in dict(settings.LANGUAGES) else settings.LANGUAGE_CODE
    with translation.override(spoken):
        return {key: settings_.said(key, language) or str(word) for key, word in WORDS.items()}
