"""What comes after a chat: a rating that may be said again for a while, and the whole of it by e-mail."""

from datetime import timedelta
from email.message import EmailMessage as Letter
from typing import Any

import pytest
from django.core import mail
from django.test import TestCase
from django.utils import timezone

from channels_chat import tasks
from channels_chat.actions import after, identify, transcripts
from channels_chat.models import Chat, Transcript, Visitor
from channels_email.receipts import raw_receipt
from inbox import post, wake
from inbox.actions import customers, erasing, receive
from inbox.actions.errors import ActionError
from inbox.adapters import Party
from inbox.models import Agent, Channel, Event, Message, Role, Ticket
from tests.channels_chat import people
from tests.channels_chat.people import ALI, answers

pytestmark = pytest.mark.django_db


@pytest.fixture
def sana(db: None) -> Agent:
    return Agent.objects.create_user("sana@rabta.example", name="Sana", role=Role.AGENT)


@pytest.fixture
def chat(sana: Agent) -> Chat:
    people.mailbox()
    visitor, ticket = people.visitor(people.shop(), name="Ali", email=ALI)
    answers(ticket, sana)
    return of(visitor)


def of(visitor: Visitor) -> Chat:
    return Chat.objects.select_related("engagement__ticket", "visitor", "channel").get(visitor=visitor)


@pytest.fixture
def sent(settings: Any) -> list[Any]:
    """What leaves."""
    settings.EMAIL_BACKEND = "django.core.mail.backends.locmem.EmailBackend"
    mail.outbox = []
    return mail.outbox


def transcript(chat: Chat, email: str = ALI) -> None:
    """Somebody asks for it, and a worker sends what is due."""
    after.send_transcript(chat, email)
    transcripts.send_due()


def test_a_rating_is_kept_and_told_without_its_words(chat: Chat) -> None:
    after.rate(chat, 4, "  Quick, \x00thank you <b>Sana</b>  ")
    chat.refresh_from_db()
    assert (chat.score, chat.comment) == (4, "Quick, thank you <b>Sana</b>")
    assert chat.engagement.ticket.pk and Ticket.objects.get().csat == 4
    event = Event.objects.get(kind="chat_rated")
    assert event.data == {"engagement": chat.engagement_id, "score": 4, "first": True}


def test_said_again_it_replaces_what_was_said(chat: Chat) -> None:
    after.rate(chat, 1, "Slow")
    after.rate(chat, 5)
    after.rate(chat, 5)
    chat.refresh_from_db()
    assert (chat.score, chat.comment, Ticket.objects.get().csat) == (5, "", 5)
    assert [event.data["first"] for event in Event.objects.filter(kind="chat_rated").order_by("pk")] == [True, False]


def test_words_that_are_added_are_no_second_rating(chat: Chat) -> None:
    after.rate(chat, 5)  # with the click
    after.rate(chat, 5, "Quick and kind")  # by Send
    chat.refresh_from_db()
    assert (chat.score, chat.comment) == (5, "Quick and kind")
    assert Event.objects.filter(kind="chat_rated").count() == 1


@pytest.mark.parametrize("score", [0, 6, -1, 10**9])
def test_it_is_one_to_five(chat: Chat, score: int) -> None:
    with pytest.raises(ActionError):
        after.rate(chat, score)
    assert not Event.objects.filter(kind="chat_rated").exists()


def test_after_two_weeks_it_stands(chat: Chat) -> None:
    after.rate(chat, 2)
    Chat.objects.update(rated_at=timezone.now() - timedelta(days=15))
    with pytest.raises(ActionError, match="too long ago"):
        after.rate(chat, 5)
    assert Ticket.objects.get().csat == 2


def test_a_long_comment_is_cut(chat: Chat) -> None:
    after.rate(chat, 3, "x" * 100_000)
    chat.refresh_from_db()
    assert len(chat.comment) == after.LONGEST_COMMENT


def test_the_whole_chat_goes_by_mail_and_is_no_message(chat: Chat, sent: list[Any]) -> None:
    before = Message.objects.count()
    transcript(chat)
    [letter] = sent
    assert (letter.to, letter.subject) == ([ALI], "Your chat with Shop")
    assert letter.reply_to == [f"Shop <{people.SUPPORT}>"]
    assert letter.body.index("Where is my order?") < letter.body.index("It left yesterday.")
    [(html, kind)] = letter.alternatives
    assert kind == "text/html" and "<blockquote" in html
    assert Message.objects.count() == before
    assert Event.objects.get(kind="chat_transcript_sent").data == {"engagement": chat.engagement_id}


def test_whoever_asks_wakes_a_worker(chat: Chat, sent: list[Any], monkeypatch: pytest.MonkeyPatch) -> None:
    woken: list[Any] = []
    monkeypatch.setattr(wake, "_send", lambda *told: woken.append(told))
    with TestCase.captureOnCommitCallbacks(execute=True):
        after.send_transcript(chat, ALI)
    assert ("channels_chat.tasks.transcripts", [], "email") in woken
    assert sent == [] and Transcript.objects.get().address == ALI
    tasks.send_transcripts()
    assert len(sent) == 1 and not Transcript.objects.exists()


class Killed(BaseException):
    """The worker is gone; nothing that it would do afterwards is done."""


@pytest.mark.parametrize("when", ["before", "after"])
def test_a_death_at_any_moment_loses_none(
    chat: Chat, sana: Agent, sent: list[Any], monkeypatch: pytest.MonkeyPatch, when: str
) -> None:
    after.send_transcript(chat, ALI)  # whoever took it in dies now: no worker is woken
    really = post.send

    def dies(letter: Any) -> None:
        if when == "after":
            really(letter)
        raise Killed

    with monkeypatch.context() as patch, pytest.raises(Killed):
        patch.setattr(post, "send", dies)
        transcripts.send_due()
    answers(chat.engagement.ticket, sana, "Said only later.")
    assert transcripts.send_due() == 0  # another worker may have it in hand still
    Transcript.objects.update(next_at=timezone.now())
    assert (transcripts.send_due(), transcripts.send_due()) == (1, 0)
    assert len(sent) == 1 + (when == "after")
    assert len({one.extra_headers["Message-ID"] for one in sent}) == 1
    assert "It left yesterday." in sent[-1].body and "Said only later." not in sent[-1].body


def test_a_mail_server_that_is_away_is_asked_again_and_not_for_ever(
    chat: Chat, sent: list[Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    tried: list[Any] = []

    def away(letter: Any) -> None:
        tried.append(letter)
        raise ActionError("away", "mail_not_sent")

    with monkeypatch.context() as patch:
        patch.setattr(post, "send", away)
        after.send_transcript(chat, ALI)
        assert (transcripts.send_due(), transcripts.send_due(), len(tried)) == (0, 0, 1)
        row = Transcript.objects.get()
        assert row.next_at > timezone.now() + timedelta(minutes=1)
    Transcript.objects.update(next_at=timezone.now())
    assert transcripts.send_due() == 1 and len(sent) == 1
    monkeypatch.setattr(post, "send", away)
    after.send_transcript(chat, ALI)
    for _ in range(transcripts.MOST_TRIES):
        Transcript.objects.update(next_at=timezone.now())
        transcripts.send_due()
    assert not Transcript.objects.exists() and len(tried) == 1 + transcripts.MOST_TRIES


def test_who_is_erased_meanwhile_gets_none(chat: Chat, sent: list[Any]) -> None:
    after.send_transcript(chat, ALI)
    erasing.erase(Ticket.objects.get().customer, by=None)
    assert not Transcript.objects.exists()
    assert transcripts.send_due() == 0 and sent == []


def test_who_answers_it_writes_anew(chat: Chat, sent: list[Any]) -> None:
    transcript(chat)
    answer = Letter()
    answer["From"], answer["To"] = ALI, people.SUPPORT
    answer["Message-ID"] = "<back@shop.example>"
    answer["In-Reply-To"] = sent[0].message()["Message-ID"]
    answer["Subject"] = "Re: Your chat with Shop"
    answer.set_content(f"One more thing\n\n> {sent[0].body[:200]}")
    box = Channel.objects.get(kind="email")
    [stored] = receive.store(box, [raw_receipt(answer.as_bytes())], claim=True)
    outcome = receive.take_in([stored.receipt_id])[0]
    assert outcome.status == "created"


def test_a_few_times_only(chat: Chat, sent: list[Any]) -> None:
    for number in range(after.MOST_TRANSCRIPTS):
        transcript(chat, f"n{number}@shop.example")
    with pytest.raises(ActionError, match="a few times"):
        transcript(chat)
    assert len(sent) == after.MOST_TRANSCRIPTS


@pytest.mark.parametrize(
    "email", ["", "ali", f"{ALI}\nBcc: all@shop.example", f"{ALI}, b@shop.example", people.SUPPORT, "x" * 400 + "@b.c"]
)
def test_to_an_address_that_is_none_or_ours_nothing_goes(chat: Chat, sent: list[Any], email: str) -> None:
    with pytest.raises(ActionError):
        transcript(chat, email)
    assert sent == []


def test_nothing_goes_before_one_of_us_has_spoken(chat: Chat, sent: list[Any]) -> None:
    visitor, _ticket = people.visitor(chat.channel, email="victim@shop.example", said="Buy at https://evil.example")
    with pytest.raises(ActionError):
        transcript(of(visitor), "victim@shop.example")
    chat.channel.settings = {"transcript": False}
    with pytest.raises(ActionError):
        transcript(chat)
    assert sent == []


def test_what_a_stranger_typed_is_nobodys_link(chat: Chat, sana: Agent, sent: list[Any]) -> None:
    evil = "See https://evil.example/x, www.evil.example or evil.example <a href='//evil.example'>here</a>"
    visitor, ticket = people.visitor(chat.channel, name="evil.example", said=evil)
    answers(ticket, sana, "Our page: https://shop.example/returns")
    transcript(of(visitor), "victim@shop.example")
    transcript(of(visitor), "victim@shop.example")
    for letter in sent:
        whole = letter.body + letter.alternatives[0][0] + letter.subject
        assert "evil.example" not in whole
        assert "https://shop.example/returns" in letter.body  # ours is one


def test_to_their_own_address_it_goes_as_it_was(chat: Chat, sana: Agent, sent: list[Any]) -> None:
    visitor, ticket = people.visitor(chat.channel, said="It is https://shop.example/order/7 <3")
    answers(ticket, sana)
    customers.add_identity(ticket.customer, Party("email", "own@shop.example"), by=None, how="reply")
    transcript(of(visitor), "own@shop.example")
    assert "https://shop.example/order/7 <3" in sent[0].body
    assert "&lt;3" in sent[0].alternatives[0][0]


def test_it_is_in_their_language(chat: Chat, sent: list[Any]) -> None:
    Visitor.objects.filter(pk=chat.visitor_id).update(language="ur", time_zone="no/where")
    transcript(of(chat.visitor))
    assert "Where is my order?" in sent[0].body


def test_the_log_holds_no_address_and_no_words(chat: Chat, sent: list[Any]) -> None:
    identify.claim(chat.visitor, {"email": "other@shop.example", "name": "Ali Khan"})
    transcript(chat)
    after.rate(chat, 5, "Wonderful")
    told = str(list(Event.objects.values_list("data", flat=True)))
    assert "@" not in told and "Wonderful" not in told and "Khan" not in told
