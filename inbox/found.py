"""What a search found, as a list of the screen: the tickets with what was typed marked in them, and the people."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any
from urllib.parse import urlencode

from django.db import connection
from django.urls import reverse
from django.utils.html import escape
from django.utils.safestring import SafeString, mark_safe
from django.utils.translation import gettext as _

from inbox import lists, search
from inbox.models import Agent, Customer, Ticket
from lib import folding

MESSAGES = 8  # newest of a ticket, in which the words are looked for
LETTERS = 4_000  # of each of them
BEFORE, AFTER = 40, 160  # characters around the first word, in the line that a row has for them
TOKEN = re.compile(r"[\w\u0300-\u036f\u0610-\u061a\u064b-\u065f\u0670\u06d6-\u06ed\u0900-\u0dff\u200c\u200d]+")

# The newest messages of each ticket with one of the words: no ticket costs more than MESSAGES of them.
TEXTS = """
SELECT wanted.number, newest.text FROM unnest(%s::bigint[]) AS wanted (number), LATERAL (
    SELECT id, left(text, %s) AS text FROM inbox_message
    WHERE ticket_id = wanted.number AND deleted_at IS NULL ORDER BY ticket_id, id DESC LIMIT %s
) AS newest ORDER BY wanted.number, newest.id DESC
"""


@dataclass
class Found:
    """The list that `?q=` asks for. It stands in the place of `back`, which an empty search gives again."""

    agent: Agent
    typed: str
    back: lists.Listing
    count: str = ""
    key: str = ""
    saved: str = ""
    chips: list[dict[str, str]] = field(default_factory=list)
    match: dict[str, str] = field(default_factory=dict)

    @cached_property
    def results(self) -> search.Results:
        return search.find(self.agent, self.typed)

    @property
    def problems(self) -> list[str]:
        found = list(self.results.wrong)
        if looked := self.results.looked:
            said = _(
                "Of the tickets with these words the newest %(count)s were looked at. Another word reaches older ones."
            )
            found.append(said % {"count": f"{looked:,}"})
        return found

    @property
    def label(self) -> str:
        return _("Search")

    @property
    def most(self) -> str:
        """How many of the hits are listed, where there are more."""
        return f"{len(self.results.numbers):,}"

    @property
    def url(self) -> str:
        return f"{reverse('inbox')}?{urlencode({**self.back.fixed, 'q': self.typed})}"

    @property
    def fixed(self) -> Any:
        return self.back.fixed

    @property
    def heading(self) -> str:
        if self.results.slow:
            return _("That took too long")
        return _("Nothing found") if self.results.query else _("What are you looking for?")

    @property
    def nothing(self) -> str:
        if self.results.slow:
            return _("Add another word, or a rarer one: then there is less to look through.")
        if self.results.query:
            return _("No ticket has all of these words. Try fewer of them, or only how they begin.")
        return _("Type a word, a name, an address, a telephone number or the number of a ticket.")

    @cached_property
    def people(self) -> list[Customer]:
        if self.results.slow:
            return []
        found = search.people(self.agent, self.results.query)
        for one in found:
            one.marked = marked(str(one), self.results.query.words)  # type: ignore[attr-defined]
        return found

    def page(self, before: str = "") -> lists.Page:
        """The hits from the place `before` on, best first, each with `marked`, `marked_subject` and `snippet`."""
        start = int(before) if before.isascii() and before.isdigit() and len(before) < 6 else 0
        numbers = self.results.numbers[start : start + lists.PAGE]
        rows = {
            row.number: row
            for row in lists.beside(self.agent, Ticket.objects.filter(number__in=numbers)).select_related(
                "customer", "reply_channel", "assignee"
            )
        }
        tickets = [rows[number] for number in numbers if number in rows]
        adorn(tickets, self.results.query.words)
        following = start + lists.PAGE
        more = f"{self.url}&before={following}" if following < len(self.results.numbers) else ""
        return lists.Page(tickets, more)


def adorn(tickets: Sequence[Ticket], words: Sequence[str]) -> None:
    """Give each row what was typed, marked: in name and subject, else in the text that has it."""
    unseen: list[Ticket] = []
    for ticket in tickets:
        ticket.marked = marked(str(ticket.customer), words)  # type: ignore[attr-defined]
        ticket.marked_subject = marked(ticket.subject, words)  # type: ignore[attr-defined]
        ticket.snippet = marked(ticket.preview, words)  # type: ignore[attr-defined]
        line = folding.fold(f"{ticket.customer} {ticket.subject} {ticket.preview}")
        if not all(word in line for word in words):
            unseen.append(ticket)
    if not unseen:
        return
    texts: dict[int, list[str]] = {}
    with connection.cursor() as cursor:
        cursor.execute(TEXTS, [[ticket.number for ticket in unseen], LETTERS, MESSAGES])
        for number, text in cursor.fetchall():
            texts.setdefault(number, []).append(text)
    for ticket in unseen:
        if text := excerpt(texts.get(ticket.number, []), words):
            ticket.snippet = marked(text, words)  # type: ignore[attr-defined]


def excerpt(texts: Iterable[str], words: Sequence[str]) -> str:
    """A line around the first word in the text that has most of the words; empty where none has any."""
    best, most = "", 0
    for text in texts:
        folded = folding.fold(text)
        have = sum(word in folded for word in words)
        if have > most:
            best, most = text, have
    for token in TOKEN.finditer(best):
        if fits(token.group(), words):
            start = max(0, token.start() - BEFORE)
            if start:
                start = best.find(" ", start, token.start()) + 1 or token.start()
            line = " ".join(best[start : token.end() + AFTER].split())
            return f"… {line}" if start else line
    return ""


def fits(token: str, words: Sequence[str]) -> bool:
    """Whether a word of a text is what was typed, or holds it. One or two letters are looked for as they stand."""
    folded = folding.fold(token)
    return any(word in folded if len(word) >= folding.SHORTEST else word == folded for word in words)


def marked(text: str, words: Sequence[str]) -> SafeString:
    """The text as HTML, each word that was typed or holds what was typed in a <mark>."""
    parts: list[str] = []
    at = 0
    for token in TOKEN.finditer(text):
        if fits(token.group(), words):
            parts += (escape(text[at : token.start()]), "<mark>", escape(token.group()), "</mark>")
            at = token.end()
    parts.append(escape(text[at:]))
    return mark_safe("".join(parts))  # noqa: S308 - each part is escaped
