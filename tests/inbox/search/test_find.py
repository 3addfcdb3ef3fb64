"""What is found, in which order, by whom; and that nothing that can be typed is an error."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from inbox import access, search
from inbox.actions import merge, tickets
from inbox.adapters import Party
from inbox.models import PARTITION, Agent, Attachment, Channel, Message, Organisation, SearchDocument, Team, Ticket
from inbox.search import documents, finding, follower, partitions
from tests.inbox.search.conftest import Ask

pytestmark = pytest.mark.django_db

BILQIS = Party("email", "bilqis.khan@example.org", "بلقیس خان")


@pytest.mark.parametrize(
    ("subject", "text", "typed"),
    [
        ("Where is my parcel?", "Hello", "parcel"),
        ("Where is my parcel?", "Hello", "PARC"),
        ("Where is my parcel?", "Hello", "arce"),
        ("Where is my parcel?", "The lid is broken", "brok parcel"),
        ("Hello", "Order KV-2024/117 is late", "kv-2024/117"),
        ("Hello", "Order KV-2024/117 is late", "KV-2024/1"),
        ("Hello", "Order KV-2024/117 is late", "kv2024117"),
        ("Hello", "Order KV2024117 is late", "KV-2024/117"),
        ("Hello", "Order KV-2024/117 is late", "2024/117"),
        ("Hello", "Call 0300-1234567 please", "+92 300 1234567"),
        ("Hello", "Call +92 300 1234567 please", "03001234567"),
        ("میرا آرڈر", "سلام", "ارڈر"),
        ("كتاب", "سلام", "کتاب"),
        ("Hello", "فاطمة یہاں ہے", "فاطمہ"),
        ("Hello", "رقم ۱۲۳۴۵ روپے", "12345"),
        ("Größe", "Hello", "grosse"),
        ("Hello", "Smørrebrød", "smorrebrod"),
        ("Hello", "Hello", "ayesha"),
        ("Hello", "Hello", "khan ayesha"),
        ("Hello", "Hello", "ayesha@example.com"),
        ("Hello", "Hello", "@example"),
        ("Hello", "Hello", "example.com"),
        ("Hello", "Hello", "h"),
    ],
)
def test_it_is_found(ask: Ask, sana: Agent, subject: str, text: str, typed: str) -> None:
    other = ask("Bonjour", "Autre chose", Party("email", "zed@elsewhere.test", "Zed"))
    ticket = ask(subject, text)
    found = search.numbers(sana, typed)
    assert found == [ticket.number]
    assert other.number not in found


@pytest.mark.parametrize("typed", ["parcels", "kv-2024/118", "0300 7654321", "کتب", "ayesha@example.org", "parcel lid"])
def test_what_is_not_there_is_not_found(ask: Ask, sana: Agent, typed: str) -> None:
    ask("Where is my parcel KV-2024/117?", "كتاب 0300-1234567")
    assert search.numbers(sana, typed) == []


def test_files_tags_and_keys_find_their_ticket(ask: Ask, sana: Agent) -> None:
    ticket = ask("Hello")
    message = Message.objects.get(ticket=ticket)
    Attachment.objects.create(
        message=message, name="Rechnung_März.pdf", content_type="a/b", size=1, digest="", stored=""
    )
    Attachment.objects.create(
        message=message, name="logo.png", content_type="a/b", size=1, digest="", stored="", inline=True
    )
    Ticket.objects.filter(pk=ticket.pk).update(tags=["wholesale"], external_id="SHOP-77", topic="Returns")
    ticket.customer.organisation = Organisation.objects.create(name="Zephyr Ltd")
    ticket.customer.save()
    follower.write([ticket.number])
    for typed in ("marz", "rechnung_maerz.pdf"[:8], "wholesale", "shop-77", "returns", "zephyr"):
        assert search.numbers(sana, typed) == [ticket.number], typed
    assert search.numbers(sana, "logo") == []


def test_our_own_address_finds_nothing(ask: Ask, sana: Agent) -> None:
    ask("Hello")
    assert search.numbers(sana, "support@example.org") == []


def test_a_deleted_message_is_not_found(ask: Ask, sana: Agent) -> None:
    ticket = ask("Hello", "A secret word: abracadabra")
    assert search.numbers(sana, "abracadabra")
    Message.objects.update(deleted_at=timezone.now())
    follower.write([ticket.number])
    assert search.numbers(sana, "abracadabra") == []


def test_the_order_is_number_then_short_fields_then_newest(ask: Ask, sana: Agent) -> None:
    inside = ask("About teapots", "Hello")
    text = ask("Hello", "my pot is broken")
    whole = ask("A pot", "Hello")
    begun = ask("Pottery", "Hello")
    number = ask(f"Ticket {text.number}", "Hello")
    assert search.numbers(sana, "pot") == [whole.number, begun.number, inside.number, text.number]
    assert search.numbers(sana, f"#{text.number}")[0] == text.number
    assert number.number in search.numbers(sana, f"#{text.number}")
    newer = ask("A pot", "Hello")
    assert search.numbers(sana, "pot")[:2] == [newer.number, whole.number]
    Ticket.objects.filter(pk=whole.pk).update(last_message_at=timezone.now() + timedelta(hours=1))
    assert search.numbers(sana, "pot")[:2] == [whole.number, newer.number]


def test_the_newest_are_collected_and_more_is_said(ask: Ask, sana: Agent, monkeypatch: pytest.MonkeyPatch) -> None:
    made = [ask(f"Teapot {number}").number for number in range(5)]
    monkeypatch.setattr(finding, "MOST", 3)
    results = search.find(sana, "teapot")
    assert results.numbers == made[:1:-1] and results.more
    assert results.count_words == "3+"
    monkeypatch.setattr(finding, "MOST", 5)
    assert search.find(sana, "teapot").count_words == "5"
    assert search.numbers(sana, "teapot", 2) == made[:2:-1]


@pytest.mark.parametrize("typed", ["parcel status:", "parcel status: ", "tag: parcel", 'parcel from:"'])
def test_an_operator_that_is_still_being_typed_narrows_nothing(ask: Ask, sana: Agent, typed: str) -> None:
    ticket = ask("Where is my parcel?", "Hello")
    assert search.find(sana, typed).numbers == [ticket.pk]


def test_operators_reach_behind_the_newest_hits_and_say_how_far(
    ask: Ask, sana: Agent, monkeypatch: pytest.MonkeyPatch
) -> None:
    made = [ask(f"Teapot {number}").number for number in range(9)]
    for number in (made[0], made[3]):
        tickets.set_priority(Ticket.objects.get(pk=number), "urgent", by=sana)
    monkeypatch.setattr(finding, "MOST", 2)
    monkeypatch.setattr(finding, "FURTHER", (3, 3))
    results = search.find(sana, "teapot priority:urgent")
    assert (results.numbers, results.looked, results.more) == ([made[3]], 8, True)
    monkeypatch.setattr(finding, "FURTHER", (3, 4))
    results = search.find(sana, "teapot priority:urgent")
    assert (results.numbers, results.looked, results.more) == ([made[3], made[0]], 0, False)


def test_an_old_ticket_is_found_by_its_number_behind_many_newer(
    ask: Ask, sana: Agent, monkeypatch: pytest.MonkeyPatch
) -> None:
    old = ask("Hello")
    for _again in range(3):
        ask(f"I was told {old.number} yesterday")
    monkeypatch.setattr(finding, "MOST", 2)
    assert search.find(sana, str(old.number)).numbers[0] == old.number


def test_partitions_are_gone_through_from_the_newest(ask: Ask, sana: Agent) -> None:
    near = ask("Teapot")
    far = tickets.open_ticket(
        by=None, channel=near.channel, identity=BILQIS, subject="Teapot", text="Hello", direction="in"
    )
    number = 3 * PARTITION + 5
    with connection.cursor() as cursor:
        cursor.execute("SET CONSTRAINTS ALL DEFERRED")
        for table, column in (("message", "ticket_id"), ("participant", "ticket_id"), ("event", "ticket_id"),
                              ("message", "first_ticket_id"), ("ticket", "number")):  # fmt: skip
            cursor.execute(f"UPDATE inbox_{table} SET {column} = %s WHERE {column} = %s", [number, far.number])
    follower.write([number])
    assert partitions.parts()[:2] == [3, 0]
    assert search.numbers(sana, "teapot") == [number, near.number]
    assert search.numbers(sana, "teapot", 1) == [number]


def test_a_merged_ticket_is_found_in_what_it_was_merged_into(ask: Ask, sana: Agent) -> None:
    kept, gone, first = ask("Teapot", "one"), ask("Kettle", "two"), ask("Saucer", "three")
    merge.merge(first, gone, by=sana)
    merge.merge(gone, kept, by=sana)
    follower.write([kept.number, gone.number, first.number])
    for typed in ("kettle", "saucer", "two", "three", str(gone.number), str(first.number)):
        assert search.numbers(sana, typed)[0] == kept.number, typed
        assert gone.number not in search.numbers(sana, typed)


def test_spam_is_for_programs(ask: Ask, sana: Agent) -> None:
    ticket = ask("Cheap watches")
    tickets.set_spam(ticket, True, by=sana)
    follower.write([ticket.number])
    assert search.find(sana, "watches").numbers == []
    assert search.numbers(sana, "watches") == [ticket.number]
    assert search.find(sana, str(ticket.number)).numbers == [ticket.number]


FIELDS = ("teapot", "abracadabra", "bilqis", "بلقیس", "bilqis.khan@example.org", "wholesale", "note-word", "t", "te")


@pytest.fixture
def private(ask: Ask, sana: Agent) -> Ticket:
    ticket = ask("Teapot", "abracadabra", BILQIS)
    from inbox.actions import reply

    reply.note(ticket, by=sana, text="note-word")
    Ticket.objects.filter(pk=ticket.pk).update(tags=["wholesale"])
    follower.write([ticket.number])
    return ticket


@pytest.mark.parametrize("typed", [*FIELDS, "#number"])
def test_who_sees_what(
    private: Ticket, sana: Agent, omar: Agent, lena: Agent, zoya: Agent, bilal: Agent, typed: str
) -> None:
    typed = typed.replace("number", str(private.number))
    for agent in (sana, omar, lena, zoya):
        assert search.numbers(agent, typed) == [private.number], agent
    assert search.numbers(bilal, typed) == []
    results = search.find(bilal, typed)
    assert (results.numbers, results.more, results.count_words) == ([], False, "0")
    assert search.people(bilal, search.parse(typed)) == []


def test_hidden_hits_hide_no_visible_ones(ask: Ask, bilal: Agent, sana: Agent, monkeypatch: pytest.MonkeyPatch) -> None:
    open_desk = Channel.objects.create(kind="email", name="Open", slug="open", settings={"address": "o@example.org"})
    seen = ask("Teapot", channel=open_desk)
    for _again in range(5):
        ask("Teapot")
    monkeypatch.setattr(finding, "MOST", 3)
    results = search.find(bilal, "teapot")
    assert results.numbers == [seen.number] and results.count_words == "1"
    assert search.find(sana, "teapot").more


def test_the_owner_finds_what_is_theirs(ask: Ask, bilal: Agent, sana: Agent) -> None:
    ticket = ask("Teapot")
    tickets.assign(ticket, by=sana, agent=bilal)
    follower.write([ticket.number])
    assert search.numbers(bilal, "teapot") == [ticket.number]


def test_a_copy_in_a_channel_one_sees_is_found(ask: Ask, bilal: Agent, support: Channel) -> None:
    open_desk = Channel.objects.create(kind="email", name="Open", slug="open", settings={})
    ticket = ask("Teapot")
    Ticket.objects.filter(pk=ticket.pk).update(also_channels=[open_desk.pk], team=None)
    follower.write([ticket.number])
    assert search.numbers(bilal, "teapot") == [ticket.number]


def test_access_has_the_last_word(ask: Ask, bilal: Agent, support: Channel, team: Team) -> None:
    """Marks that are not up to date show nobody what is hidden from them."""
    open_desk = Channel.objects.create(kind="email", name="Open", slug="open", settings={})
    ticket = ask("Teapot", channel=open_desk)
    assert search.numbers(bilal, "teapot") == [ticket.number]
    Ticket.objects.filter(pk=ticket.pk).update(channel=support, team=team)
    assert search.numbers(bilal, "teapot") == []


HOSTILE = [
    "'", "''", '"', "\\", "\\'", "a'b", "a\\b", "!", "!a", ":", ":*", "a:*", "&", "a & b", "|", "a | | b",
    "<->", "a <-> b",
    "<2>", "(", ")", "(a", "*", "%", "_", "%%", "{}", "{0}", "%s", "%(a)s", "$1", ";", "; DROP TABLE inbox_ticket; --",
    "' OR 1=1 --", "\0", "a\0b", "\ud800", "a\udfffb", "\u202e\u202d", "\u200f\u200e", "\u200b", "😀", "👩‍👩‍👧",
    "a" * 10_000,
    "a " * 5_000, "' " * 5_000, "\n\t\r", "\x1b[0m", ".*", "[a-z]+", "(?i)a", "^a$", "a{1,}", "\u0301", "ـ", "́" * 500,
    "٠", "0" * 500, "9" * 40, "#", "#0", "#99999999999999999999", "-1", "+", "+92", "@", "@@", "a@", "//",
    "a/b/c/d/e/f/g/h",
    "<script>alert(1)</script>", "&lt;", "NULL", "null", "\ufeff", "ﷺ" * 50, "ß" * 300, "İ" * 300, "-" * 300,
    "a-" * 200,
]  # fmt: skip


@pytest.mark.parametrize("typed", HOSTILE, ids=range(len(HOSTILE)))
def test_nothing_that_is_typed_is_an_error(ask: Ask, sana: Agent, typed: str) -> None:
    ticket = ask("Hello")
    results = search.find(sana, typed)
    assert not results.slow
    assert set(results.numbers) <= {ticket.number}
    assert search.people(sana, results.query) in ([], [ticket.customer])


def test_a_search_that_takes_too_long_says_so(ask: Ask, sana: Agent, monkeypatch: pytest.MonkeyPatch) -> None:
    ask("Teapot")
    monkeypatch.setattr(finding, "PATIENCE", 0.05)
    monkeypatch.setattr(partitions, "parts", lambda: slow())

    def slow() -> list[int]:
        with connection.cursor() as cursor:
            cursor.execute("SELECT pg_sleep(5)")
        return [0]

    results = search.find(sana, "teapot")
    assert results.slow and results.numbers == []
    with pytest.raises(search.TooSlow):
        search.numbers(sana, "teapot")
    with connection.cursor() as cursor:
        cursor.execute("SHOW statement_timeout")
        assert cursor.fetchone() == ("0",), "what comes after is not bounded"


def test_a_search_is_a_fixed_number_of_queries(ask: Ask, sana: Agent) -> None:
    for number in range(3):
        ask(f"Teapot {number}")
    access.sight(sana)
    with CaptureQueriesContext(connection) as few:
        search.find(sana, "teapot")
    for number in range(30):
        ask(f"Teapot {number}")
    with CaptureQueriesContext(connection) as many:
        search.find(sana, "teapot")
    assert len(few) == len(many) <= 9


def test_people_are_found_by_name_address_and_number(ask: Ask, sana: Agent) -> None:
    ticket = ask("Hello", sender=BILQIS)
    ask("Hello")
    phone = ask("Hello", sender=Party("phone", "+923001234567", "Zed"))
    for typed, customer in (("bilqis", ticket.customer), ("lqis", ticket.customer), ("بلقیس", ticket.customer),
                            ("bilqis.khan@", ticket.customer), ("0300 1234567", phone.customer),
                            ("+92 300 1234567", phone.customer)):  # fmt: skip
        assert search.people(sana, search.parse(typed)) == [customer], typed
    assert search.people(sana, search.parse("hello")) == []
    assert search.people(sana, search.parse("kh")) == []


def test_a_document_has_a_bounded_size(ask: Ask, sana: Agent) -> None:
    ticket = ask("Hello", " ".join(f"word{number:x}ish" for number in range(40_000)))
    long = "ﷺ" * 400
    Ticket.objects.filter(pk=ticket.pk).update(tags=[long[:80], "x" * 80], topic="y" * 120)
    follower.write([ticket.number])
    kept = SearchDocument.objects.get()
    assert len(kept.words) < 500_000 and len(kept.short) <= documents.MOST_SHORT
    assert search.numbers(sana, "word5ish") == [ticket.number]
