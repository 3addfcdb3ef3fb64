"""What becomes visible later than what was written after it, and what an acknowledgement overtook: still told, once."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.utils import timezone

from channels_chat import history, reading
from inbox.actions import reply, split
from inbox.models import Agent, Message, Role
from tests.channels_chat import cast

pytestmark = pytest.mark.django_db


@pytest.fixture
def sana() -> Agent:
    return Agent.objects.create_user("sana@desk.example", name="Sana", role=Role.AGENT)


def test_what_waited_for_its_time_is_news_when_it_leaves(sana: Agent) -> None:
    visitor = cast.visitor_of(cast.chat_channel())
    first = cast.says(visitor, "Tell me tomorrow")
    later = reply.reply(first.ticket, by=sana, text="Good morning", send_at=timezone.now() + timedelta(hours=9))
    newest = cast.says(visitor, "Thanks")
    Message.objects.update(created_at=timezone.now() - timedelta(hours=9))
    told = (first.pk, newest.pk)
    assert reading.news_of({visitor.pk: (newest.pk, told)})[visitor.pk].messages == []
    Message.objects.filter(pk=later.pk).update(state="sent", sent_at=timezone.now())
    [found] = reading.news_of({visitor.pk: (newest.pk, told)})[visitor.pk].messages
    assert found["id"] == later.pk
    assert reading.news_of({visitor.pk: (newest.pk, (*told, later.pk))})[visitor.pk].messages == []
    # So it is for a page that was away meanwhile, and for one that comes much later with nothing.
    assert later.pk in [one.pk for one in history.of(visitor, after=newest.pk)]
    assert [one.pk for one in history.of(visitor)] == [first.pk, later.pk, newest.pk]


def test_an_acknowledgement_does_not_hide_what_came_just_before(sana: Agent) -> None:
    visitor = cast.visitor_of(cast.chat_channel())
    old = cast.says(visitor, "Hello")
    Message.objects.update(created_at=timezone.now() - timedelta(minutes=1))
    before = reply.reply(old.ticket, by=sana, text="Hello, what is it?")
    own = cast.says(visitor, "My parcel")  # whose acknowledgement came before the reply was told; then the line broke
    assert [one.pk for one in history.of(visitor, after=own.pk)] == [before.pk, own.pk]
    assert reading.since({old.ticket_id: own.pk}) == {old.ticket_id: before.pk - 1}
    assert reading.since({old.ticket_id: old.pk}) == {old.ticket_id: old.pk - 1}
    assert reading.since({old.ticket_id: 0}) == {old.ticket_id: 0}


def test_what_was_split_off_is_still_theirs_to_see(sana: Agent) -> None:
    visitor = cast.visitor_of(cast.chat_channel())
    first, second = cast.says(visitor, "My parcel"), cast.says(visitor, "And my invoice")
    other = split.split(first.ticket, [second.pk], by=sana)
    answer = reply.reply(other, by=sana, text="Here it is")
    assert [one.pk for one in history.of(visitor)] == [first.pk, second.pk, answer.pk]
