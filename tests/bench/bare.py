"""The bare loop that ingestion is measured against: the standard library's parser, plain psycopg, nothing else.

    python -m tests.bench.bare FOLDER

Each mail is parsed with `policy.default` and becomes rows of customer, ticket, message and attachment in a transaction
of its own; files go to disk. It stores no receipts, knows no participants, cleans no HTML, finds no language, writes no
events and tells nobody.
"""

from __future__ import annotations

import hashlib
import json
import os
import re
import sys
import time
from dataclasses import dataclass, field
from datetime import datetime
from email import policy
from email.parser import BytesParser
from email.utils import parseaddr, parsedate_to_datetime
from pathlib import Path
from typing import cast

import psycopg

SCHEMA = """
CREATE TABLE customer (
    id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY, address text NOT NULL UNIQUE, name text NOT NULL);
CREATE TABLE ticket (
    id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY, customer_id bigint NOT NULL REFERENCES customer,
    subject text NOT NULL, status text NOT NULL DEFAULT 'open', created_at timestamptz NOT NULL,
    updated_at timestamptz NOT NULL);
CREATE INDEX ON ticket (status, updated_at);
CREATE TABLE message (
    id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY, ticket_id bigint NOT NULL REFERENCES ticket,
    customer_id bigint NOT NULL REFERENCES customer, message_id text NOT NULL UNIQUE, in_reply_to text NOT NULL,
    written_at timestamptz NOT NULL, subject text NOT NULL, body text NOT NULL, html text NOT NULL);
CREATE INDEX ON message (ticket_id);
CREATE TABLE attachment (
    id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY, message_id bigint NOT NULL REFERENCES message,
    name text NOT NULL, content_type text NOT NULL, size integer NOT NULL, digest text NOT NULL);
CREATE INDEX ON attachment (message_id);
"""
IDS = re.compile(r"<[^<>\s]+>")


@dataclass
class Read:
    name: str
    address: str
    message_id: str
    references: list[str]
    written_at: datetime
    subject: str
    body: str = ""
    html: str = ""
    files: list[tuple[str, str, bytes]] = field(default_factory=list)


def parse(raw: bytes) -> Read:
    """What everybody writes first: the modern policy, walk, get_payload."""
    mail = BytesParser(policy=policy.default).parsebytes(raw)
    name, address = parseaddr(str(mail["From"]))
    references = IDS.findall(f"{mail['In-Reply-To'] or ''} {mail['References'] or ''}")
    written_at = parsedate_to_datetime(str(mail["Date"]))
    found = Read(name, address, str(mail["Message-ID"]).strip(), references, written_at, str(mail["Subject"] or ""))
    for part in mail.walk():
        if part.is_multipart():
            continue
        kind, file_name = part.get_content_type(), part.get_filename()
        content = cast(bytes, part.get_payload(decode=True) or b"")
        if file_name or kind not in {"text/plain", "text/html"}:
            found.files.append((file_name or "file", kind, content))
            continue
        text = content.decode(part.get_content_charset() or "utf-8", "replace").replace("\0", "")
        if kind == "text/html":
            found.html = found.html or text
        else:
            found.body = found.body or text
    return found


def insert(connection: psycopg.Connection, mail: Read, media: Path) -> None:
    with connection.transaction():
        (customer,) = connection.execute(
            "INSERT INTO customer (address, name) VALUES (%s, %s)"
            " ON CONFLICT (address) DO UPDATE SET name = excluded.name RETURNING id",
            [mail.address, mail.name],
        ).fetchone() or [0]
        row = None
        if mail.references:
            row = connection.execute(
                "SELECT ticket_id FROM message WHERE message_id = ANY(%s) LIMIT 1", [mail.references]
            ).fetchone()
        if row:
            connection.execute(
                "UPDATE ticket SET updated_at = %s, status = 'open' WHERE id = %s", [mail.written_at, row[0]]
            )
        else:
            row = connection.execute(
                "INSERT INTO ticket (customer_id, subject, created_at, updated_at)"
                " VALUES (%s, %s, %s, %s) RETURNING id",
                [customer, mail.subject, mail.written_at, mail.written_at],
            ).fetchone() or (0,)
        reference = mail.references[0] if mail.references else ""
        (message,) = connection.execute(
            "INSERT INTO message (ticket_id, customer_id, message_id, in_reply_to, written_at, subject, body, html)"
            " VALUES (%s, %s, %s, %s, %s, %s, %s, %s) RETURNING id",
            [row[0], customer, mail.message_id, reference, mail.written_at, mail.subject, mail.body, mail.html],
        ).fetchone() or [0]
        for name, kind, content in mail.files:
            digest = hashlib.sha256(content).hexdigest()
            (media / digest).write_bytes(content)
            connection.execute(
                "INSERT INTO attachment (message_id, name, content_type, size, digest) VALUES (%s, %s, %s, %s, %s)",
                [message, name, kind, len(content), digest],
            )


def main() -> None:
    folder, media = Path(sys.argv[1]), Path(os.environ["DATA_DIR"]) / "bare-media"
    media.mkdir(exist_ok=True)
    with psycopg.connect(os.environ["DATABASE_URL"], autocommit=True) as connection:
        connection.execute(SCHEMA)
        started, used, count = time.perf_counter(), time.process_time(), 0
        for path in sorted(folder.glob("*.eml")):
            insert(connection, parse(path.read_bytes()), media)
            count += 1
        seconds, cpu = time.perf_counter() - started, time.process_time() - used
    print(json.dumps({"mails": count, "seconds": seconds, "cpu": cpu}))


if __name__ == "__main__":
    main()
