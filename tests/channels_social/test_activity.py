"""What customers see of agents who read and write: told to the platforms, seldom, and at nobody's cost."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import pytest
import redis
import requests
from django.conf import settings as django_settings
from django.utils import timezone

from channels_social import activity
from channels_social.whatsapp import parsing
from channels_social.whatsapp.api import WhatsApp
from inbox import polling, presence
from inbox.actions import receive, reply
from inbox.adapters import adapter_for
from inbox.models import Agent, Channel, Draft, Role, Ticket, TicketSeen
from lib import http
from sandbox.phones import chats, messenger, telegram_acts, whatsapp
from sandbox.phones.acts import Given
from sandbox.phones.models import Account, Line, Person
from sandbox.phones.telegram_base import open_bot
from tests.channels_social import meta
from tests.channels_social.whatsapp import arrange_fault, connect, open_number, refused, taken_in
from tests.paper import Paper

Told = list[tuple[int, list[int], list[int]]]


@pytest.fixture(autouse=True)
def _nobody_is_here() -> Iterator[None]:
    line = redis.Redis.from_url(django_settings.REDIS_URL)
    for key in line.scan_iter("rabta:*"):
        if key.startswith((b"rabta:activity", b"rabta:presence")):
            line.delete(key)
    yield


@pytest.fixture
def told(monkeypatch: pytest.MonkeyPatch) -> Told:
    """What was handed on, instead of doing it."""
    found: Told = []
    monkeypatch.setattr("inbox.wake.run", lambda _task, args, _queue: found.append(tuple(args)))
    return found


@pytest.fixture
def omar(db: None) -> Agent:
    return Agent.objects.create_user("omar@desk.example", name="Omar", role=Role.AGENT)


def waiting(channel: Channel, author: str = "+351910000001") -> Ticket:
    """A ticket as a message of a customer makes one."""
    now = timezone.now()
    raw = {"from": author[1:], "id": f"wamid.{author}", "timestamp": str(int(now.timestamp()))}
    message = {**raw, "type": "text", "text": {"body": "Hello"}}
    receive.put(channel, list(parsing.receipts("messages", {"messages": [message]})))
    receive.take_in_waiting()
    return Ticket.objects.get(customer__identities__value=author)


@pytest.fixture
def channel(db: None) -> Channel:
    settings = {"phone_number_id": "1", "waba_id": "2", "show_activity": True}
    return Channel.objects.create(kind="whatsapp", slug="wa", name="WA", settings=settings)


def sits(agent: Agent, ticket: Ticket, doing: str = "view", *, read: bool = True, away: bool = False) -> None:
    """The agent's page shows this ticket, and nobody else's shows any."""
    state = presence.State()
    state.add(agent.pk, away=away, ticket=ticket.pk, doing=doing)
    line = redis.Redis.from_url(django_settings.REDIS_URL)
    line.set(f"{presence.HUBS}:x", state.packed(), ex=60)
    line.zadd(presence.HUBS, {"x": 2e10})
    if read:
        TicketSeen.objects.update_or_create(agent=agent, ticket=ticket, defaults={"at": ticket.last_message_at})


@pytest.mark.parametrize("kind", ["telegram", "whatsapp", "facebook", "instagram"])
def test_it_is_off_unless_somebody_chooses_it(kind: str) -> None:
    adapter = adapter_for(kind)
    for chosen in (True, False):
        page = adapter.settings_form(adapter.posted({"show_activity": "on"} if chosen else {}))
        page.is_valid()  # the rest is missing
        assert page.cleaned_data.get("show_activity", False) is chosen
        form = adapter.settings_form({"show_activity": chosen})
        form.is_valid()
        assert ("show_activity" in form.cleaned_data) is chosen


def test_who_writes_is_told_now_and_then(channel: Channel, omar: Agent, told: Told) -> None:
    ticket = waiting(channel)
    sits(omar, ticket, "reply", read=False)
    assert [activity.look() for _again in range(3)] == [1, 0, 0]
    assert told == [(channel.pk, [ticket.pk], [])]
    line = redis.Redis.from_url(django_settings.REDIS_URL)
    assert 15 < line.ttl(f"{activity.KEY}:writing:{ticket.pk}") <= 20


def test_reading_is_told_once_for_what_was_written_last(channel: Channel, omar: Agent, told: Told) -> None:
    ticket = waiting(channel)
    sits(omar, ticket, read=False)
    assert activity.look() == 0  # it is shown, and he has not come to its end
    sits(omar, ticket)
    assert [activity.look() for _again in range(2)] == [1, 0]
    assert told == [(channel.pk, [], [ticket.pk])]
    Ticket.objects.update(last_customer_message_at=timezone.now() + timedelta(seconds=9))
    assert activity.look() == 0  # there is something new, which he has not read
    TicketSeen.objects.update(at=timezone.now() + timedelta(seconds=10))
    assert activity.look() == 1


def test_nobody_is_told_of_what_is_no_answer(channel: Channel, omar: Agent, told: Told) -> None:
    """Notes, whoever is away from the desk, answers that take another channel, what stands in public."""
    ticket = waiting(channel)
    for doing, away in (("note", False), ("reply", True)):
        sits(omar, ticket, doing, read=False, away=away)
        assert activity.look() == 0
    sits(omar, ticket, "reply", read=False)
    other = Channel.objects.create(kind=Paper.kind, slug="p", name="P")
    draft = Draft.objects.create(agent=omar, ticket=ticket, channel=other, client_id="1")
    assert activity.look() == 0
    draft.delete()
    Ticket.objects.update(thread_key="501_1")
    assert activity.look() == 0
    Ticket.objects.update(thread_key="", spam=True)
    assert activity.look() == 0
    Ticket.objects.update(spam=False)
    assert activity.look() == 1


@pytest.mark.parametrize(
    "change",
    [
        {"settings": {}},
        {"paused": True},
        {"out_failing_since": timezone.now()},
        {"next_send_at": timezone.now() + timedelta(minutes=5)},
    ],
)
def test_a_channel_that_is_not_set_to_it_or_has_trouble_tells_nothing(
    channel: Channel, omar: Agent, told: Told, change: dict[str, Any]
) -> None:
    ticket = waiting(channel)
    sits(omar, ticket, "reply")
    Channel.objects.update(**change)
    assert activity.look() == 0
    assert activity.tell(channel.pk, [ticket.pk], [ticket.pk]) == 0


def test_what_comes_late_is_left_out(channel: Channel, omar: Agent, monkeypatch: pytest.MonkeyPatch) -> None:
    """Whoever has stopped writing by the time that a worker comes to it is not shown as writing."""
    ticket = waiting(channel)
    shown: list[bool] = []
    monkeypatch.setattr(
        type(adapter_for("whatsapp")), "show_activity", lambda _self, _wire, _message, writing: shown.append(writing)
    )
    assert activity.tell(channel.pk, [ticket.pk], []) == 0
    sits(omar, ticket, "reply", read=False)
    monkeypatch.setattr("inbox.wake.run", lambda *_args: None)
    activity.look()
    assert activity.tell(channel.pk, [ticket.pk], [ticket.pk]) == 1
    assert shown == [True]
    sits(omar, ticket)
    activity.look()
    redis.Redis.from_url(django_settings.REDIS_URL).delete(f"{activity.KEY}:writing:{ticket.pk}")
    Ticket.objects.update(last_customer_message_at=timezone.now() + timedelta(seconds=9))
    assert activity.tell(channel.pk, [], [ticket.pk]) == 0  # something came that nobody has read
    Ticket.objects.update(last_customer_message_at=ticket.last_customer_message_at)
    assert activity.tell(channel.pk, [], [ticket.pk]) == 1


def test_who_reads_and_writes_at_once_is_told_of_both(
    channel: Channel, omar: Agent, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What was read is told once: where "typing…" does not say it as well, it must not be lost."""
    ticket = waiting(channel)
    sits(omar, ticket, "reply")
    shown: list[bool] = []
    adapter = type(adapter_for("whatsapp"))
    monkeypatch.setattr(adapter, "show_activity", lambda _self, _wire, _message, writing: shown.append(writing))
    monkeypatch.setattr("inbox.wake.run", lambda _task, args, _queue: activity.tell(*args))
    assert activity.look() == 1 and shown == [True]  # WhatsApp shows neither without the other
    monkeypatch.setattr(adapter, "writing_shows_reading", False)
    redis.Redis.from_url(django_settings.REDIS_URL).delete(
        f"{activity.KEY}:writing:{ticket.pk}", f"{activity.KEY}:read:{ticket.pk}"
    )
    assert activity.look() == 1 and shown == [True, False, True]


class Busy(requests.Session):
    """Takes nothing for the moment; keeps how long it is waited for."""

    waited: Any = None

    def request(self, *_args: Any, **options: Any) -> requests.Response:
        self.waited = options["timeout"]
        answer = requests.Response()
        answer.status_code, answer._content = 400, b'{"error": {"code": 130429, "message": "Rate limit hit"}}'
        return answer


def test_a_read_mark_with_the_answer_is_a_courtesy_too(channel: Channel, omar: Agent) -> None:
    """The answer has left: the next one does not wait for the ticks of this one, nor rests for their sake."""
    answer, far = reply.reply(waiting(channel), by=omar, text="Yes"), Busy()
    adapter_for("whatsapp").left(answer, WhatsApp(far, "https://g/v1", "a token", "", "1"))
    assert far.waited[1] <= 5
    assert http.rates.wait("a token") == 0


def now_told(ticket: Ticket, *, writing: bool) -> int:
    """As a worker does it, once it was found that it is time."""
    channel = ticket.reply_channel
    channel.settings["show_activity"] = True
    channel.save()
    line = redis.Redis.from_url(django_settings.REDIS_URL)
    line.set(f"{activity.KEY}:writing:{ticket.pk}", 1, ex=9)
    line.set(f"{activity.KEY}:read:{ticket.pk}", str(ticket.last_customer_message_at), ex=9)
    return activity.tell(channel.pk, [ticket.pk] if writing else [], [] if writing else [ticket.pk])


def phone(person: Person) -> tuple[bool, list[str]]:
    """Whether a phone shows "typing…", and what stands beside each line of its owner."""
    person.refresh_from_db()
    return chats.is_typed_to(person), list(
        person.lines.filter(ours=False).order_by("pk").values_list("state", flat=True)
    )


@pytest.mark.servers
def test_phones_show_it(platforms: str, sana: Agent, client: Any) -> None:
    """Each platform takes it in its own way, and shows it."""
    bot = open_bot("Shop", "shop_bot")
    ana = telegram_acts.meet(bot, "Ana")
    telegram_acts.text(bot, ana, Given(text="Hello"))
    own = Channel(
        kind="telegram", slug="bot", name="Bot", settings={"mode": "poll", "api_url": f"{platforms}/telegram"}
    )
    own.secrets = {"token": bot.secrets["token"]}
    own.save()
    polling.poll(own.pk)
    receive.take_in_waiting()
    ticket = Ticket.objects.get()
    assert now_told(ticket, writing=False) == 1  # Telegram has nothing to show of that
    assert phone(ana) == (False, [""])
    assert now_told(ticket, writing=True) == 1
    assert phone(ana)[0]
    for kind in ("facebook", "instagram"):
        account = meta.open_account(kind, platforms)
        page = meta.connect(platforms, account, slug=kind)
        meta.subscribe(page, account, platforms.removesuffix("/sandbox/phones"))
        bea = messenger.meet(account, "Bea")
        messenger.text(account, bea, "Hello")
        ticket = meta.taken_in(account)
        assert now_told(ticket, writing=False) == 1
        assert phone(bea) == (False, ["read"])
        assert now_told(ticket, writing=True) == 1
        assert phone(bea)[0]
    shown = client.get(f"/sandbox/phones/person/{bea.pk}/").content.decode()
    assert "typing…" in shown and shown.count('class="tick read"') == 1
    Line.objects.create(account=account, person=bea, ours=True, external_id="m_1")  # what was written has come
    assert not phone(bea)[0]


@pytest.mark.servers
def test_whatsapp_shows_it_and_trouble_with_it_is_nobodys(platforms: str, sana: Agent) -> None:
    account: Account = open_number(platforms)
    page = connect(platforms)
    ana = whatsapp.meet(account, "Ana", "351910000001")
    adapter_for("whatsapp").check(page)
    account.refresh_from_db()
    whatsapp.text(account, ana, "Hello")
    ticket = taken_in(account)
    assert now_told(ticket, writing=False) == 1
    assert phone(ana) == (False, ["read"])
    arrange_fault(account, refused(130429))
    assert now_told(ticket, writing=True) == 0
    page.refresh_from_db()
    assert not page.failing and page.limited_until is None  # answers leave as if nothing had been
    assert http.rates.wait(page.secrets["token"]) == 0
    account.refresh_from_db()
    assert account.faults == []
    assert now_told(ticket, writing=True) == 0  # for a while nothing more is told
    redis.Redis.from_url(django_settings.REDIS_URL).delete(f"{activity.KEY}:quiet:{page.pk}")
    assert now_told(ticket, writing=True) == 1
    assert phone(ana)[0]
