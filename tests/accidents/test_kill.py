"""Whatever is killed while mail comes in and replies leave: nothing is lost, nothing is doubled, order is kept."""

import os
import threading
import time
from collections import Counter, defaultdict
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass
from typing import Any

import psutil
import psycopg
import pytest
import requests

from tests.accidents import house as houses
from tests.accidents import sink as customers_server
from tests.accidents.house import House, furnish
from tests.accidents.killer import FLUSH, KINDS, Killer
from tests.accidents.sink import Arrival, Sink
from tests.accidents.traffic import Agents, Crew, Customers, Progress, Reply, Thread
from tests.instance import until

pytestmark = [pytest.mark.servers, pytest.mark.timeout(400), pytest.mark.xdist_group("accidents")]

SEED = int(os.environ.get("KILL_SEED", "20261"))  # another one: another course of accidents
CUSTOMERS, THREADS, MAILS = 60, 80, 500
ANSWERED, ANSWERS_EACH = 40, 5
KILLS_EACH, FLUSHES = 3, 4
THANKS = "Thank you, we have your mail."  # a reader of the log sends it, once for each new ticket
QUIET_WITHIN = 60
# A send is in flight from the claim in the database until its outcome is committed: that much around what the sink saw.
SLACK = 1.0

WAITING = """
SELECT (SELECT count(*) FROM inbox_receipt WHERE state = 'new')
     + (SELECT count(*) FROM inbox_message WHERE state IN ('queued', 'sending'))
     + (SELECT count(*) FROM inbox_event e WHERE NOT EXISTS (
            SELECT 1 FROM inbox_cursor c WHERE (c.xid, c.event_id) >= (e.xid, e.id)))
"""


@dataclass
class Aftermath:
    """What is there when the dust has settled."""

    house: House
    sink: Sink
    killer: Killer
    customers: list[Customers]
    threads: list[Thread]
    replies: list[Reply]


class Numbers:
    """Ticket numbers by subject, asked of the API again and again by one thread."""

    def __init__(self, url: str, token: str) -> None:
        self.found: dict[str, int] = {}
        self.where = f"{url}/api/v1/tickets/?page_size=200"
        self.session = requests.Session()
        self.session.headers["Authorization"] = f"Bearer {token}"
        self.ended = threading.Event()

    def run(self) -> None:
        while not self.ended.wait(0.3) and len(self.found) < THREADS:
            try:
                answer = self.session.get(self.where, timeout=10)
            except requests.RequestException:
                continue
            assert answer.status_code in (200, 503), f"{answer.status_code}: {answer.text[:2000]}"
            if answer.status_code == 200:
                self.found.update({one["subject"]: one["number"] for one in answer.json()["results"]})


def threads_of_customers() -> list[Thread]:
    """80 matters of 60 customers, 500 mails."""
    each, more = divmod(MAILS, THREADS)
    return [
        Thread(number, f"c{number % CUSTOMERS}@customers.example", each + (number < more), f"Order R{number:03}")
        for number in range(THREADS)
    ]


@pytest.fixture(scope="module")
def aftermath() -> Iterator[Aftermath]:
    with customers_server.running(SEED) as sink, houses.running() as started:
        yield live_through_it(started, sink)


def live_through_it(house: House, sink: Sink) -> Aftermath:
    desk = furnish(house, sink, acknowledgement=THANKS)
    threads = threads_of_customers()
    numbers = Numbers(house.url, desk.token)
    progress = Progress(MAILS, ANSWERED * ANSWERS_EACH, sink)
    killer = Killer(house, progress.share, SEED, KILLS_EACH, FLUSHES)
    crew, writers, answerers = Crew(), 5, 4
    customers: list[Customers] = []
    for one in range(writers):
        mine = [thread for thread in threads if thread.number % CUSTOMERS % writers == one]
        customers.append(Customers(mine, house.smtp_port, progress, SEED + one))
        crew.start(customers[-1].run)
    replies: list[Reply] = []
    for one in range(answerers):
        mine = threads[one:ANSWERED:answerers]
        agents = Agents(house.url, desk.token, mine, ANSWERS_EACH, progress, numbers.found.get)
        replies += agents.replies
        crew.start(agents.run)
    finder = threading.Thread(target=numbers.run, daemon=True)
    finder.start()
    try:
        killer.run()
        crew.join(90)
        until_quiet(house)
    except BaseException:
        for name in ("web", "worker", "mail", "beat", "postgres", "redis"):
            print(f"--- {name}\n{house.log(name)}")
        raise
    finally:
        numbers.ended.set()
        finder.join(10)
    found = Aftermath(house, sink, killer, customers, threads, replies)
    print(summary(found))  # `pytest -rP` shows it
    return found


def summary(aftermath: Aftermath) -> str:
    """What it took, in one line."""
    copies = [len(found) for auto in (False, True) for found in aftermath.sink.by_id(automatic=auto).values()]
    posts = sum(reply.attempts for reply in aftermath.replies)
    attempts = sum(one.mailer.attempts for one in aftermath.customers)
    return (
        f"{len(aftermath.killer.kills)} accidents; {MAILS} mails in {attempts} attempts; "
        f"{len(aftermath.replies)} replies in {posts} posts; {sum(copies) - len(copies)} second copies of {len(copies)}"
    )


def until_quiet(house: House) -> None:
    """Nothing waits to be taken in, sent or read, twice in a row."""
    calm = 0

    def quiet() -> bool:
        nonlocal calm
        time.sleep(0.2)
        try:
            calm = calm + 1 if house.value(WAITING) == 0 else 0
        except psycopg.OperationalError:
            calm = 0
        return calm > 2

    until(quiet, "all receipts are taken in, all replies sent, all events read", seconds=QUIET_WITHIN)


def test_the_accidents_happened(aftermath: Aftermath) -> None:
    died = Counter(name for name, _moment in aftermath.killer.kills)
    assert died == {**dict.fromkeys(KINDS, KILLS_EACH), FLUSH: FLUSHES}
    first, last = aftermath.killer.kills[0][1], aftermath.killer.kills[-1][1]
    during = [one for one in aftermath.sink.arrivals if first < one.begun < last]
    assert len(during) > 50, "the replies did not leave while things died"


def test_every_mail_is_one_message_in_its_thread(aftermath: Aftermath) -> None:
    sent = {message_id: thread for thread in aftermath.threads for message_id in thread.sent}
    assert len(sent) == MAILS
    rows = aftermath.house.rows("SELECT external_id, ticket_id, thread_rule FROM inbox_message WHERE direction = 'in'")
    assert Counter(row["external_id"] for row in rows) == Counter(list(sent))
    tickets = defaultdict(set)
    for row in rows:
        tickets[sent[row["external_id"]].number].add(row["ticket_id"])
    torn = {number: found for number, found in tickets.items() if len(found) > 1}
    assert not torn
    assert len({ticket for found in tickets.values() for ticket in found}) == THREADS
    assert aftermath.house.value("SELECT count(*) FROM inbox_ticket") == THREADS
    assert aftermath.house.value("SELECT count(*) FROM inbox_customer") == CUSTOMERS


def test_every_receipt_is_done(aftermath: Aftermath) -> None:
    rows = aftermath.house.rows("SELECT state, reason, count(*) AS n FROM inbox_receipt GROUP BY 1, 2")
    assert [(row["state"], row["reason"], row["n"]) for row in rows] == [("done", "", MAILS)]


def test_every_reply_arrived_and_is_known_to_have(aftermath: Aftermath) -> None:
    replies = aftermath.replies
    assert len({reply.message_id for reply in replies}) == ANSWERED * ANSWERS_EACH
    rows = aftermath.house.rows(
        "SELECT id, external_id, text, kind, state, error FROM inbox_message WHERE direction = 'out'"
    )
    assert {(row["state"], row["error"]) for row in rows} == {("sent", "")}
    rows = [row for row in rows if row["kind"] == "message"]
    assert Counter(row["text"] for row in rows) == Counter(reply.text for reply in replies)
    assert {row["id"]: row["external_id"] for row in rows} == {reply.id: reply.message_id for reply in replies}
    arrived = aftermath.sink.by_id()
    assert set(arrived) == {reply.message_id for reply in replies}
    for reply in replies:
        for copy in arrived[reply.message_id]:
            assert copy.recipients == [reply.thread.customer]
            assert reply.text.encode() in copy.raw


def test_every_customer_is_thanked_once_for_each_ticket(aftermath: Aftermath) -> None:
    rows = aftermath.house.rows(
        "SELECT ticket_id, external_id FROM inbox_message WHERE direction = 'out' AND kind = 'auto_reply'"
    )
    assert len(rows) == len({row["ticket_id"] for row in rows}) == THREADS
    assert set(aftermath.sink.by_id(automatic=True)) == {row["external_id"] for row in rows}


def test_only_what_was_in_flight_at_a_kill_left_twice(aftermath: Aftermath) -> None:
    kills = [moment for name, moment in aftermath.killer.kills if name != FLUSH]
    arrived = aftermath.sink.by_id() | aftermath.sink.by_id(automatic=True)
    for message_id, copies in arrived.items():
        assert {copy.raw for copy in copies} == {copies[0].raw}, f"{message_id}: the second copy differs"
        for copy in copies[:-1]:  # for each that was repeated there is an accident
            assert any(copy.in_flight(moment, SLACK) for moment in kills), told(aftermath, copies)


def told(aftermath: Aftermath, copies: list[Arrival]) -> str:
    """When a mail came and what died about then, in seconds since the first accident."""
    zero = aftermath.killer.kills[0][1]
    came = [f"{one.begun - zero:.2f}-{(one.ended or 0) - zero:.2f}" for one in copies]
    return f"{copies[0].message_id} came at {came}; " + ", ".join(
        f"{name} {moment - zero:.2f}" for name, moment in aftermath.killer.kills
    )


def test_order_is_kept_within_each_ticket(aftermath: Aftermath) -> None:
    first_at = {message_id: copies[0].begun for message_id, copies in aftermath.sink.by_id().items()}
    threads = defaultdict(list)
    for reply in sorted(aftermath.replies, key=lambda one: first_at[one.message_id]):
        threads[reply.thread.number].append(reply.number)
    assert dict(threads) == {number: list(range(ANSWERS_EACH)) for number in threads}


# What a ticket's row says, and what its messages and its log say.
COUNTED = """
SELECT t.number, t.delivery_failed,
       json_build_array(t.message_count, t.last_message_at, t.last_customer_message_at, t.first_replied_at,
                        t.last_direction, t.status, t.waiting_since IS NOT NULL) AS said,
       json_build_array(m.all, m.last, m.last_in, m.first_out, l.direction,
                        CASE e.kind WHEN 'message_received' THEN 'open' ELSE 'pending' END,
                        e.kind = 'message_received') AS true
FROM inbox_ticket t
CROSS JOIN LATERAL (
    SELECT count(*) AS all, max(created_at) AS last,
           max(created_at) FILTER (WHERE direction = 'in') AS last_in,
           min(created_at) FILTER (WHERE direction = 'out' AND kind = 'message') AS first_out
    FROM inbox_message WHERE ticket_id = t.number) m
CROSS JOIN LATERAL (
    SELECT direction FROM inbox_message WHERE ticket_id = t.number ORDER BY created_at DESC, id DESC LIMIT 1) l
CROSS JOIN LATERAL (
    SELECT kind FROM inbox_event WHERE ticket_id = t.number AND NOT coalesce((data->>'automatic')::bool, false)
                                   AND kind IN ('message_received', 'message_added')
    ORDER BY id DESC LIMIT 1) e
"""


def test_tickets_show_what_is_in_them(aftermath: Aftermath) -> None:
    rows = aftermath.house.rows(COUNTED)
    assert not [f"#{row['number']}: {row['said']} but {row['true']}" for row in rows if row["said"] != row["true"]]
    assert sum(row["said"][0] for row in rows) == MAILS + ANSWERED * ANSWERS_EACH + THREADS
    assert not any(row["delivery_failed"] for row in rows)


def test_the_log_tells_each_thing_once_and_is_read_to_its_end(aftermath: Aftermath) -> None:
    rows = aftermath.house.rows("SELECT kind, count(*) AS n FROM inbox_event GROUP BY 1")
    told = {row["kind"]: row["n"] for row in rows}
    assert told["message_received"] == MAILS
    assert told["ticket_created"] == THREADS
    assert told["message_added"] == told["message_sent"] == ANSWERED * ANSWERS_EACH + THREADS
    assert "message_failed" not in told
    assert aftermath.house.value("SELECT count(*) FROM inbox_cursor WHERE failing_since IS NOT NULL") == 0


def test_afterwards_all_is_well(aftermath: Aftermath) -> None:
    house = aftermath.house

    def ready() -> dict[str, Any]:
        answer = requests.get(f"{house.url}/readyz", timeout=10)
        found: dict[str, Any] = answer.json()
        return found

    until(lambda: ready()["status"] == "ready", "it is ready again")
    # Nobody is left of those who lost their parent: an old worker would go on with what a new one does.
    running = {process.pid: process for process in house.leftovers()}
    expected = {one.pid for one in house.tree()}
    supervised = {one.pid for one in house.programs().values()}
    top = {house.process.pid, house.supervisor.pid} if house.process and house.supervisor else set()
    for program in list(supervised):
        supervised |= {child.pid for child in psutil.Process(program).children(recursive=True)}
    strangers = [running[pid].cmdline() for pid in running if pid not in supervised | top | expected]
    orphans = []
    for pid in expected - supervised - top:
        with suppress(psutil.NoSuchProcess):  # what has ended meanwhile goes on with nothing
            orphans.append(psutil.Process(pid).cmdline())
    assert not strangers
    assert not orphans
