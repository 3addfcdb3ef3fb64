"""Nothing of an erased person is left: not in a dump of the whole database, not in the folder of files."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from django.conf import settings
from django.db import connection
from django.test import Client, TestCase

from inbox import files
from inbox.actions import cards, customer_notes, keeping, pictures, receive, reply, retrying, uploads
from inbox.adapters import Party, RawReceipt
from inbox.models import (
    Agent,
    Attachment,
    Channel,
    Customer,
    Event,
    Identity,
    Macro,
    Message,
    Receipt,
    SavedView,
    Ticket,
)
from reports.models import Answer, Survey
from sandbox.phones import faces
from tests.api.conftest import Api, problem
from tests.cast import question

# Words that nothing else in the database can hold.
PERSON = Party("email", "zubaida.q@personal.example", "Zubaida Qureshi")
WORDS = (b"zubaida", b"qureshi", b"personal.example", b"nightingale", b"47110815", b"heliotrope")
MAIL = b"""From: Zubaida Qureshi <Zubaida.Q@personal.example>
To: support@example.org
Cc: Other Person <other@example.com>
Subject: Nightingale street
Message-ID: <%s@mail.personal.example>
MIME-Version: 1.0
Content-Type: multipart/mixed; boundary="x"

--x
Content-Type: text/plain; charset=utf-8

I live in Nightingale street, account 47110815.
--x
Content-Type: text/plain
Content-Disposition: attachment; filename="zubaida.txt"

%s
--x--
"""


def dump() -> bytes:
    """Every row of every table, as PostgreSQL's own COPY writes it; bytes as they are."""
    found = b""
    with connection.cursor() as cursor:
        for table in connection.introspection.table_names(cursor):
            cursor.execute(
                "SELECT column_name, data_type FROM information_schema.columns WHERE table_name = %s", [table]
            )
            names = [
                f"encode(\"{name}\", 'escape')" if kind == "bytea" else f'"{name}"' for name, kind in cursor.fetchall()
            ]
            with cursor.copy(f'COPY (SELECT {", ".join(names)} FROM "{table}") TO STDOUT') as copy:
                found += b"".join(bytes(part) for part in copy)
    return found


def media() -> bytes:
    found = b""
    for path in Path(settings.MEDIA_ROOT).rglob("*"):
        if path.is_file():
            found += str(path).encode() + path.read_bytes()
    return found


def mentions(content: bytes) -> list[bytes]:
    lowered = content.lower()
    return [word for word in WORDS if word in lowered]


@pytest.fixture
def media_folder(settings: Any, tmp_path: Path) -> Path:
    settings.MEDIA_ROOT = str(tmp_path)
    return tmp_path


def committed() -> Any:
    """What happens once the transaction is committed happens within the block's requests."""
    return TestCase.captureOnCommitCallbacks(execute=True)


def arrives(channel: Channel, raw: bytes, name: str) -> Message | None:
    [stored] = receive.store(
        channel, [RawReceipt(raw, name, key=name, meta={"recipients": ["support@example.org"]})], claim=True
    )
    [outcome] = receive.take_in([stored.receipt_id])
    return Message.objects.filter(pk=outcome.message).first()


@pytest.fixture
def story(media_folder: Path, support: Channel, sana: Agent, omar: Agent) -> Ticket:
    """What an ordinary customer leaves behind in a year."""
    first = arrives(support, MAIL % (b"one", b"heliotrope"), "one")
    assert first is not None
    ticket = first.ticket
    arrives(support, MAIL % (b"large", b"heliotrope " * 40_000), "large")  # its receipt lies in storage
    arrives(support, MAIL % (b"one", b"heliotrope"), "again")  # a repeat
    _fail(support)
    upload = uploads.upload(by=sana, name="for Zubaida.txt", content_type="text/plain", content=b"heliotrope, too")
    reply.reply(ticket, by=sana, text="Dear Zubaida Qureshi, we come to Nightingale street.", attachments=[upload.pk])
    reply.note(ticket, by=omar, text="Zubaida again, 47110815.")
    Message.objects.filter(ticket=ticket, direction="out").update(error="550 zubaida.q@personal.example unknown")
    customer = ticket.customer
    customer.attributes, customer.external_id = {"account": "47110815"}, "zubaida-47110815"
    customer.tags = ["nightingale"]
    customer.save()
    customer.events.create(kind="order", data={"street": "Nightingale"}, external_id="47110815")
    customer_notes.add(customer, "Zubaida lives in Nightingale street.", by=sana)
    cards.put(customer, "nightingale", by=None, title="Qureshi", fields=[{"label": "Account", "value": "47110815"}])
    Ticket.objects.filter(pk=ticket.pk).update(
        attributes={"account": "47110815"}, external_id="47110815", topic="Nightingale"
    )
    assert pictures.take(customer.identities.get(), faces.draw("Zubaida") + b"heliotrope")
    survey = Survey.objects.create(name="After", kind="csat")
    Answer.objects.create(survey=survey, ticket=ticket, customer=customer, value=5, comment="Zubaida says thanks")
    # Somebody else's ticket, in which she was in copy and was quoted.
    other = question(support, "For Zubaida Qureshi", Party("email", "dawud@example.net", "Dawud Aziz"))
    reply.reply(
        other,
        by=sana,
        text="As zubaida.q@personal.example wrote.",
        html="<p>As Zubaida Qureshi wrote</p>",
        cc=[{"name": "Zubaida Qureshi", "address": "zubaida.q@personal.example"}],
    )
    customer_notes.add(other.customer, "Zubaida Qureshi orders for him.", by=sana)
    keeping.create(
        SavedView, by=sana, owner=sana, name="Zubaida Qureshi", query={"q": "from:zubaida.q@personal.example"}
    )
    note = [{"set": "note", "to": "Tell zubaida.q@personal.example"}]
    keeping.create(
        Macro, by=sana, owner=sana, name="Regrets", text="Dear Zubaida Qureshi", html="<p>x</p>", actions=note
    )
    return ticket


def _fail(channel: Channel) -> None:
    """A mail of hers that could not be taken in, and is only found by its address."""
    raw = b"From: zubaida.q@personal.example\nMessage-ID: <odd@personal.example>\n\nnightingale"
    Receipt.objects.create(
        channel=channel, external_id="odd", raw=raw, state="failed", reason="zubaida.q@personal.example: odd",
        meta={"mail_from": "zubaida.q@personal.example"}, key="odd@personal.example",
    )  # fmt: skip


def test_nothing_of_an_erased_person_is_left(
    as_zoya: Api, as_sana: Api, sana: Agent, story: Ticket, support: Channel
) -> None:
    ticket = story
    customer = ticket.customer
    assert set(mentions(dump())) == set(WORDS)
    assert mentions(media())
    figures = Ticket.objects.filter(pk=ticket.pk).values(
        "created_at", "first_replied_at", "message_count", "reopen_count"
    )
    before = (figures.get(), Message.objects.count(), Event.objects.filter(ticket=ticket).count())
    problem(as_sana.delete(f"/customers/{customer.pk}/"), 403)
    problem(Api(as_zoya.agent, "write").delete(f"/customers/{customer.pk}/"), 403)
    with committed():
        assert as_zoya.delete(f"/customers/{customer.pk}/").status_code == 204
    assert mentions(dump()) == []
    assert mentions(media()) == []
    # Tickets, events and figures are still there.
    assert (figures.get(), Message.objects.count()) == before[:2]
    assert Event.objects.filter(ticket=ticket).count() > before[2]
    ticket.refresh_from_db()
    assert (ticket.status, ticket.subject) == ("closed", "")
    assert Answer.objects.get().value == 5
    problem(as_zoya.get(f"/customers/{customer.pk}/"), 404)
    assert as_sana.get(f"/tickets/{ticket.pk}/messages/").status_code == 200
    for message in Message.objects.filter(ticket=ticket):
        problem(as_sana.get(f"/messages/{message.pk}/raw/"), 404)
        for attachment in message.attachments.all():
            problem(as_sana.get(f"/attachments/{attachment.pk}/"), 404)
    browser = Client()
    browser.force_login(sana)
    assert browser.get(f"/tickets/{ticket.pk}/").status_code == 200
    assert browser.get(f"/attachments/{Attachment.objects.filter(message__ticket=ticket)[0].pk}/").status_code == 404
    # Everybody else is as they were.
    assert SavedView.objects.get().query == {"q": "from:[erased]"}
    assert (Macro.objects.get().text, Macro.objects.get().html) == ("Dear [erased]", "<p>x</p>")
    other = Message.objects.get(ticket__customer__name="Dawud Aziz", direction="out")
    assert (other.text, other.html, other.cc) == ("As [erased] wrote.", "<p>As [erased] wrote</p>", [])
    [event] = Event.objects.filter(kind="customer_erased")
    assert (event.actor_id, event.data) == (as_zoya.agent.pk, {"customer": customer.pk, "customers": [customer.pk]})
    # The same mail again is known, and comes to nothing; a new one is a new person's.
    known = (Message.objects.count(), Customer.objects.count(), Identity.objects.count())
    with committed():
        arrives(support, MAIL % (b"one", b"heliotrope"), "once more")
        arrives(support, MAIL % (b"large", b"heliotrope " * 40_000), "once more, large")
    assert (Message.objects.count(), Customer.objects.count(), Identity.objects.count()) == known
    assert mentions(dump()) == []
    assert mentions(media()) == []
    fresh = arrives(support, MAIL % (b"fresh", b"x"), "fresh")
    assert fresh is not None and fresh.ticket.customer_id != customer.pk


def test_whoever_was_merged_into_them_goes_with_them(
    as_zoya: Api, as_sana: Api, media_folder: Path, support: Channel, ticket: Ticket
) -> None:
    old = question(support, "Nightingale", PERSON)
    as_sana.post(f"/customers/{old.customer_id}/merge/", {"into": ticket.customer_id})
    with committed():
        assert as_zoya.delete(f"/customers/{ticket.customer_id}/").status_code == 204
    assert mentions(dump()) == []
    assert not Customer.objects.exclude(name="").exists()
    assert not Identity.objects.filter(retired_at=None).exists()
    problem(as_zoya.post(f"/customers/{old.customer_id}/unmerge/"), 404)


def test_a_file_that_somebody_else_holds_stays(
    as_zoya: Api, media_folder: Path, support: Channel, ticket: Ticket, sana: Agent
) -> None:
    mine = uploads.upload(by=sana, name="terms.pdf", content_type="application/pdf", content=b"terms")
    reply.reply(ticket, by=sana, text="x", attachments=[mine.pk])
    other = question(support, "Hi", Party("email", "dawud@example.net", "Dawud Aziz"))
    theirs = uploads.upload(by=sana, name="terms.pdf", content_type="application/pdf", content=b"terms")
    reply.reply(other, by=sana, text="x", attachments=[theirs.pk])
    with committed():
        as_zoya.delete(f"/customers/{ticket.customer_id}/")
    assert files.get(Attachment.objects.get(pk=theirs.pk).stored) == b"terms"
    assert Attachment.objects.get(pk=mine.pk).stored == ""
    problem(as_zoya.get(f"/attachments/{mine.pk}/"), 404)


def waits(channel: Channel, raw: bytes, name: str, **meta: Any) -> int:
    """Mail that was stored and that no worker has looked at yet."""
    [stored] = receive.store(
        channel, [RawReceipt(raw, name, key=name, meta={"recipients": ["support@example.org"], **meta})], claim=True
    )
    return stored.receipt_id


def from_(sender: str, name: str, more: str = "", text: str = "hello") -> bytes:
    head = f"From: {sender}\nTo: support@example.org\n{more}Subject: {name}\nMessage-ID: <{name}@mail.example>\n"
    return f"{head}\n{text}\n".encode()


def erased(as_zoya: Api, address: str) -> None:
    pk = Customer.objects.get(identities__value=address).pk
    with committed():
        assert as_zoya.delete(f"/customers/{pk}/").status_code == 204


OTHERS = (
    "zulali@gmail.example",
    "not-ali@gmail.example",
    "x.ali@gmail.example",
    "x+ali@gmail.example",
    "ali@gmail.example.org",
    "ali@gmail.example-shop.org",
)


@pytest.mark.parametrize("other", OTHERS)
def test_who_only_looks_like_them_loses_nothing(as_zoya: Api, support: Channel, other: str) -> None:
    arrives(support, from_("ali@gmail.example", "a", f"Cc: {other}\n"), "a")
    mine = arrives(support, from_(other, "b", text=f"I am {other}."), "b")
    assert mine is not None and mine.receipt is not None
    new = waits(support, from_(other, "c"), "c", mail_from=other)
    failed = waits(support, from_(other, "d"), "d")
    Receipt.objects.filter(pk=failed).update(state="failed", reason=f"{other}: odd")
    before = list(Receipt.objects.filter(pk__in=[mine.receipt_id, new, failed]).order_by("pk").values())
    erased(as_zoya, "ali@gmail.example")
    assert list(Receipt.objects.filter(pk__in=[mine.receipt_id, new, failed]).order_by("pk").values()) == before
    assert Message.objects.get(pk=mine.pk).text.strip() == f"I am {other}."
    receive.take_in([new])
    assert Message.objects.filter(author_address=other).count() == 2


def test_waiting_mail_of_others_that_names_them_is_taken_in(as_zoya: Api, support: Channel) -> None:
    arrives(support, from_("zub@x.example", "a"), "a")
    new = waits(support, from_("dawud@example.net", "b", "Cc: Zub <zub@x.example>\n", "ask zub@x.example"), "b")
    failed = waits(support, from_("dawud@example.net", "c", "Cc: zub@x.example\n"), "c")
    Receipt.objects.filter(pk=failed).update(state="failed", reason="zub@x.example: odd")
    own = [waits(support, from_("Zub@x.example", "d"), "d"), waits(support, b"\n\nhi", "e", mail_from="zub@x.example")]
    form = waits(support, from_("support@example.org", "f", "Reply-To: zub@x.example\n"), "f")
    erased(as_zoya, "zub@x.example")
    for pk in (*own, form):
        gone = Receipt.objects.get(pk=pk)
        assert (gone.state, gone.reason, gone.raw, gone.meta, gone.key) == ("ignored", "erased", None, {}, "")
    kept = Receipt.objects.get(pk=failed)
    assert (kept.state, kept.raw is not None, kept.reason) == ("failed", True, "[erased]: odd")
    assert [outcome.status for outcome in receive.take_in([new])] == ["created"]
    assert Message.objects.get(author_address="dawud@example.net").text.strip() == "ask zub@x.example"
    retrying.retry(kept, by=None)
    assert [outcome.status for outcome in receive.take_in([failed])] == ["created"]


def test_mail_of_others_that_named_them_keeps_its_message_without_them(
    as_zoya: Api, media_folder: Path, support: Channel
) -> None:
    arrives(support, from_("zub.q@x.example", "a"), "a")
    copied = "Cc: Zub <zub.q@x.example>, Eve <eve@y.example>\n"
    kept = [
        arrives(support, from_("dawud@example.net", "b", copied), "b"),
        arrives(support, from_("eve@y.example", "c", text="Ask zub.q@x.example, or <ZUB.Q@x.example>."), "c"),
        arrives(support, from_("omid@y.example", "large", copied, "x " * 200_000), "large"),
    ]
    report = waits(support, from_("MAILER-DAEMON@x.example", "d", text="zub.q@x.example is unknown"), "d", uid=7)
    Receipt.objects.filter(pk=report).update(state="ignored", reason="delivery report")
    erased(as_zoya, "zub.q@x.example")
    for message in kept:
        assert message is not None
        message.refresh_from_db()
        assert message.receipt is not None
        assert (message.receipt.state, message.receipt.raw, message.receipt.stored) == ("done", None, "")
    first, second, third = kept
    assert first is not None and second is not None and third is not None
    assert [one["address"] for one in first.cc] == ["eve@y.example"] == [one["address"] for one in third.cc]
    assert second.text.strip() == "Ask [erased], or <[erased]>."
    left = Receipt.objects.get(pk=report)
    assert (left.state, left.reason, left.raw, left.meta["uid"]) == ("ignored", "delivery report", None, 7)
    assert b"zub.q" not in dump().lower() + media().lower()


@pytest.mark.parametrize("kind, value", [("telegram", "7"), ("phone", "7"), ("phone", "555123"), ("email", "7")])
def test_a_short_id_empties_nothing(as_zoya: Api, support: Channel, sana: Agent, kind: str, value: str) -> None:
    done = arrives(support, from_("dawud@example.net", "a", text="7 pieces, 555123"), "a")
    assert done is not None
    new = waits(support, from_("dawud@example.net", "b", text="7 pieces, 555123"), "b")
    customer = Customer.objects.create(name="X")
    Identity.objects.create(customer=customer, kind=kind, value=value, verified_at=customer.created_at)
    done.ticket.participants.create(identity=customer.identities.get(), role="cc")
    erased(as_zoya, value)
    assert Receipt.objects.filter(raw__isnull=False).count() == 2
    done.refresh_from_db()
    assert done.text.strip() == "7 pieces, 555123"
    assert [outcome.status for outcome in receive.take_in([new])] == ["created"]


def test_phone_numbers_are_found_by_their_digits(as_zoya: Api, support: Channel) -> None:
    texts = ("Call +923001234567.", "call +92 300 123-4567 now", "923001234567", "9230012345678", "1923001234567")
    said = [arrives(support, from_("dawud@example.net", f"a{n}", text=text), f"a{n}") for n, text in enumerate(texts)]
    customer = Customer.objects.create(name="X")
    Identity.objects.create(customer=customer, kind="phone", value="+923001234567", verified_at=customer.created_at)
    assert said[1] is not None
    said[1].ticket.participants.create(identity=customer.identities.get(), role="cc")
    erased(as_zoya, "+923001234567")
    found = [Message.objects.get(pk=message.pk).text.strip() for message in said if message is not None]
    assert found == ["Call [erased].", "call [erased] now", "[erased]", *texts[3:]]
    emptied = [receipt.raw is None for receipt in Receipt.objects.order_by("pk")]
    assert emptied == [True, True, True, False, False]


def test_large_mail_of_theirs_that_was_never_taken_in_is_found(
    as_zoya: Api, media_folder: Path, support: Channel
) -> None:
    arrives(support, from_("zub.q@x.example", "a"), "a")
    big = "heliotrope " * 60_000
    failed = waits(support, from_("Zub.Q@x.example", "b", text=big), "b")
    other = waits(support, from_("dawud@example.net", "c", text=big + "other"), "c")
    Receipt.objects.update(state="failed")
    erased(as_zoya, "zub.q@x.example")
    gone = Receipt.objects.get(pk=failed)
    assert (gone.state, gone.reason, gone.stored) == ("ignored", "erased", "")
    assert b"zub.q" not in media().lower()
    assert files.get(Receipt.objects.get(pk=other).stored).endswith(b"other\n")
