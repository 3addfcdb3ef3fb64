"""Which tickets are hidden, by bits: the same as by the rule, also of those that came afterwards."""

from __future__ import annotations

from django.db import connection

from inbox import access
from inbox.adapters import Party
from inbox.models import Agent, Channel, Ticket
from reports.engine.hiding import hidden, is_hidden
from tests.cast import question


def shown(viewer: Agent) -> set[int]:
    with connection.cursor() as cursor:
        cursor.execute(f"SELECT t.number FROM inbox_ticket t WHERE NOT {is_hidden(viewer, 't.number')}", {})
        return {number for (number,) in cursor.fetchall()}


def asked(channel: Channel, count: int) -> list[Ticket]:
    return [question(channel, "x", Party("email", f"{channel.slug}{n}@example.com")) for n in range(count)]


def test_bits_say_what_the_rule_says(support: Channel, bilal: Agent) -> None:
    open_to_all = Channel.objects.create(kind="email", name="All", slug="all", settings={"address": "all@desk.example"})
    assert shown(bilal) == set() and hidden(bilal).bits == b"\0"
    del bilal._sight  # type: ignore[attr-defined]
    asked(support, 9)
    seen, mine = asked(open_to_all, 9), asked(support, 1)[0]
    Ticket.objects.filter(pk=mine.pk).update(assignee=bilal)
    assert shown(bilal) == {one.pk for one in seen} | {mine.pk}
    known = hidden(bilal)
    later, late = asked(open_to_all, 3), asked(support, 20)
    assert (
        shown(bilal)
        == {one.pk for one in [*seen, mine, *later]}
        == set(access.tickets(bilal).values_list("pk", flat=True))
    )
    assert hidden(bilal) is known and not {one.pk for one in late} & shown(bilal)
