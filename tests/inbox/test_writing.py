"""Variables, macros, mentions and lengths: what is written, said, done and told."""

from __future__ import annotations

from functools import partial
from typing import Any

import pytest

from inbox import access, counting, macros, mentions, variables
from inbox.actions import brands, messages, reply, uploads
from inbox.actions import macros as acting
from inbox.actions import mentions as mentioning
from inbox.actions.errors import ActionError
from inbox.adapters import adapter_for
from inbox.counting import Limit
from inbox.models import Agent, Attachment, Brand, Channel, Field, Macro, Mention, Message, Role, Team, Ticket
from tests.cast import bilal, lena, member, omar, sana, support, team, ticket, zoya
from tests.paper import Paper

__all__ = ["bilal", "lena", "omar", "sana", "support", "team", "ticket", "zoya"]


def test_variables_are_filled_once_and_never_what_was_put_in() -> None:
    found = {"customer.name": "{{agent.name}} <b>", "agent.name": "Sana", "ticket.attributes.order": "K-1"}
    assert variables.render("Dear {{ customer.name }}, {{agent.name}}", found).text == "Dear {{agent.name}} <b>, Sana"
    assert variables.render_html("<p>{{customer.name}}</p>", found).text == "<p>{{agent.name}} &lt;b&gt;</p>"
    assert variables.render("{{ticket.attributes.order}}", found).text == "K-1"


def test_what_is_unknown_or_empty_is_seen_unless_something_stands_in_for_it() -> None:
    out = variables.render("{{custmer.name}} {{customer.name}} {{customer.name|friend}} {{custmer.name|x}}", {})
    assert out.text == "{{custmer.name}} {{customer.name}} friend {{custmer.name|x}}"
    assert out.gaps == ["{{custmer.name}}", "{{customer.name}}", "{{custmer.name|x}}"]
    assert variables.unknown("{{custmer.name}} {{ticket.attributes.x}} {{ticket.number}}") == ["custmer.name"]
    assert variables.render("{{team.name}}{{x.y}}", {}, quiet=True).text == "{{x.y}}"
    assert variables.render("{{ __class__ }} {{customer.name.__class__}}", {}).text.startswith("{{ __class__ }}")


@pytest.mark.parametrize(
    ("name", "first"), [("Ayesha Khan", "Ayesha"), ("Khan, Ayesha", "Ayesha"), ("Dr. Ayesha", "Ayesha"), ("a@b.c", "")]
)
def test_first_names(name: str, first: str) -> None:
    assert variables.first_name(name) == first


def test_macros_of_the_customers_language_come_first(ticket: Ticket, sana: Agent) -> None:
    Ticket.objects.filter(pk=ticket.pk).update(language="ur")
    ticket.refresh_from_db()
    for name, language in (("A", "en"), ("B", ""), ("C", "ur")):
        Macro.objects.create(name=name, language=language, text="{{customer.first_name}} {{ticket.number}}")
    Macro.objects.create(name="Omar's", owner=member("Else", Role.AGENT, None))
    out = macros.offered(sana, ticket)
    assert [one.macro.name for one in out] == ["C", "B", "A"]
    assert out[0].text == f"Ayesha {ticket.number}"


@pytest.mark.parametrize("with_reply", [True, False])
def test_a_macro_fills_what_solving_asks_for(ticket: Ticket, sana: Agent, with_reply: bool) -> None:
    Field.objects.create(noun="ticket", key="size", label="Size", kind="text", required=True)
    solve = {"set": "status", "to": "solved"}
    only = Macro.objects.create(name="Solve", actions=[solve])
    both = Macro.objects.create(name="Fill", actions=[solve, {"set": "attributes", "to": {"size": "S"}}])

    def apply(macro: Macro) -> None:
        if with_reply:
            also = partial(acting.apply, macros=[macro], by=sana, status=False)
            reply.reply(ticket, by=sana, text="Done.", status=acting.status_of([macro]), also=also)
        else:
            acting.apply(ticket, [macro], by=sana)

    with pytest.raises(ActionError, match="Fill in first"):
        apply(only)
    assert ticket.messages.count() == 1 and Ticket.objects.get().status == "open"
    apply(both)
    assert Ticket.objects.get().status == "solved"


def test_what_a_macro_does_goes_with_the_reply_or_not_at_all(ticket: Ticket, sana: Agent, omar: Agent) -> None:
    deeds = [
        {"set": "status", "to": "solved"},
        {"set": "assignee", "to": omar.pk},
        {"set": "add_tags", "to": ["refund"]},
        {"set": "priority", "to": "high"},
        {"set": "note", "to": "For {{customer.name}}"},
    ]
    macro = Macro.objects.create(name="Refund", actions=deeds)
    assert len(macros.deeds(macro.actions, sana)) == 5
    [chosen] = acting.wanted(sana, [macro.pk])

    def send(client_id: str) -> Message:
        return reply.reply(
            ticket, by=sana, text="Done.", client_id=client_id, status=acting.status_of([chosen]),
            also=lambda row: acting.apply(row, [chosen], by=sana, status=False),
        )  # fmt: skip

    assert send("one").pk == send("one").pk  # the second click does nothing twice
    ticket.refresh_from_db()
    assert (ticket.status, ticket.assignee, ticket.tags, ticket.priority) == ("solved", omar, ["refund"], "high")
    assert [one.text for one in Message.objects.filter(direction="note")] == ["For Ayesha Khan"]

    Macro.objects.filter(pk=macro.pk).update(
        actions=[{"set": "add_tags", "to": ["late"]}, {"set": "team", "to": "gone"}]
    )
    chosen.refresh_from_db()
    with pytest.raises(ActionError, match="team"):
        send("two")
    ticket.refresh_from_db()
    assert ticket.tags == ["refund"]
    assert Message.objects.filter(direction="out").count() == 1
    with pytest.raises(ActionError):
        acting.wanted(sana, [2**40])


def test_seers_are_those_who_see(
    ticket: Ticket, support: Channel, bilal: Agent, omar: Agent, lena: Agent, zoya: Agent
) -> None:
    """The rule of `access.sees`, the other way round."""
    member("Admin", Role.ADMIN, None)
    other = Team.objects.create(name="Other", slug="other")
    open_channel = Channel.objects.create(kind="email", name="Open", slug="open")
    for change in ({}, {"team": None}, {"team": other}, {"assignee": bilal}, {"also_channels": [open_channel.pk]}):
        start: dict[str, Any] = {"team": support.default_team, "assignee": None, "also_channels": []}
        Ticket.objects.filter(pk=ticket.pk).update(**start | change)
        ticket.refresh_from_db()
        seeing = {one.name for one in Agent.objects.all() if access.sees(Agent.objects.get(pk=one.pk), ticket)}
        assert {one.name for one in access.seers(ticket)} == seeing, change


def test_of_two_of_one_name_the_one_who_was_picked(ticket: Ticket, team: Team, sana: Agent, omar: Agent) -> None:
    twin = Agent.objects.create_user("omar2@example.org", name="Omar")  # of two of one name the one who was picked
    twin.teams.add(team)
    [named] = [one.name for one in mentions.offered(sana, ticket) if one.pk == twin.pk]
    noted = reply.note(ticket, by=sana, text=f"@{named} please")
    assert [one.agent for one in Mention.objects.filter(message=noted)] == [twin]


def test_mentions_are_rows_of_whoever_may_see(
    ticket: Ticket, team: Team, sana: Agent, omar: Agent, lena: Agent, bilal: Agent
) -> None:
    note = reply.note(ticket, by=sana, text="@omar and @Bilal, write to x@Lena. @Omarxy @Nobody")
    assert [one.agent for one in Mention.objects.all()] == [omar]
    assert note.payload["untold"] == ["Bilal"]
    assert "@omar</mark>" in mentions.marked("<p>@omar @omarx <a>@omar</a></p>", note.payload["mentions"])
    assert mentions.marked("<p>@omar</p>", [{"agent": 1, "as": "<i>"}]) == "<p>@omar</p>"
    reply.note(ticket, by=sana, text="@Support please")
    assert set(access.mentions(lena).values_list("agent__name", flat=True)) == {"Lena"}
    assert Mention.objects.filter(agent=sana).count() == 0
    assert {one.name for one in mentions.offered(sana, ticket)} == {"Omar", "Lena", "Support"}
    moved = messages.move(note, to=None, by=sana)
    assert Mention.objects.get(message=note).ticket_id == moved.ticket_id
    assert mentioning.seen(omar, ticket) == 1
    assert Mention.objects.filter(agent=omar, seen_at__isnull=True).count() == 1


def test_a_reply_names_nobody(ticket: Ticket, sana: Agent, omar: Agent) -> None:
    reply.reply(ticket, by=sana, text="@Omar will see to it")
    assert not Mention.objects.exists()


@pytest.mark.parametrize(
    ("text", "limit", "sizes"),
    [
        ("a" * 160, Limit(0, "sms"), [160]),
        ("a" * 161, Limit(0, "sms"), [153, 8]),
        ("€" * 80, Limit(0, "sms"), [160]),
        ("€" * 81, Limit(0, "sms"), [152, 10]),
        ("ب" * 70, Limit(0, "sms"), [70]),
        ("ب" * 71, Limit(0, "sms"), [67, 4]),
        ("😀" * 5, Limit(8), [8, 2]),
        ("😀" * 5, Limit(4, "codepoints"), [4, 1]),
        ("😀" * 5, Limit(9, "bytes"), [8, 8, 4]),
        ("aéب€", Limit(8, "bytes"), [8]),
        ("", Limit(5), []),
    ],
)
def test_lengths_and_parts(text: str, limit: Limit, sizes: list[int]) -> None:
    gsm = limit.unit == "sms" and counting.is_gsm(text)
    parts = counting.split(text, limit)
    assert [sum(counting.cost(one, limit.unit, gsm) for one in part) for part in parts] == sizes
    assert "".join(parts) == text


def test_a_text_breaks_between_words_and_pictures_stay_whole() -> None:
    assert counting.split("one two three four", Limit(10)) == ["one two", "three four"]
    assert counting.split("First one. Second one.", Limit(15)) == ["First one.", "Second one."]
    assert counting.split("abcdefg👨‍👩‍👧hij", Limit(11)) == ["abcdefg", "👨‍👩‍👧hij"]


def test_a_text_too_long_for_its_channel_is_refused(sana: Agent, monkeypatch: pytest.MonkeyPatch) -> None:
    from tests.cast import question

    monkeypatch.setattr(Paper, "limit", Limit(10, "utf16", most=2), raising=False)
    one = question(Channel.objects.create(kind="paper", name="Desk", slug="desk"), "Hello")
    with pytest.raises(ActionError, match="2 messages"):
        reply.reply(one, by=sana, text="one two three four five six")
    reply.reply(one, by=sana, text="one two three", html="<p>one <b>two</b> three</p>")
    assert Message.objects.get(direction="out").html == ""  # no formatting where the channel has none


def test_a_picture_in_the_text_travels_inside_the_mail(ticket: Ticket, sana: Agent) -> None:
    file = uploads.upload(by=sana, name="slip.png", content_type="image/png", content=b"\x89PNG one")
    beside = uploads.upload(by=sana, name="b.png", content_type="image/png", content=b"\x89PNG two")
    html = (
        f'<p dir="auto">See <strong>this</strong> <img src="cid:{file.content_id}" alt="slip"></p><ul><li>one</li></ul>'
    )
    message = reply.reply(ticket, by=sana, text="See this [slip]\n\n- one", html=html, attachments=[file.pk, beside.pk])
    assert set(Attachment.objects.filter(inline=True)) == {file}
    raw = adapter_for("email").raw(message)[0].decode()
    types = [line.split(";")[0] for line in raw.splitlines() if line.lower().startswith("content-type:")]
    assert [one.partition(": ")[2] for one in types] == [
        "multipart/mixed",
        "multipart/alternative",
        "text/plain",
        "multipart/related",
        "text/html",
        "image/png",
        "image/png",
    ]
    assert f"Content-ID: <{file.content_id}>" in raw
    assert "<strong>this</strong>" in raw


def test_signatures_fill_in_and_can_be_left_out(ticket: Ticket, support: Channel, sana: Agent, zoya: Agent) -> None:
    brand = brands.create(by=zoya, name="Karvaan", signature="{{agent.name}}, {{brand.name}}", channels=[support])
    first = reply.reply(Ticket.objects.get(pk=ticket.pk), by=sana, text="Hello")
    assert first.text == "Hello\n\n-- \nSana, Karvaan\n"
    assert reply.reply(Ticket.objects.get(pk=ticket.pk), by=sana, text="Again", signed=False).text == "Again"
    brands.change(brand, by=zoya, name="Karwan", channels=[])
    brands.delete(brand, by=zoya)
    assert not Brand.objects.exists()
