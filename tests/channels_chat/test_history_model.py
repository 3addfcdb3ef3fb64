"""Whatever is said, said again, answered, noted, asked of others, merged, taken apart, split and erased in any order:
a visitor sees what they said and what was said to them, each once, in the order of ids; never a note, never a word of
another customer, never a side conversation.
"""

from __future__ import annotations

import contextlib
from collections import defaultdict
from dataclasses import dataclass, field
from typing import Any

import pytest
from django.db import transaction
from hypothesis import HealthCheck, Phase, example, given, settings
from hypothesis import strategies as st

from channels_chat import history, intake
from channels_chat.models import Visitor
from inbox.actions import erasing, merge, reply, side, split
from inbox.actions.errors import ActionError
from inbox.models import Agent, Channel, Message, Role, Ticket
from tests.channels_chat import cast

pytestmark = pytest.mark.django_db

SUPPLIER = [{"name": "Supplier", "address": "parts@supplier.example"}]
WHO = st.integers(0, 2)
PLACE = st.integers(0, 5)
DEEDS = st.lists(
    st.one_of(
        st.tuples(st.just("say"), WHO, st.integers(0, 6)),  # few client ids: some come again
        st.tuples(st.just("say"), WHO, st.integers(0, 6)),
        st.tuples(st.just("reply"), PLACE, st.just(0)),
        st.tuples(st.just("note"), PLACE, st.just(0)),
        st.tuples(st.just("side"), PLACE, st.just(0)),
        st.tuples(st.just("merge"), PLACE, PLACE),
        st.tuples(st.just("unmerge"), PLACE, st.just(0)),
        st.tuples(st.just("split"), PLACE, st.integers(0, 3)),
        st.tuples(st.just("solve"), PLACE, st.just(0)),
        st.tuples(st.just("erase"), WHO, st.just(0)),
    ),
    min_size=3,
    max_size=16,
)


@dataclass
class World:
    """Three visitors, two of them of one channel, and what each of them said and was told: ids of messages."""

    sana: Agent
    visitors: list[Visitor]
    theirs: dict[int, list[int]] = field(default_factory=lambda: defaultdict(list))
    ids: dict[tuple[int, int], int] = field(default_factory=dict)
    erased: set[int] = field(default_factory=set)

    def ticket(self, place: int) -> Ticket | None:
        rows = list(Ticket.objects.order_by("number"))
        return rows[place % len(rows)] if rows else None

    def say(self, who: int, cid: int) -> None:
        if who in self.erased:
            return
        visitor = self.visitors[who]
        said = intake.Said(visitor.channel, visitor, f"client-id-{cid}", f"{who} says {cid}, {len(self.ids)}")
        [took] = intake.take([said])
        assert took is not None
        first = self.ids.setdefault((who, cid), took.message)
        assert took.message == first
        if not took.repeated:
            self.theirs[who].append(took.message)

    def reply(self, place: int, _: int) -> None:
        if ticket := self.ticket(place):
            message = reply.reply(ticket, by=self.sana, text="An answer")
            named = {one["address"] for one in message.to}
            [to] = [number for number, one in enumerate(self.visitors) if one.address in named]
            self.theirs[to].append(message.pk)

    def note(self, place: int, _: int) -> None:
        if ticket := self.ticket(place):
            reply.note(ticket, by=self.sana, text="SECRET note")

    def side(self, place: int, _: int) -> None:
        if ticket := self.ticket(place):
            side.start(ticket, by=self.sana, to=SUPPLIER, subject="Parts", text="SECRET question")

    def merge(self, place: int, other: int) -> None:
        one, into = self.ticket(place), self.ticket(other)
        if one and into and one != into:
            merge.merge(one, into, by=self.sana)

    def unmerge(self, place: int, _: int) -> None:
        if ticket := self.ticket(place):
            merge.unmerge(ticket, by=self.sana)

    def split(self, place: int, number: int) -> None:
        if ticket := self.ticket(place):
            ids = list(Message.objects.filter(ticket=ticket).order_by("pk").values_list("pk", flat=True))
            split.split(ticket, ids[number : number + 2], by=self.sana)

    def solve(self, place: int, _: int) -> None:
        if ticket := self.ticket(place):
            reply.change_status(ticket, "solved", by=self.sana)

    def erase(self, who: int, _: int) -> None:
        visitor = Visitor.objects.filter(pk=self.visitors[who].pk).first()
        if visitor is not None and visitor.customer is not None:
            erasing.erase(visitor.customer, by=self.sana)
            self.erased.add(who)

    def check(self) -> None:
        for number, one in enumerate(self.visitors):
            visitor = Visitor.objects.filter(pk=one.pk).first()
            if visitor is None:
                continue
            seen = history.of(visitor, most=200)
            ids = [message.pk for message in seen]
            # (Lines of the system, such as who takes over, come beside what the model knows.)
            people = [message.pk for message in seen if message.author_kind in {"customer", "agent"}]
            if not self.erased:
                assert people == sorted(self.theirs[number])
            assert set(people) <= set(self.theirs[number])
            assert ids == sorted(set(ids))
            told = str(history.wire(seen, visitor.channel, "en"))
            assert "SECRET" not in told
            for other in {0, 1, 2} - {number}:
                assert f"'{other} says" not in told
                assert not set(ids) & set(self.theirs[other])
            half = len(ids) // 2
            if half:
                assert [one.pk for one in history.of(visitor, before=ids[half], most=200)] == ids[:half]
                assert set(ids[half:]) <= {one.pk for one in history.of(visitor, after=ids[half - 1], most=200)}


def test_a_visitor_sees_what_is_theirs(settings_of_mail: None) -> None:
    sana = Agent.objects.create_user("sana@desk.example", name="Sana", role=Role.ADMIN)
    shops = [cast.chat_channel("Shop"), cast.chat_channel("Other")]

    @settings(
        max_examples=15, deadline=None, phases=[Phase.explicit, Phase.generate], suppress_health_check=list(HealthCheck)
    )
    @given(DEEDS)
    @example([("say", 0, 0), ("say", 0, 1), ("say", 1, 0), ("split", 0, 0), ("reply", 2, 0), ("merge", 0, 1)])
    def live(deeds: list[tuple[str, int, int]]) -> None:
        with transaction.atomic():
            visitors = [cast.visitor_of(shops[0], "Ali"), cast.visitor_of(shops[0], "Bina"), cast.visitor_of(shops[1])]
            world = World(sana, visitors)
            for what, one, other in deeds:
                with contextlib.suppress(ActionError):
                    getattr(world, what)(one, other)
                counted[what] += 1
            world.check()
            transaction.set_rollback(True)

    counted: dict[str, int] = defaultdict(int)
    live()


@pytest.fixture
def settings_of_mail() -> None:
    """A mailbox, by which others can be asked."""
    given: dict[str, Any] = {"smtp": {"host": "127.0.0.1", "port": 1, "security": "none"}}
    Channel.objects.create(
        kind="email",
        slug="mail",
        name="Mail",
        addresses=["support@desk.example"],
        settings=given | {"address": "support@desk.example"},
    )
