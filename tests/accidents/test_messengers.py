"""Whatever is killed while a messenger is read and answered: nothing is lost, and nothing leaves twice.

A platform that knows no idempotent sends: whoever dies between the send and its answer leaves a message of which nobody
knows whether it arrived. It is shown as that, and never sent again by itself.
"""

from __future__ import annotations

import json
import random
import threading
import time
from collections import Counter

import pytest
import requests

from tests.accidents import house as houses
from tests.accidents import platform
from tests.accidents.house import PASSWORD, SANA, House
from tests.instance import kill, until

pytestmark = [pytest.mark.servers, pytest.mark.timeout(300), pytest.mark.xdist_group("accidents")]

PEOPLE, MESSAGES, ANSWERS = 30, 150, 60
SEED = 4
DEADS = ("worker-social", "worker-social", "worker", "web", "redis", "worker-social")


def answer(house: House, token: str, number: int, text: str) -> None:
    """A reply through the API; asked again, with the same key, until Rabta answers."""
    url = f"{house.url}/api/v1/tickets/{number}/messages/"
    headers = {"Authorization": f"Bearer {token}", "Idempotency-Key": text}

    def done() -> bool:
        try:
            response = requests.post(url, json={"kind": "reply", "text": text}, headers=headers, timeout=10)
        except requests.RequestException:
            return False
        assert response.status_code < 500 or response.status_code == 503, response.text
        return response.status_code == 201

    until(done, f"{text} is taken", seconds=60)


def test_killed_in_the_middle_of_everything() -> None:
    chance = random.Random(SEED)
    with platform.running() as far, houses.running() as house:
        settings = {"token": platform.TOKEN, "mode": "poll", "api_url": f"http://127.0.0.1:{far.port}"}
        house.manage("createchannel", "telegram", "bot", "--settings", json.dumps(settings))
        house.manage("createagent", SANA, "--role", "admin", "--password-stdin", stdin=f"{PASSWORD}\n")
        token = house.manage("createtoken", SANA, "--scope", "admin").strip()
        for who in range(1, PEOPLE + 1):
            far.says(who, f"hello {who}")
        count = "SELECT count(*) FROM inbox_ticket"
        until(lambda: house.value(count) == PEOPLE, "everybody has a ticket", seconds=60)
        numbers = [row["number"] for row in house.rows("SELECT number FROM inbox_ticket ORDER BY number")]

        def talk() -> None:
            for number in range(MESSAGES):
                far.says(chance.randrange(1, PEOPLE + 1), f"word {number}")
                time.sleep(0.04)

        def work() -> None:
            for number in range(ANSWERS):
                answer(house, token, numbers[number % PEOPLE], f"answer {number}")

        both = [threading.Thread(target=talk), threading.Thread(target=work)]
        for one in both:
            one.start()
        for name in DEADS:
            time.sleep(chance.uniform(0.8, 1.6))
            process = house.programs().get(name)
            if process is not None:
                kill([process, *process.children(recursive=True)])
        for one in both:
            one.join()
        heard = "SELECT count(*) FROM inbox_message WHERE direction = 'in'"
        until(lambda: house.value(heard) >= PEOPLE + MESSAGES, "everything has come in", seconds=90)
        busy = "SELECT count(*) FROM inbox_message WHERE state IN ('queued', 'sending')"
        until(lambda: house.value(busy) == 0, "everything has gone out", seconds=90)

        texts = Counter(row["text"] for row in house.rows("SELECT text FROM inbox_message WHERE direction = 'in'"))
        assert set(texts.values()) == {1}, texts.most_common(3)
        assert len(texts) == PEOPLE + MESSAGES
        assert house.value(count) == PEOPLE
        states = {
            row["text"]: row["state"]
            for row in house.rows("SELECT text, state FROM inbox_message WHERE direction = 'out'")
        }
        assert len(states) == ANSWERS
        left = Counter(text for _chat, text in far.sent)
        assert set(left.values()) == {1}, left.most_common(3)  # nothing twice
        assert set(states.values()) <= {"sent", "unknown"}
        unknown = {text for text, state in states.items() if state == "unknown"}
        assert len(unknown) <= len(DEADS) * 8  # as many as can be in hand at a time
        assert {text for text, state in states.items() if state == "sent"} <= set(left)
        for number in range(PEOPLE):  # in one ticket order is kept
            mine = [
                text for chat, text in far.sent if text.startswith("answer") and int(text.split()[1]) % PEOPLE == number
            ]
            assert mine == sorted(mine, key=lambda text: int(text.split()[1]))
