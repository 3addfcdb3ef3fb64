"""What a person newly wrote: the text without the quoted mail and the signature.

Nothing is lost by it, the whole stays in `text`; so this leans to hiding what looks like history, keeps quotations that
are answered line by line, keeps what is forwarded (it is what the customer wants to show), and never returns nothing.
"""

from __future__ import annotations

import re

from channels_email.mime import quotes
from lib import html as markup

MAX_LINES = 4000  # beyond these a mail is not looked through; what is written now stands at the top
_LONGEST_LINE = 400  # characters: headers and rules are shorter, and no pattern has to look at more
_LONGEST_SIGNATURE = 25  # lines
_QUOTED = re.compile(r"^[ \t\u200e\u200f]{0,3}(?:>|\uff1e|&gt;)")
_BARS = re.compile(r"^[ \t]{0,3}\|")
_TRAILING_RULE = re.compile(r"^[\s>*]{0,10}[-_=*—]{2,}\s*$")
_GLUED_HEADER = re.compile(
    r"(?m)^(.{0,500}?[^\s>*-])(?:[ \t]*-{2,}[ \t]*|[ \t]+)(On (?:Mon|Tue|Wed|Thu|Fri|Sat|Sun|Jan|Feb|Mar|Apr"
    r"|May|Jun|Jul|Aug|Sep|Oct|Nov|Dec|\d)[^\n]{8,200} wrote:)[ \t]*$"
)
_FENCE = re.compile(r"^[ \t]*```")
_QUOTE_ELEMENTS = markup.QUOTE_MARKS - {
    "gmail_extra",
    "gmail_attr",
    "divrplyfwdmsg",
    "appendonsend",
    "outlookmessageheader",
}
_REST = frozenset(
    {
        "divrplyfwdmsg",
        "appendonsend",
        "outlookmessageheader",
        "ms-outlook-mobile-reference-message",
        "mail-editor-reference-message-container",
        "stopspelling",
    }
)
_FORWARD_NEAR = re.compile(
    r"-{3,}\s*(?:Forwarded|Weitergeleitet|Message transf|Mensaje reenv|Mensagem encam|Messaggio inol"
    r"|Doorgest|Vidarebef|Пересл|转发|轉寄)|Begin forwarded",
    re.I,
)
_SAFE_TAG = re.compile(r"<[^>]*>")


def visible_reply(text: str, html: str, *, prefer_html: bool) -> str:
    """The new part of a mail. `html` is cleaned HTML; `prefer_html` says that `text` was made from it."""
    if not text.strip():
        return ""
    if prefer_html and _has_marks(html):
        return _from_html(html, text)
    found = strip_text(text)
    if html and len(found) > 0.9 * len(text) and _has_marks(html):
        other = _from_html(html, text)
        if other and len(other) < 0.9 * len(found):
            return other
    return found


def _has_marks(html: str) -> bool:
    """Whether the HTML sets anything apart as a quotation or a signature; of classes, `clean` keeps only such marks."""
    return ' class="' in html or ' id="' in html or ' type="cite' in html.lower()


def _from_html(html: str, text: str) -> str:
    kept = strip_text(markup.to_text(html, skip=_skip))
    return kept if kept else text.strip()


def _skip(tag: str, marks: frozenset[str], attributes: str, following: str) -> str:
    if marks & markup.SIGNATURE_MARKS:
        return "element"
    if marks & _REST:
        return "rest"
    if marks & _QUOTE_ELEMENTS or (tag == "blockquote" and 'type="cite"' in attributes.lower()):
        return "" if _FORWARD_NEAR.search(_SAFE_TAG.sub("", following)) else "element"
    return ""


def strip_text(text: str) -> str:
    """Plain text without quotations and signature; the whole where nothing else would be left."""
    if " wrote:" in text:
        text = _GLUED_HEADER.sub(r"\1\n\2", text[:200_000]) + text[200_000:]
    lines = text.split("\n")
    rest = lines[MAX_LINES:]
    lines = lines[:MAX_LINES]
    quoted = [bool(_QUOTED.match(line)) for line in lines]
    end, drop = _scan(lines, quoted)
    kept = [(line, quoted[index]) for index, line in enumerate(lines[:end]) if index not in drop]
    if end == len(lines):
        kept += [(line, line.startswith(">")) for line in rest]
    _trim(kept)
    result = "\n".join(line for line, _ in kept).strip()
    return result or text.strip()


def _scan(lines: list[str], quoted: list[bool]) -> tuple[int, set[int]]:
    """(where the history begins, lines before it that are to be left out)."""
    drop: set[int] = set()
    fenced = False
    index, count = 0, len(lines)
    while index < count:
        line = lines[index]
        bare = line.strip()
        if not bare or quoted[index] or len(bare) > _LONGEST_LINE:
            index += 1
            continue
        if _FENCE.match(line):
            fenced = not fenced
        if fenced:
            index += 1
            continue
        if quotes.is_forward(bare):
            return count, drop
        if quotes.is_separator(bare) or quotes.REPLY_ABOVE.match(bare):
            return (index, drop) if _anything(lines, quoted, index, drop) or index + 1 >= count else (count, drop)
        if _is_block(lines, index):
            top = _above(lines, index)
            return (top, drop) if _anything(lines, quoted, top, drop) else (count, drop)
        if _may_be_header(lines, quoted, index, bare):
            start = _header_start(lines, quoted, index, drop)
            if start is not None:
                if not _followed_by_quote(lines, quoted, index):
                    if _anything(lines, quoted, start, drop):
                        return start, drop
                    drop.update(range(start, index + 1))
                    index += 1
                    continue
                drop.update(range(start, index + 1))
                index = _after_quote(lines, quoted, index + 1, drop)
                continue
        if quotes.SIGNATURE.match(line.rstrip("\r")) and _ends_here(lines, quoted, index):
            if _anything(lines, quoted, index, drop):
                return index, drop
        if index and quotes.is_device_line(bare):
            if "outlook" in bare.lower() and _anything(lines, quoted, index, drop):
                return index, drop  # it writes its line between the answer and the history
            drop.add(index)
        index += 1
    return count, drop


def _may_be_header(lines: list[str], quoted: list[bool], index: int, bare: str) -> bool:
    if quotes.ends_like_header(bare):
        return True
    return (
        bare[0].isdigit()
        and "GMT" in bare
        or (">" in bare or bare[0].isdigit())
        and _followed_by_quote(lines, quoted, index)
    )


def _anything(lines: list[str], quoted: list[bool], end: int, drop: set[int]) -> bool:
    return any(lines[at].strip() and not quoted[at] and at not in drop for at in range(end))


def _is_block(lines: list[str], index: int) -> bool:
    """Whether "From: … Sent: … To: … Subject: …" begins here."""
    kind, value = quotes.label(lines[index])
    if kind not in ("from", "date", "subject", "to"):
        return False
    seen = {kind}
    mailed = "@" in value
    misses = 0
    for line in lines[index + 1 : index + 12]:
        if not line.strip():
            misses += 1
            if misses > 2:
                break
            continue
        found, value = quotes.label(line)
        if not found:
            misses += 1
            if misses > 3:
                break
            continue
        mailed = mailed or (found == "from" and "@" in value)
        seen.add(found)
        if "from" in seen and (len(seen) >= 3 or (len(seen) == 2 and mailed and seen & {"date", "subject"})):
            return True
    above = next((line.strip() for line in reversed(lines[max(0, index - 2) : index]) if line.strip()), "")
    return "from" in seen and len(seen) >= 2 and bool(quotes.RULE.match(above[:_LONGEST_LINE]))


def _above(lines: list[str], index: int) -> int:
    """Where the rule or the blank lines over a header block begin."""
    at = index
    while at and (not lines[at - 1].strip() or _is_rule(lines[at - 1])):
        at -= 1
    return at


def _is_rule(line: str) -> bool:
    return len(line) <= _LONGEST_LINE and bool(quotes.RULE.match(line) or quotes.is_separator(line.strip()))


def _header_start(lines: list[str], quoted: list[bool], index: int, drop: set[int]) -> int | None:
    """The first line of an "On … wrote:" that ends at `index`, or None where there is none."""
    after = _followed_by_quote(lines, quoted, index)
    block = ""
    nearest: int | None = None
    for at in range(index, max(-1, index - 6), -1):
        piece = lines[at].strip()
        if not piece or quoted[at] or at in drop:
            break
        if at != index and piece.endswith((":", ".", "!", "?")) and not piece[-3:].count(".") and len(piece) > 60:
            break
        block = piece + " " + block if block else piece
        strength = quotes.is_wrote_header(block, quoted_after=after)
        if strength == 2:
            return at
        if strength == 1 and nearest is None:
            nearest = at
    return nearest


def _followed_by_quote(lines: list[str], quoted: list[bool], index: int) -> bool:
    for at in range(index + 1, min(index + 4, len(lines))):
        if lines[at].strip():
            return quoted[at] or bool(_BARS.match(lines[at]))
    return False


def _after_quote(lines: list[str], quoted: list[bool], at: int, drop: set[int]) -> int:
    """Past the quotation that begins at `at`. It is left out, unless the author goes on to answer it piece by piece."""
    start = at
    while at < len(lines) and (quoted[at] or not lines[at].strip() or _BARS.match(lines[at])):
        at += 1
    drop.update(range(start, at))
    return at


def _ends_here(lines: list[str], quoted: list[bool], index: int) -> bool:
    """Whether what follows a "-- " is short enough for a signature, up to the quotation or the end."""
    size = 0
    for at in range(index + 1, len(lines)):
        bare = lines[at].strip()[:_LONGEST_LINE]
        if not bare:
            continue
        if (
            quoted[at]
            or quotes.is_separator(bare)
            or quotes.label(bare)[0] == "from"
            or (quotes.ends_like_header(bare) and quotes.WROTE.search(bare))
        ):
            return True
        size += 1
        if size > _LONGEST_SIGNATURE:
            return False
    return True


def _trim(kept: list[tuple[str, bool]]) -> None:
    """Take quotations, rules and blank lines off the end; those in the middle are being answered and stay."""
    had_text = any(line.strip() and not is_quote for line, is_quote in kept)
    while (
        kept
        and had_text
        and (kept[-1][1] or not kept[-1][0].strip() or _TRAILING_RULE.match(kept[-1][0][:_LONGEST_LINE]))
    ):
        kept.pop()
