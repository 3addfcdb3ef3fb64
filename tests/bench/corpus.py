"""Support mail as it comes in real life, from one seed: the same arguments always give the same bytes.

    python -m tests.bench.corpus --mails 2000 --seed 1 FOLDER

Eight languages in their old charsets and UTF-8, answers with References and quotes, HTML beside or instead of text,
attachments, inline images, out-of-office replies and newsletters. With every mail comes what a reader must find in it.
"""

from __future__ import annotations

import argparse
import base64
import hashlib
import itertools
import quopri
import random
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta, timezone
from email.header import Header
from email.utils import format_datetime
from html import escape
from pathlib import Path
from urllib.parse import quote

from tests.bench.languages import LANGUAGES, Language

SUPPORT = "support@desk.example"
START = datetime(2025, 3, 3, 8, 0, tzinfo=UTC)
MAILERS = ("Microsoft Outlook 16.0", "Apple Mail (2.3774.600)", "Mozilla Thunderbird", "iPhone Mail (22F76)", "")
KINDS = (
    ("application/pdf", "pdf", b"%PDF-1.7\n"),
    ("image/png", "png", b"\x89PNG\r\n\x1a\n"),
    ("image/jpeg", "jpg", b"\xff\xd8\xff\xe0\x00\x10JFIF\x00"),
    ("application/zip", "zip", b"PK\x03\x04"),
    ("text/csv", "csv", b"id;name;amount\n"),
)
SHARE_REPLIES, SHARE_AUTOMATIC, SHARE_LISTS = 0.40, 0.01, 0.01
SHARE_FILES, SHARE_INLINE, SHARE_8BIT = 0.10, 0.03, 0.05


@dataclass(frozen=True)
class Writer:
    """A customer with habits: what language, program and kind of mail they write."""

    name: str
    address: str
    domain: str
    language: Language
    zone: timezone
    mailer: str
    shape: str  # plain, alternative or html


@dataclass
class Thread:
    root: str
    subject: str
    writers: list[Writer]  # who wrote to it or stood in its Cc: only they answer
    ids: list[str]
    lines: list[str]  # of the latest mail, for quoting


@dataclass(frozen=True)
class Mail:
    """The bytes with LF line ends, and what must be read from them. `thread` is the Message-ID of its first mail."""

    raw: bytes
    message_id: str
    thread: str
    sender: str
    subject: str
    phrase: str  # stands in the text, in the writer's script
    kind: str  # message, auto_reply or list
    files: tuple[str, ...] = ()  # SHA-256 of each attachment


@dataclass
class Corpus:
    """Iterate to get `mails` mails. `people` write, a few of them most of the time."""

    mails: int = 2000
    seed: int = 1
    people: int = 500
    made: int = field(default=0, init=False)

    def __post_init__(self) -> None:
        self.random = random.Random(self.seed)
        self.now = START
        self.threads: list[Thread] = []
        self.writers = [self._writer(number) for number in range(self.people)]
        self.weights = list(itertools.accumulate(1 / (rank + 1) for rank in range(self.people)))

    def __iter__(self) -> Iterator[Mail]:
        for _number in range(self.mails):
            self.now += timedelta(seconds=self.random.expovariate(1 / 180))
            self.made += 1
            share = self.random.random()
            if len(self.threads) < 5 or share > SHARE_REPLIES + SHARE_AUTOMATIC + SHARE_LISTS:
                yield self._question()
            elif share < SHARE_REPLIES:
                yield self._answer()
            elif share < SHARE_REPLIES + SHARE_AUTOMATIC:
                yield self._out_of_office()
            else:
                yield self._newsletter()

    def _writer(self, number: int) -> Writer:
        pick = self.random
        language = pick.choices(LANGUAGES, [one.share for one in LANGUAGES])[0]
        domain = pick.choice(["mail.example", "post.example", f"company-{number % 40}.example"])
        return Writer(
            f"{pick.choice(language.given)} {pick.choice(language.family)}",
            f"writer{number:04d}@{domain}",
            domain,
            language,
            timezone(timedelta(hours=pick.choice([-8, -5, 0, 1, 3, 5, 8]))),
            pick.choice(MAILERS),
            pick.choices(["plain", "alternative", "html"], [45, 42, 13])[0],
        )

    def _somebody(self) -> Writer:
        return self.random.choices(self.writers, cum_weights=self.weights)[0]

    def _fill(self, text: str) -> str:
        pick = self.random
        return text.format(
            order=pick.randrange(100_000, 999_999), days=pick.randrange(2, 60), error=pick.randrange(400, 599),
            amount=f"{pick.randrange(5, 900)}.{pick.randrange(100):02d}",
        )  # fmt: skip

    def _id(self, domain: str) -> str:
        return f"{self.random.getrandbits(48):012x}.{self.random.getrandbits(32):08x}@{domain}"

    # The four kinds of mail ---------------------------------------------------------------------------------------

    def _question(self) -> Mail:
        writer = self._somebody()
        copied = [self._somebody()] if self.random.random() < 0.12 else []
        subject = self._fill(self.random.choice(writer.language.subjects))
        thread = Thread("", subject, [writer, *copied], [], [])
        mail = self._compose(writer, thread, subject, copied=copied)
        self.threads.append(thread)
        del self.threads[:-2000]
        return mail

    def _recent(self) -> Thread:
        return self.threads[-min(len(self.threads), 1 + int(self.random.expovariate(1 / 60)))]

    def _answer(self) -> Mail:
        thread = self._recent()
        writer = self.random.choice(thread.writers)
        subject = writer.language.reply + thread.subject
        return self._compose(writer, thread, subject, quoted=thread.lines[:30])

    def _out_of_office(self) -> Mail:
        thread = self._recent()
        writer = self.random.choice(thread.writers)
        extra = ["Auto-Submitted: auto-replied", "X-Auto-Response-Suppress: All"]
        return self._compose(writer, thread, f"Automatic reply: {thread.subject}", extra=extra, kind="auto_reply")

    def _newsletter(self) -> Mail:
        writer = self._somebody()
        subject = self._fill(self.random.choice(writer.language.subjects))
        extra = [
            f"List-Id: <news.{writer.domain}>",
            f"List-Unsubscribe: <mailto:leave@{writer.domain}>",
            "Precedence: bulk",
        ]
        return self._compose(writer, Thread("", subject, [], [], []), subject, extra=extra, kind="list")

    # One mail -----------------------------------------------------------------------------------------------------

    def _compose(
        self,
        writer: Writer,
        thread: Thread,
        subject: str,
        *,
        copied: list[Writer] | None = None,
        quoted: list[str] | None = None,
        extra: list[str] | None = None,
        kind: str = "message",
    ) -> Mail:
        parents, message_id = list(thread.ids), self._id(writer.domain)
        thread.ids.append(message_id)
        thread.root = thread.root or message_id
        paragraphs = self._paragraphs(writer)
        phrase = paragraphs[0]
        own = [writer.language.greeting, *paragraphs, writer.language.closing, writer.name]
        said = f"{self.now:%Y-%m-%d %H:%M}"
        quote_head = writer.language.wrote.format(date=said, who=thread.writers[0].name) if quoted else ""
        head, body, files, charset = self._body(writer, own, quote_head, quoted or [], plain=kind == "auto_reply")
        thread.lines = [*own, *(quoted or [])[:12]]
        lines = self._headers(writer, subject, message_id, charset, copied or [])
        lines += self._threading(parents) + (extra or [])
        raw = ("\n".join(lines) + "\n").encode() + head + b"\n" + body
        return Mail(raw, message_id, thread.root, writer.address, subject, phrase, kind, files)

    def _threading(self, parents: list[str]) -> list[str]:
        """In-Reply-To and References; now and then a program that sends only one of them."""
        if not parents:
            return []
        chance = self.random.random()
        lines = [f"In-Reply-To: <{parents[-1]}>"] if chance < 0.92 else []
        if chance > 0.08:
            lines.append("References: " + "\n ".join(f"<{one}>" for one in [*parents[:1], *parents[1:][-8:]]))
        return lines

    def _headers(self, writer: Writer, subject: str, message_id: str, charset: str, copied: list[Writer]) -> list[str]:
        pick = self.random
        stamp = format_datetime(self.now)
        signature = base64.b64encode(pick.randbytes(96)).decode()
        lines = [
            f"Return-Path: <{writer.address}>",
            f"Received: from mx.{writer.domain} (mx.{writer.domain} [192.0.2.{pick.randrange(1, 255)}])\n"
            f"\tby mail.desk.example (Postfix) with ESMTPS id {pick.getrandbits(40):010X}\n\tfor <{SUPPORT}>; {stamp}",
            f"Received: from [10.1.{pick.randrange(256)}.{pick.randrange(256)}] by mx.{writer.domain}; {stamp}",
            f"DKIM-Signature: v=1; a=rsa-sha256; c=relaxed/relaxed; d={writer.domain}; s=mail;\n"
            f"\th=from:to:subject:date:message-id; bh={signature[:43]}=;\n\tb={signature[43:]}",
            f"From: {encoded(writer.name, charset)} <{writer.address}>",
            f"To: Support <{SUPPORT}>",
        ]
        if copied:
            lines.append("Cc: " + ", ".join(f"{encoded(one.name, 'utf-8')} <{one.address}>" for one in copied))
        lines += [
            f"Subject: {encoded(subject, charset)}",
            f"Date: {format_datetime(self.now.astimezone(writer.zone))}",
            f"Message-ID: <{message_id}>",
            "MIME-Version: 1.0",
        ]
        return [*lines, f"X-Mailer: {writer.mailer}"] if writer.mailer else lines

    def _paragraphs(self, writer: Writer) -> list[str]:
        pick = self.random
        bank = writer.language.sentences
        count = min(9, 1 + int(pick.lognormvariate(0.4, 0.7)))
        found = [" ".join(self._fill(pick.choice(bank)) for _ in range(pick.randrange(1, 4))) for _ in range(count)]
        return [f"{found[0]} [{self.made:07d}]", *found[1:]]

    def _body(
        self, writer: Writer, own: list[str], quote_head: str, quoted: list[str], *, plain: bool
    ) -> tuple[bytes, bytes, tuple[str, ...], str]:
        """(header lines of the content, content, digests of its files, charset)."""
        pick = self.random
        text = "\n\n".join(own) + "\n"
        if quoted:
            text += f"\n{quote_head}\n" + "".join(f"> {line}\n" for line in quoted)
        page = page_of(writer, own, quote_head, quoted)
        charset = writer.language.charset if pick.random() < 0.5 else "utf-8"
        try:
            (text + page).encode(charset)
        except UnicodeError:
            charset = "utf-8"
        if charset == "us-ascii":
            way = "7bit"
        else:
            way = "8bit" if pick.random() < SHARE_8BIT else pick.choice(["quoted-printable", "base64"])
        shape = "plain" if plain else writer.shape
        image = None
        if shape != "plain" and pick.random() < SHARE_INLINE:
            image, content_id = self._image(writer)
            page = page.replace("</body>", f'<p><img src="cid:{content_id}" width="120" alt=""></p></body>')
        html = text_part(page, "html", charset, way)
        if image is not None:
            html = self._multipart("related", [html, image[:2]])
        if shape == "plain":
            head, body = text_part(text, "plain", charset, way)
        elif shape == "html":
            head, body = html
        else:
            head, body = self._multipart("alternative", [text_part(text, "plain", charset, way), html])
        digests = [image[2]] if image is not None else []
        if not plain and pick.random() < SHARE_FILES:
            parts = [(head, body)]
            for _ in range(pick.choice([1, 1, 1, 2])):
                part = self._file(writer)
                parts.append(part[:2])
                digests.append(part[2])
            head, body = self._multipart("mixed", parts)
        return head, body, tuple(digests), "utf-8" if charset == "us-ascii" else charset

    def _multipart(self, subtype: str, parts: list[tuple[bytes, bytes]]) -> tuple[bytes, bytes]:
        boundary = f"----=_Part_{self.random.getrandbits(96):024x}"
        mark = b"--" + boundary.encode()
        body = b"".join(mark + b"\n" + head + b"\n" + content for head, content in parts) + mark + b"--\n"
        return f'Content-Type: multipart/{subtype};\n boundary="{boundary}"\n'.encode(), body

    def _image(self, writer: Writer) -> tuple[tuple[bytes, bytes, str], str]:
        content = KINDS[1][2] + self.random.randbytes(self.random.randrange(2_000, 30_000))
        content_id = f"image{self.random.getrandbits(40):010x}@{writer.domain}"
        head = (
            'Content-Type: image/png; name="image001.png"\nContent-Transfer-Encoding: base64\n'
            f'Content-ID: <{content_id}>\nContent-Disposition: inline; filename="image001.png"\n'
        )
        return (head.encode(), base64.encodebytes(content), hashlib.sha256(content).hexdigest()), content_id

    def _file(self, writer: Writer) -> tuple[bytes, bytes, str]:
        pick = self.random
        content_type, ending, magic = pick.choice(KINDS)
        size = int(10_000 * 20 ** pick.random())
        content = magic + pick.randbytes(size)
        if ending == "csv":
            rows = (f"{row};article {pick.randrange(9999)};{pick.randrange(900)}.00\n" for row in range(size // 22))
            content = magic + "".join(rows).encode()
        name = f"{writer.language.file} {pick.randrange(1000)}.{ending}"
        if name.isascii():
            shown = f'attachment; filename="{name}"'
        elif pick.random() < 0.5:  # RFC 2231
            shown = f"attachment; filename*=utf-8''{quote(name)}"
        else:  # as Outlook writes it
            shown = f'attachment;\n filename="=?utf-8?B?{base64.b64encode(name.encode()).decode()}?="'
        head = f"Content-Type: {content_type}\nContent-Transfer-Encoding: base64\nContent-Disposition: {shown}\n"
        return head.encode(), base64.encodebytes(content), hashlib.sha256(content).hexdigest()


def encoded(text: str, charset: str) -> str:
    """Header text as RFC 2047 has it."""
    if text.isascii():
        return text
    try:
        text.encode(charset)
    except UnicodeError:
        charset = "utf-8"
    return Header(text, charset, maxlinelen=72).encode(linesep="\n")


def text_part(text: str, subtype: str, charset: str, way: str) -> tuple[bytes, bytes]:
    content = text.encode(charset)
    if way == "quoted-printable":
        content = quopri.encodestring(content)
    elif way == "base64":
        content = base64.encodebytes(content)
    head = f'Content-Type: text/{subtype}; charset="{charset}"\nContent-Transfer-Encoding: {way}\n'
    return head.encode(), content if content.endswith(b"\n") else content + b"\n"


def page_of(writer: Writer, own: list[str], quote_head: str, quoted: list[str]) -> str:
    """The HTML as mail programs write it: styles in the head, inline styles, the quote in a blockquote."""
    turned = ' dir="rtl"' if writer.language.right_to_left else ""
    styles = "<style>p.MsoNormal{margin:0 0 8pt;font:11pt Calibri}.x{color:#555}</style>" * (
        3 if "Outlook" in writer.mailer else 1
    )
    out = [f'<html><head><meta name="Generator" content="{writer.mailer}">{styles}</head><body{turned}>']
    out += [f'<p class="MsoNormal" style="font-size:11pt;color:#222">{escape(one)}</p>' for one in own]
    if quoted:
        lines = "<br>\n".join(escape(line) for line in quoted)
        out.append(
            f'<div class="gmail_quote"><div dir="ltr">{escape(quote_head)}</div>'
            '<blockquote style="margin:0 0 0 .8ex;border-left:1px solid #ccc;padding-left:1ex">'
            f"{lines}</blockquote></div>"
        )
    return "\n".join([*out, "</body></html>\n"])


def write(folder: Path, mails: int, seed: int) -> list[Mail]:
    """Put a corpus into `folder` as 000001.eml and so on; returns its mails without their bytes."""
    folder.mkdir(parents=True, exist_ok=True)
    facts = []
    for number, mail in enumerate(Corpus(mails, seed), 1):
        (folder / f"{number:06d}.eml").write_bytes(mail.raw)
        facts.append(Mail(b"", *[getattr(mail, name) for name in list(Mail.__dataclass_fields__)[1:]]))
    return facts


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--mails", type=int, default=2000)
    parser.add_argument("--seed", type=int, default=1)
    chosen = parser.parse_args()
    facts = write(chosen.folder, chosen.mails, chosen.seed)
    print(f"{len(facts)} mails in {len({fact.thread for fact in facts})} threads")


if __name__ == "__main__":
    main()
