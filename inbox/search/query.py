"""What somebody typed, as the database is asked for it."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field

from inbox.search import operators
from lib import folding

MOST_TYPED = 300  # characters of a query that are read
MOST_WORDS = 12


@dataclass(frozen=True)
class Query:
    """A query taken apart. Each part of `parts` must be found; each is a list of ways to find it, a way being words
    that must all be found. `words` is all of it in the order typed, for ranking and marking.

    `given` are the operators with their values, `phrases` what stood in quotes: they narrow what the words find.
    """

    typed: str
    words: tuple[str, ...] = ()
    parts: tuple[tuple[tuple[str, ...], ...], ...] = ()
    number: int | None = None  # where the query may be a ticket's number
    phones: tuple[str, ...] = field(default=())
    given: tuple[tuple[str, str], ...] = ()
    phrases: tuple[str, ...] = ()

    def __bool__(self) -> bool:
        return bool(self.parts or self.given)

    def tsquery(self, marks: str = "") -> str:
        """As PostgreSQL reads it, together with what must be among the marks. Words are letters and digits alone."""
        found = [f"({' | '.join('(' + ' & '.join(map(_lexeme, way)) + ')' for way in part)})" for part in self.parts]
        return " & ".join([*found, *([f"({marks})"] if marks else [])])


def _lexeme(word: str) -> str:
    # One and two letters stand in the documents themselves: looked up as prefixes they would read half an index.
    return f"'{word}':*" if len(word) >= folding.SHORTEST else f"'{word}'"


def parse(text: str) -> Query:
    """Read a query. Whatever is typed is a query; what holds no letter, no digit and no operator finds nothing
    and is false.
    """
    typed = " ".join(text.encode("utf-8", "ignore").decode().replace("\0", " ").split())[:MOST_TYPED]
    taken = operators.take(typed)
    folded = folding.fold(taken.words)
    words: list[str] = []
    parts: list[tuple[tuple[str, ...], ...]] = []
    phones: list[str] = []
    at = 0
    for digits, start, end in folding.phones(folded):
        _take(folded[at:start], words, parts)
        inner = folding.words(folded[start:end])
        words += inner
        # A number of ours may be written with less before it, or with more.
        ways = {(one,) for one in folding.spellings(digits)} | {tuple(inner)}
        parts.append(tuple(sorted(ways)))
        phones += sorted(folding.spellings(digits))
        at = end
    _take(folded[at:], words, parts)
    bare = folded.strip().removeprefix("#")
    number = int(bare) if bare.isascii() and bare.isdigit() and len(bare) < 19 else None
    seen = tuple(dict.fromkeys(words))[:MOST_WORDS]
    return Query(typed, seen, _shortened(parts), number, tuple(phones), taken.given, taken.phrases)


def _take(folded: str, words: list[str], parts: list[tuple[tuple[str, ...], ...]]) -> None:
    for chunk in folding.chunks(folded):
        words += chunk
        if len(chunk) == 1:
            word = chunk[0]
            ways = {(word,)}
            if word.isdigit() and word.startswith("0") and len(word.lstrip("0")) >= folding.SHORTEST:
                ways.add((word.lstrip("0"),))  # 0300 begins at home what is +92 300 elsewhere
            parts.append(tuple(sorted(ways)))
        else:
            parts.append((tuple(chunk[:MOST_WORDS]), ("".join(chunk)[: folding.WORD],)))


def _shortened(parts: Iterable[tuple[tuple[str, ...], ...]]) -> tuple[tuple[tuple[str, ...], ...], ...]:
    return tuple(dict.fromkeys(parts))[:MOST_WORDS]
