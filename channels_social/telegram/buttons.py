"""Buttons under the bot's messages: whoever presses one sees it at work until the bot has answered the press.

An answer of no words is all that it takes (core.telegram.org/bots/api#answercallbackquery). It is a courtesy, as in
`channels_social.activity`: the press is taken in already, and what goes wrong here concerns nobody.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Sequence
from datetime import timedelta

from django.utils import timezone

from channels_social.messenger import Messenger
from channels_social.telegram import parsing
from channels_social.telegram.api import Telegram
from inbox.adapters import DeliveryError, adapter_for
from inbox.models import Channel, Message
from lib import http

logger = logging.getLogger(__name__)

WITHIN = timedelta(minutes=15)  # of a press: later nobody looks at that button, and Telegram takes no answer
AGAIN_SECONDS = 0.5  # before the one more try, where the first got no answer
MOST_SECONDS = 10.0  # of one run: others wait for this worker, too


def answer(channel_id: int, messages: Sequence[int]) -> int:
    """Answer the presses that became these messages (ids), the newest first; returns how many Telegram took."""
    pressed = Message.objects.filter(
        pk__in=messages, channel=channel_id, content_kind=parsing.BUTTON, created_at__gt=timezone.now() - WITHIN
    )
    return answer_queries(channel_id, list(pressed.order_by("-pk").values_list("external_id", flat=True)))


def answer_queries(channel_id: int, presses: Sequence[str]) -> int:
    """Answer presses by what their messages are called (`parsing.PRESS`); returns how many Telegram took."""
    channel = Channel.objects.filter(
        pk=channel_id, kind=parsing.KIND, paused=False, out_failing_since__isnull=True
    ).first()
    if channel is None or channel.limited_until is not None:
        return 0
    adapter = adapter_for(channel.kind)
    assert isinstance(adapter, Messenger)
    taken, until = 0, time.monotonic() + MOST_SECONDS
    with http.Session() as session:
        wire = adapter.wire(channel, session)
        assert isinstance(wire, Telegram)
        for press in presses:
            query = parsing.query_of(press)
            if not query:
                continue  # erased meanwhile
            if time.monotonic() > until:
                break
            try:
                _answer(wire, query)
                taken += 1
            except DeliveryError as error:
                logger.info("a press on channel %s was not answered: %s", channel.slug, error)
                if not error.permanent:
                    break  # Telegram is away, or wants to hear less: the others would fare alike
    return taken


def _answer(wire: Telegram, query: str) -> None:
    """Once more after a moment where nothing came back: answered twice it does no harm. Raises DeliveryError."""
    try:
        wire.show("answerCallbackQuery", callback_query_id=query)
    except DeliveryError as error:
        if error.permanent or error.fault:
            raise
        time.sleep(AGAIN_SECONDS)
        wire.show("answerCallbackQuery", callback_query_id=query)
