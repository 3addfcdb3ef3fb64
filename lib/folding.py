"""One spelling for what people write in several: the words of a text as search knows them.

The same functions make the documents and read the queries, so that whatever is folded away is folded away on both
sides. Case, accents and compatibility forms go by Unicode (NFKD and casefold, Unicode Standard Annex 15 and chapter
3.13); Arabic and Urdu letters that keyboards exchange become one letter; digits of every script become ASCII's.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Collection, Iterable, Iterator

WORD = 40  # letters of a word that count; what is longer is no word that anybody types
PARTS = 6  # of what punctuation joins, such as an address: how many may begin a joined word
SHORTEST = 3  # letters that are found inside words, and from which on a prefix is looked up as such
PHONE = 7, 15  # digits of a telephone number, E.164 allowing fifteen
SAME_PHONE = 9  # last digits that make two telephone numbers one, whatever stands for the country before them

# Marks that spelling leaves out as often as not: accents, Hebrew points, Arabic vowels and signs.
_MARKS = (
    (0x0300, 0x036F), (0x0483, 0x0489), (0x0591, 0x05C7), (0x0610, 0x061A), (0x064B, 0x065F), (0x0670, 0x0670),
    (0x06D6, 0x06ED), (0x08CA, 0x08FF), (0x1AB0, 0x1AFF), (0x1DC0, 0x1DFF), (0x20D0, 0x20FF), (0xFE00, 0xFE0F),
    (0xFE20, 0xFE2F),
)  # fmt: skip
# Tatweel, soft hyphen, joiners, directions, and the lone hamza that Urdu writes or leaves out at the end of a word.
_UNSEEN = "\u0640\u00ad\u034f\u061c\u180e\u200b\u200c\u200d\u200e\u200f\u2060\ufeff\u0621" + "".join(
    map(chr, [*range(0x202A, 0x202F), *range(0x2061, 0x2070)])
)
_LETTERS = {
    "ي": "ی", "ى": "ی", "ې": "ی", "ك": "ک", "ڪ": "ک", "ه": "ہ", "ة": "ہ", "ۃ": "ہ", "ھ": "ہ", "ە": "ہ", "ٱ": "ا",
    "ٲ": "ا", "ٳ": "ا", "ٵ": "ا", "ø": "o", "ı": "i", "đ": "d", "ð": "d", "ł": "l", "ħ": "h", "ŧ": "t", "æ": "ae",
    "œ": "oe", "þ": "th", "ŋ": "n", "ĸ": "k",
}  # fmt: skip


def _table() -> dict[int, str | None]:
    table: dict[int, str | None] = {}
    # (No digits are beyond the second plane of Unicode; each process makes this table.)
    for digit in re.findall(r"\d", "".join(map(chr, range(0x80, 0x20000)))):
        table[ord(digit)] = str(unicodedata.digit(digit))
    for first, last in _MARKS:
        # Signs such as the Arabic end of verse are no marks; they part words.
        table |= {code: None for code in range(first, last + 1) if unicodedata.category(chr(code)).startswith("M")}
    return table | {ord(one): None for one in _UNSEEN} | {ord(one): other for one, other in _LETTERS.items()}


_FOLDED = _table()
# Letters and digits, and the vowel signs that belong to the letters of South and South-East Asian scripts.
_VOWELS = (
    "\u0900-\u0963\u0966-\u0df3\u0e31\u0e34-\u0e3a\u0e47-\u0e4e\u0eb1-\u0ebc\u0ec8-\u0ecd\u0f71-\u0f84\u102b-\u103e"
)
_WORDS = re.compile(rf"(?:[^\W_]|[{_VOWELS}\u1056-\u109d\u17b4-\u17d3\u3099\u309a])+")
_DIGITS = re.compile(r"(?<![\w\-/.@#])\+?\(?[0-9](?:[ ()./\-]{0,3}[0-9]){6,17}(?![\w])")


def fold(text: str) -> str:
    """The text in search's spelling; folding it again changes nothing."""
    if text.isascii():
        return text.lower()
    # Twice: casefold may bring forth what decomposes, and what decomposes may have case.
    text = unicodedata.normalize("NFKD", unicodedata.normalize("NFKD", text).casefold())
    return text.translate(_FOLDED)


def words(folded: str) -> list[str]:
    """The words of a folded text, in order."""
    return [word[:WORD] for word in _WORDS.findall(folded)]


def chunks(folded: str) -> Iterator[list[str]]:
    """The words of a folded text, those together that nothing but punctuation parts: `kv-2024/117` is one chunk."""
    for chunk in folded.split():
        if chunk.isalnum():
            yield [chunk[:WORD]]
        elif parts := _WORDS.findall(chunk):
            yield [part[:WORD] for part in parts]


def joined(parts: list[str]) -> Iterator[str]:
    """What a chunk of several words is when written without punctuation, from each of its words on."""
    for first in range(min(len(parts) - 1, PARTS)):
        yield "".join(parts[first:])[:WORD]


def phones(folded: str) -> Iterator[tuple[str, int, int]]:
    """Runs of digits that may be a telephone number however it is written: the digits, where they begin and end."""
    if sum(map(str.isdigit, folded)) < PHONE[0]:
        return
    for found in _DIGITS.finditer(folded):
        digits = "".join(filter(str.isdigit, found.group()))
        if PHONE[0] <= len(digits) <= PHONE[1]:
            yield digits, found.start(), found.end()


def spellings(digits: str) -> set[str]:
    """How else a telephone number may begin: without zeros before it, and without its country."""
    national = digits.lstrip("0")
    return {one for one in (digits, national, digits[-SAME_PHONE:]) if len(one) >= PHONE[0]}


def of_text(text: str) -> set[str]:
    """What a text is found by: its words, its chunks joined, its telephone numbers by their digits."""
    found: set[str] = set()
    for line in fold(text).splitlines():
        for parts in chunks(line):
            found.update(parts)
            if len(parts) > 1:
                found.update(joined(parts))
        for digits, _start, _end in phones(line):
            found |= spellings(digits)
    return found


def inside(found: Iterable[str]) -> set[str]:
    """The ends of words, so that looking for a beginning finds what stands inside a word as well."""
    return {word[start:] for word in found for start in range(1, len(word) - SHORTEST + 1)}


def beginnings(found: Collection[str]) -> set[str]:
    """The first letter and the first two of each word: what a query of one or two letters looks up."""
    return {word[:1] for word in found} | {word[:2] for word in found}
