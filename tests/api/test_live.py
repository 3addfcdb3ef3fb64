"""Against a web process over a real network: a client generated from the description, and the snippets of the docs."""

from __future__ import annotations

import importlib
import json
import os
import re
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
import requests

from api.models import ApiToken, digest_of
from api.webhooks import delivery, follower
from inbox.models import Agent, Channel, Customer, CustomerEvent, Event, Message, Ticket
from tests.instance import until
from tests.servers.ports import free_port, wait_for
from tests.servers.web import ROOT, Server, database_url

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def server(transactional_db: None) -> Iterator[Server]:
    running = Server()
    running.start()
    yield running
    running.stop()


@pytest.fixture
def token(sana: Agent) -> str:
    return ApiToken.objects.issue(sana, "write")[1]


@pytest.fixture
def generated(server: Server, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Any:
    """The package that openapi-python-client makes of the description which the server itself gives."""
    described = requests.get(f"{server.url}/api/schema/", headers={"Accept": "application/json"}, timeout=30)
    (tmp_path / "schema.json").write_text(json.dumps(described.json()))
    (tmp_path / "config.yml").write_text("post_hooks: []\n")
    done = subprocess.run(
        [
            Path(sys.executable).with_name("openapi-python-client"),
            "generate",
            "--path=schema.json",
            "--output-path=rabta_client",
            "--meta=none",
            "--config=config.yml",
        ],
        cwd=tmp_path,
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    assert "WARNING" not in done.stdout and "Warning" not in done.stderr, done.stdout + done.stderr
    monkeypatch.syspath_prepend(tmp_path)
    yield importlib.import_module("rabta_client")
    for name in [name for name in sys.modules if name.startswith("rabta_client")]:
        del sys.modules[name]


def test_a_generated_client_opens_answers_and_reads_a_ticket(
    generated: Any, server: Server, token: str, support: Channel
) -> None:
    models = importlib.import_module("rabta_client.models")

    def operation(tag: str, name: str) -> Any:
        return importlib.import_module(f"rabta_client.api.{tag}.{name}")

    client = generated.AuthenticatedClient(base_url=server.url, token=token, raise_on_unexpected_status=True)
    asked = models.TicketIn(
        channel="support",
        subject="Where is my parcel?",
        direction=models.TicketInDirection.IN,
        identity=models.IdentityIn(kind="email", value="ayesha@example.com", name="Ayesha Khan"),
        text="It should be here by now.",
    )
    ticket = operation("tickets", "tickets_open").sync(client=client, body=asked, idempotency_key="one")
    assert isinstance(ticket, models.Ticket), ticket
    assert operation("tickets", "tickets_open").sync(client=client, body=asked, idempotency_key="one") == ticket
    answer = operation("tickets", "tickets_messages_add").sync(
        ticket.number,
        client=client,
        body=models.MessageIn(kind=models.MessageInKind.REPLY, text="It left today."),
    )
    assert isinstance(answer, models.Message), answer
    read = operation("tickets", "tickets_get").sync(ticket.number, client=client)
    assert (read.status, read.message_count, read.assignee.name) == (models.TicketStatus.PENDING, 2, "Sana")
    page = operation("tickets", "tickets_messages_list").sync(ticket.number, client=client)
    assert [message.text for message in page.results] == ["It should be here by now.", "It left today."]
    missing = operation("tickets", "tickets_get").sync(10**9, client=client)
    assert (type(missing).__name__, missing.code) == ("Problem", "not_found")
    found = operation("tickets", "tickets_list").sync(client=client, status="pending", assignee="me")
    assert [one.number for one in found.results] == [Ticket.objects.get().pk]


def snippets() -> list[tuple[str, str]]:
    """The code of docs/integrate.md, in the order of the page: (language, code)."""
    return re.findall(r"^```(\w+)\n(.*?)^```$", (ROOT / "docs" / "integrate.md").read_text(), re.M | re.S)


def code(language: str) -> str:
    [found] = [text for named, text in snippets() if named == language]
    return found


def ran(command: list[str | Path], environment: dict[str, str]) -> str:
    """What a command that has to end well says on standard output."""
    done = subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True, timeout=120, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


@contextmanager
def receiving(environment: dict[str, str], secret: str, told: Path) -> Iterator[None]:
    """The receiver of the page, whose output goes into `told`."""
    with told.open("w") as output:
        receiver = subprocess.Popen(
            [sys.executable, "-c", code("py")], env={**environment, "SECRET": secret}, stdout=output, stderr=output
        )
        try:
            wait_for(int(environment["PORT"]))
            yield
        finally:
            receiver.terminate()
            receiver.wait(10)


def test_the_quick_start_from_top_to_bottom_and_once_more(
    server: Server, sana: Agent, zoya: Agent, support: Channel, tmp_path: Path
) -> None:
    """Step after step in one database, as somebody does who reads the page; the webhook's workers are called here."""
    Agent.objects.filter(pk=sana.pk).update(email="sana@karvaan.example")
    Agent.objects.filter(pk=zoya.pk).update(email="zara@karvaan.example")
    assert list(dict.fromkeys(language for language, _text in snippets())) == ["sh", "python", "bash", "py"]
    steps = [text for language, text in snippets() if language == "sh"]
    for again in (False, True):
        port = free_port()
        receiver = {"RECEIVER": f"http://127.0.0.1:{port}/rabta", "PORT": str(port)}
        environment = {**os.environ, "DATABASE_URL": database_url(), "RABTA": server.url, **receiver}

        said = ran(["bash", "-euo", "pipefail", "-c", "\n".join([*steps, "echo TOKEN=$TOKEN"])], environment)
        opened = re.search(r"Opened ticket (\d+)", said)
        assert opened, said
        ticket = Ticket.objects.get(pk=int(opened[1]))
        assert (ticket.status, ticket.tags, ticket.customer.name) == ("pending", ["order"], "Ayesha Khan")
        written = ticket.messages.order_by("pk").values_list("direction", "state", "text")
        assert list(written) == [
            ("in", "", "I ordered a week ago. When will it come?"),
            ("out", "queued", "It left our warehouse today."),
        ]

        environment["TOKEN"] = said.rpartition("TOKEN=")[2].strip()
        assert ApiToken.objects.get(digest=digest_of(environment["TOKEN"])).scope == "write"
        said = ran([sys.executable, "-c", code("python")], environment)
        assert "in I ordered a week ago. When will it come?\nout It left our warehouse today." in said
        assert Customer.objects.get().external_id == "shop-2201"  # one and the same person, in every step
        assert CustomerEvent.objects.get().external_id == "A-1009"
        assert Ticket.objects.order_by("pk").last().priority == "high"
        assert Ticket.objects.count() == (5 if again else 2)

        secret = ran(["bash", "-euo", "pipefail", "-c", code("bash") + "\necho $SECRET"], environment).strip()
        with receiving(environment, secret, tmp_path / "told"):
            forged = requests.post(
                environment["RECEIVER"],
                data=b"{}",
                headers={"webhook-id": "1", "webhook-timestamp": str(int(time.time())), "webhook-signature": "v1,x"},
                timeout=10,
            )
            assert forged.status_code == 401
            other = steps[1].replace("question-1009", f"question-{port}")  # "under another Idempotency-Key"
            opened = re.search(r"Opened ticket (\d+)", ran(["bash", "-euo", "pipefail", "-c", other], environment))
            assert opened
            follower.tell(list(Event.objects.filter(ticket=int(opened[1])).select_related("ticket").order_by("pk")))
            delivery.run()
            line = f"ticket.created {opened[1]}\n"  # printed once the answer has left
            until(lambda line=line: line in (tmp_path / "told").read_text(), "the receiver heard of it")


def test_the_python_of_the_quick_start_needs_none_of_the_steps_before(
    server: Server, token: str, support: Channel
) -> None:
    ran([sys.executable, "-c", code("python")], {**os.environ, "TOKEN": token, "RABTA": server.url})
    assert Customer.objects.get().external_id == "shop-2201"
    assert Message.objects.count() == 2
