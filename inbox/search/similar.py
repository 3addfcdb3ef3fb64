"""Solved tickets like an open one: what was said there may help here.

Looked for among the documents of search by the words of the subject and of the newest message, two of them together at
least, from the newest ticket back. It is a hint, not an answer: after PATIENCE it is left.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import combinations

from django.db import OperationalError, connection, transaction
from psycopg.errors import QueryCanceled

from inbox import access
from inbox.models import Agent, Status, Ticket
from inbox.search.finding import newest
from lib import folding

PATIENCE = 150  # milliseconds
MOST = 5
MOST_WORDS = 7
MOST_HITS = 80  # of which the best are shown
SHORTEST = 4  # letters of a word that says something
WORD = re.compile(r"[^\W\d_]{2,}", re.UNICODE)
# Words of letters to a shop that stand in every second one.
COMMON = frozenset(folding.fold(
    "hello dear thanks thank please regards kind best with from have been this that your about when what where which "
    "there would could will need help know want just still also again after before their they them question request "
    "order problem issue message mail email ticket customer support team salam shukria meri mera mujhe nahi kahan "
    "ہے ہیں میں میرا میری مجھے نہیں کہاں کیا اور آپ شکریہ سلام سے کا کی کے"
).split())  # fmt: skip


@dataclass(frozen=True)
class Similar:
    """A solved ticket, and the words it shares with the open one."""

    number: int
    subject: str
    status: str
    words: tuple[str, ...]

    @property
    def why(self) -> str:
        return ", ".join(self.words)


def to(agent: Agent, ticket: Ticket) -> list[Similar]:
    """The best of them, as far as this agent sees them; none where it would take too long."""
    words = telling(f"{ticket.subject} {ticket.preview}")
    if not words:
        return []
    try:
        with transaction.atomic(), connection.cursor() as cursor:
            cursor.execute("SELECT set_config('statement_timeout', %s, true)", [str(PATIENCE)])
            found = _look(agent, ticket, words)
            cursor.execute("SELECT set_config('statement_timeout', '0', true)")
            return found
    except OperationalError as error:
        if isinstance(error.__cause__, QueryCanceled):
            return []
        raise


def telling(text: str) -> dict[str, str]:
    """The words that say what a text is about, folded, each as it was written: the longer ones first."""
    found: dict[str, str] = {}
    for word in WORD.findall(text):
        folded = "".join(folding.words(folding.fold(word)))
        if len(folded) >= SHORTEST and folded not in COMMON:
            found.setdefault(folded, word)
    return dict(sorted(found.items(), key=lambda item: -len(item[0]))[:MOST_WORDS])


def _look(agent: Agent, ticket: Ticket, words: dict[str, str]) -> list[Similar]:
    ways = [f"('{one}' & '{other}')" for one, other in combinations(words, 2)] or [f"'{one}'" for one in words]
    short = dict(newest(agent, " | ".join(ways), MOST_HITS))
    rows = (
        access.tickets(agent)
        .filter(number__in=list(short), status__in=[Status.SOLVED, Status.CLOSED], trashed_at__isnull=True)
        .exclude(number=ticket.number)
        .values_list("number", "subject", "preview", "status", "message_count")
    )
    ranked = [(_shared(words, short[row[0]], f"{row[1]} {row[2]}"), row) for row in rows]
    ranked.sort(key=lambda item: (-len(item[0]), -item[1][0]))
    return [Similar(row[0], row[1], row[3], tuple(shared)) for shared, row in ranked[:MOST] if shared]


def _shared(words: dict[str, str], short: str, text: str) -> Sequence[str]:
    """Which of the words a ticket has, as they are written in the open one: those of its subject first."""
    line = f" {short} "
    within = set(folding.words(folding.fold(text)))
    near = [word for word in words if f" {word} " in line]
    return [words[word] for word in near + [word for word in words if word in within and word not in near]]
