"""What is away is said, waited for and made up for; what is hostile or huge stops nobody."""

import hashlib
import os
import re
import smtplib
import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import datetime, timedelta
from email.message import EmailMessage
from itertools import count
from typing import Any

import psutil
import pytest
import requests

from config import supervision
from tests.accidents import house as houses
from tests.accidents import sink as customers_server
from tests.accidents.hostile import MAILS
from tests.accidents.house import PASSWORD, SANA, SUPPORT, Desk, House, furnish
from tests.accidents.person import Person
from tests.accidents.sink import Sink
from tests.instance import until

pytestmark = [pytest.mark.servers, pytest.mark.xdist_group("accidents")]
MEGABYTE = 1024 * 1024
UNREADABLE = re.compile(r"(Support: 1 messages? could not be read; (they are|it is) kept\.)?")
numbers = count(1)


@dataclass
class Shop:
    """A running Rabta, its customers' mail server, and Sana in front of the screen."""

    house: House
    sink: Sink
    desk: Desk
    sana: Person

    def api(self, path: str) -> requests.Response:
        headers = {"Authorization": f"Bearer {self.desk.token}"}
        return requests.get(f"{self.house.url}/api/v1/{path}", headers=headers, timeout=30)

    def send(self, raw: bytes, sender: str = "ayesha@customers.example") -> None:
        with smtplib.SMTP("127.0.0.1", self.house.smtp_port, timeout=60) as smtp:
            smtp.sendmail(sender, [SUPPORT], raw)

    def question(self, subject: str) -> int:
        """A new ticket by mail; its number."""
        self.send(mail(subject))
        until(lambda: self.ticket(subject), f"the mail about {subject} is a ticket", seconds=30)
        return int(self.ticket(subject)["number"])

    def ticket(self, subject: str) -> dict[str, Any]:
        rows = self.house.rows("SELECT * FROM inbox_ticket WHERE subject = %s", subject)
        return rows[0] if rows else {}

    def state(self, text: str) -> list[str]:
        rows = self.house.rows("SELECT state FROM inbox_message WHERE direction = 'out' AND text = %s", text)
        return [row["state"] for row in rows]

    def arrived(self, text: str) -> int:
        return sum(text.encode() in arrival.raw for arrival in self.sink.arrivals)

    def stop(self, name: str) -> None:
        supervision.call(self.house.data_dir, "stopProcess", f"servers:{name}")

    def start(self, name: str) -> None:
        supervision.call(self.house.data_dir, "startProcess", f"servers:{name}")


def mail(subject: str, text: str = "Where is it?", **headers: str) -> bytes:
    made = EmailMessage()
    made["From"], made["To"], made["Subject"] = "Ayesha <ayesha@customers.example>", SUPPORT, subject
    made["Message-ID"] = f"<away-{next(numbers)}@customers.example>"
    for name, value in headers.items():
        made[name.replace("_", "-")] = value
    made.set_content(text)
    return made.as_bytes(policy=made.policy.clone(linesep="\r\n"))


@pytest.fixture(scope="module")
def shop() -> Iterator[Shop]:
    with customers_server.running() as sink, houses.running() as house:
        desk = furnish(house, sink)
        yield Shop(house, sink, desk, Person(house.url, SANA, PASSWORD))


@pytest.fixture(autouse=True)
def all_is_well(shop: Shop) -> Iterator[None]:
    """Each test leaves a Rabta that has nothing to complain of, but what was kept because nobody can read it."""
    yield
    until(lambda: requests.get(f"{shop.house.url}/readyz", timeout=10).status_code == 200, "it is ready", seconds=30)
    until(lambda: UNREADABLE.fullmatch(shop.sana.problems()), "the main screen has nothing to say", seconds=30)


def smtp_answer(shop: Shop) -> int:
    """What the receiver says to a mail: the code of its first refusal, or 250."""
    try:
        shop.send(mail("Is anybody there?"))
    except smtplib.SMTPRecipientsRefused as refused:
        return next(iter(refused.recipients.values()))[0]
    except smtplib.SMTPResponseException as refused:
        return refused.smtp_code
    return 250


def test_without_the_store_mail_is_asked_to_come_back_and_pages_say_when(shop: Shop) -> None:
    before = shop.house.programs()
    ticket = shop.question("Before the flood")
    shop.stop("postgres")
    try:
        assert 400 <= smtp_answer(shop) < 500
        began = time.monotonic()
        with ThreadPoolExecutor(8) as pool:  # each waits some seconds for the database
            pages = [pool.submit(shop.sana.get, path) for path in ("/", f"/tickets/{ticket}/", "/problems/")]
            clicked = pool.submit(shop.sana.answer, ticket, "During the flood", "flood-1")
            listed = pool.submit(shop.api, "tickets/").result()
        for answer in [*pages, clicked]:
            page = answer.result()
            assert (page.status_code, page.headers.get("Retry-After")) == (503, "5"), f"{page.url}: {page.text[:500]}"
        assert (listed.status_code, listed.headers.get("Retry-After")) == (503, "5")
        assert listed.headers["Content-Type"] == "application/problem+json"
        assert time.monotonic() - began < 12, "nobody waits long for a page that cannot be shown"
        ready = requests.get(f"{shop.house.url}/readyz", timeout=10)
        assert ready.status_code == 503
        assert ready.json()["checks"]["database"] == {"ok": False}
        assert requests.get(f"{shop.house.url}/healthz", timeout=10).status_code == 200
    finally:
        shop.start("postgres")
    until(lambda: smtp_answer(shop) == 250, "mail is taken again")
    until(lambda: shop.sana.get("/").status_code == 200, "pages are there again", seconds=10)
    assert shop.sana.answer(ticket, "After the flood", "flood-1").status_code == 200
    until(lambda: shop.state("After the flood") == ["sent"], "the reply leaves", seconds=30)
    after = shop.house.programs()
    assert {name: after[name] for name in ("web", "mail", "worker", "beat")} == {
        name: before[name] for name in ("web", "mail", "worker", "beat")
    }, "nothing but the database was started again"


def test_without_redis_a_reply_is_taken_once_and_leaves_later(shop: Shop) -> None:
    ticket = shop.question("Silence")
    shop.stop("redis")
    try:
        for _click in range(2):
            began = time.monotonic()
            assert shop.sana.answer(ticket, "Into the silence", "click-1").status_code == 200
            assert time.monotonic() - began < 5, "a click must not wait for Redis"
        assert shop.state("Into the silence") == ["queued"]
        assert "Redis is away" in shop.sana.problems()
        assert 'hx-get="/problems/"' in shop.sana.get("/").text  # where the main screen asks
        assert requests.get(f"{shop.house.url}/readyz", timeout=10).json()["checks"]["redis"] == {"ok": False}
        shop.send(mail("Mail into the silence"))
    finally:
        shop.start("redis")
    until(lambda: shop.state("Into the silence") == ["sent"], "the sweep finds the reply", seconds=45)
    until(lambda: shop.ticket("Mail into the silence"), "and the mail", seconds=30)
    assert shop.arrived("Into the silence") == 1


def test_without_the_customers_server_replies_wait_in_order(shop: Shop) -> None:
    ticket = shop.question("Closed doors")
    shop.sink.call("close")
    texts = [f"Knock {number}" for number in range(4)]
    waits: dict[int, datetime] = {}

    def tried(times: int) -> bool:
        row = shop.house.rows("SELECT out_failures, next_send_at FROM inbox_channel")[0]
        waits[row["out_failures"]] = row["next_send_at"]
        return bool(row["out_failures"] >= times)

    try:
        for text in texts:
            assert shop.sana.answer(ticket, text, text).status_code == 200
            tried(0)
        until(lambda: tried(2), "it is tried again and again", seconds=40)
        assert waits[2] - waits[1] > timedelta(seconds=3), "with longer waits"
        assert "replies cannot be sent, and are kept" in shop.sana.problems()
        rows = shop.house.rows("SELECT state, attempts FROM inbox_message WHERE text LIKE 'Knock%'")
        assert {row["state"] for row in rows} <= {"queued", "sending"}
    finally:
        shop.sink.call("open")
    until(lambda: all(shop.state(text) == ["sent"] for text in texts), "all leave", seconds=60)
    came = [text for arrival in shop.sink.arrivals for text in texts if text.encode() in arrival.raw]
    assert came == texts


def test_the_hostile_block_nobody(shop: Shop) -> None:
    before = shop.house.value("SELECT coalesce(max(id), 0) FROM inbox_receipt")
    for name, raw in MAILS.items():
        try:
            shop.send(raw, "mallory@customers.example")
        except smtplib.SMTPResponseException as refused:
            assert refused.smtp_code >= 500, f"{name}: {refused}"
    shop.send(mail("Behind the hostile"))
    until(lambda: shop.ticket("Behind the hostile"), "an honest mail behind them is a ticket", seconds=60)
    until(
        lambda: shop.house.value("SELECT count(*) FROM inbox_receipt WHERE state = 'new'") == 0,
        "all receipts are settled",
        seconds=60,
    )
    rows = shop.house.rows("SELECT state, reason, attempts FROM inbox_receipt WHERE id > %s", before)
    assert len(rows) > len(MAILS) * 0.9
    assert max(row["attempts"] for row in rows) == 1, "none stopped a worker"
    failed = [row["reason"] for row in rows if row["state"] == "failed"]
    assert failed == ["Unparsable: the message is empty"]
    shown = shop.house.rows("SELECT html FROM inbox_message WHERE html <> ''")
    assert not [row for row in shown if "<script" in row["html"] or "onerror" in row["html"]]
    listed = shop.sana.get("/")
    assert listed.status_code == 200
    assert "<script>alert" not in listed.text


def test_thirty_megabytes_take_bounded_memory(shop: Shop) -> None:
    content = os.urandom(22 * MEGABYTE)  # 30 MB as base64
    made = EmailMessage()
    made["From"], made["To"], made["Subject"] = "ayesha@customers.example", SUPPORT, "My holiday"
    made.set_content("See all of it.")
    made.add_attachment(content, "video", "mp4", filename="holiday.mp4")
    programs = shop.house.programs()
    watched = {"mail": [programs["mail"]], "worker": [programs["worker"], *programs["worker"].children()]}
    peaks = dict.fromkeys(watched, 0)
    before = {name: most(processes) for name, processes in watched.items()}
    ended = threading.Event()

    def watch() -> None:
        while not ended.wait(0.02):
            for name, processes in watched.items():
                peaks[name] = max(peaks[name], most(processes))

    watcher = threading.Thread(target=watch)
    watcher.start()
    try:
        senders = []
        for number in range(4):
            made.replace_header("Subject", f"My holiday {number}")
            raw = made.as_bytes(policy=made.policy.clone(linesep="\r\n"))
            assert len(raw) > 30 * 1000 * 1000
            senders.append(threading.Thread(target=shop.send, args=[raw]))
        for sender in senders:
            sender.start()
        for sender in senders:
            sender.join(60)
        for number in range(4):
            until(lambda number=number: shop.ticket(f"My holiday {number}"), "it is a ticket", seconds=60)
    finally:
        ended.set()
        watcher.join()
    grown = {name: (peaks[name] - before[name]) / MEGABYTE for name in peaks}
    # The receiver collects four mails line by line and copies each once; a worker has one in its hands.
    assert grown["mail"] < 4 * 4 * 31, grown
    assert grown["worker"] < 8 * 31, grown
    messages = shop.api(f"tickets/{shop.ticket('My holiday 0')['number']}/messages/").json()["results"]
    file = messages[0]["attachments"][0]
    headers = {"Authorization": f"Bearer {shop.desk.token}"}
    there = requests.get(file["url"], headers=headers, timeout=30).content
    assert hashlib.sha256(there).digest() == hashlib.sha256(content).digest()


def most(processes: list[psutil.Process]) -> int:
    """The memory of the largest of these processes, in bytes."""
    return max(process.memory_info().rss for process in processes)
