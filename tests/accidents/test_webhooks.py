"""Workers are killed while they tell other systems: each event arrives, under one id and with one body."""

from __future__ import annotations

import random
import signal
import time
from collections import defaultdict
from collections.abc import Iterator

import psutil
import pytest
import requests

from tests.accidents import house as houses
from tests.accidents.house import PASSWORD, SANA, House
from tests.instance import until
from tests.servers import receiver as receivers
from tests.servers.receiver import Came, Receiver

pytestmark = [pytest.mark.servers, pytest.mark.timeout(300), pytest.mark.xdist_group("accidents")]

KILLS, EVENTS = 2, 30
UNDONE = "SELECT count(*) FROM api_webhookdelivery WHERE state <> 'delivered'"


@pytest.fixture(scope="module")
def house() -> Iterator[House]:
    with houses.running() as started:
        yield started


@pytest.fixture(scope="module")
def session(house: House) -> requests.Session:
    house.manage("createagent", SANA, "--role", "admin", "--password-stdin", stdin=f"{PASSWORD}\n")
    made = requests.Session()
    made.headers["Authorization"] = f"Bearer {house.manage('createtoken', SANA, '--scope', 'admin').strip()}"
    return made


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    with receivers.running() as running:
        yield running


def make(house: House, session: requests.Session, url: str) -> str:
    """A webhook; returns its address in the API."""
    given = {"name": url, "url": url, "events": ["*"]}
    answer = session.post(f"{house.url}/api/v1/webhooks/", json=given, timeout=20)
    assert answer.status_code == 201, answer.text
    return f"{house.url}/api/v1/webhooks/{answer.json()['id']}/"


def kill_workers(house: House) -> None:
    """SIGKILL to every worker and its children, as when the machine dies."""
    for name, process in house.programs().items():
        if name.startswith("worker"):
            for victim in [process, *process.children(recursive=True)]:
                try:
                    victim.send_signal(signal.SIGKILL)
                except psutil.NoSuchProcess:
                    continue


def by_id(came: list[Came]) -> dict[str, list[Came]]:
    found: dict[str, list[Came]] = defaultdict(list)
    for one in came:
        found[one.headers["webhook-id"]].append(one)
    return found


def test_killed_in_mid_delivery(house: House, session: requests.Session, receiver: Receiver) -> None:
    """The receiver has the request and has not answered when the worker dies: it comes again, the same."""
    hook = make(house, session, receiver.url("/sleep"))
    session.post(f"{hook}test/", timeout=20)
    until(lambda: receiver.came, "the request is under way", seconds=60)
    kill_workers(house)
    receiver.release.set()
    until(lambda: len(receiver.came) >= 2, "it comes again when its lease has run out", seconds=60)
    until(lambda: house.value(UNDONE) == 0, "it is known to have arrived", seconds=30)
    ((_id, copies),) = by_id(receiver.came).items()
    assert {copy.body for copy in copies} == {copies[0].body}
    session.delete(hook, timeout=20)


def test_killed_again_and_again(house: House, session: requests.Session, receiver: Receiver) -> None:
    hook = make(house, session, receiver.url("/ok"))
    chance = random.Random(7)
    for _number in range(KILLS):
        before = len(receiver.came)  # now: at the last, quick workers may be done with all of them
        for _each in range(EVENTS // KILLS):
            assert session.post(f"{hook}test/", timeout=20).status_code == 202
        until(lambda before=before: len(receiver.came) > before, "the workers deliver again", seconds=60)
        time.sleep(chance.uniform(0, 0.1))
        kill_workers(house)
    until(lambda: house.value(UNDONE) == 0, "all arrived", seconds=90)
    rows = house.rows("SELECT message_id, payload FROM api_webhookdelivery")
    arrived = by_id(receiver.came)
    assert set(arrived) == {row["message_id"] for row in rows}
    assert len(rows) == EVENTS // KILLS * KILLS
    for row in rows:
        assert {copy.body for copy in arrived[row["message_id"]]} == {row["payload"]}


def test_the_log_is_told(house: House, session: requests.Session, receiver: Receiver) -> None:
    """From a change to its arrival, through the real beat, follower and worker."""
    hook = make(house, session, receiver.url("/ok"))
    house.manage("createchannel", "email", "support", "--settings", '{"address": "support@rabta.example"}')
    until(lambda: any('"channel.created"' in one.body for one in receiver.came), "the event arrives", seconds=30)
    session.delete(hook, timeout=20)
