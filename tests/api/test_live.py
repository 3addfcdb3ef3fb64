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
from pathlib import Path
from typing import Any

import pytest
import requests

from api.models import ApiToken
from api.webhooks import delivery, follower
from inbox.models import Agent, Channel, Customer, CustomerEvent, Event, Message, Ticket
from tests.cast import question
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


def snippets(language: str) -> list[str]:
    """The code of docs/integrate.md in one language, in order."""
    return re.findall(rf"^```{language}\n(.*?)^```$", (ROOT / "docs" / "integrate.md").read_text(), re.M | re.S)


def test_the_quick_start_in_the_shell(server: Server, sana: Agent, support: Channel) -> None:
    Agent.objects.filter(pk=sana.pk).update(email="sana@karvaan.example")
    script = "set -euo pipefail\n" + "\n".join(snippets("sh"))
    done = subprocess.run(
        ["bash", "-c", script],
        cwd=ROOT,
        env={**os.environ, "DATABASE_URL": database_url(), "RABTA": server.url},
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    ticket = Ticket.objects.get()
    assert f"Opened ticket {ticket.pk}" in done.stdout
    assert (ticket.status, ticket.tags, ticket.customer.name) == ("pending", ["order"], "Ayesha Khan")
    said = ticket.messages.order_by("pk").values_list("direction", "state", "text")
    assert list(said) == [
        ("in", "", "I ordered a week ago. When will it come?"),
        ("out", "queued", "It left our warehouse today."),
    ]
    assert ApiToken.objects.get().scope == "write"


def test_the_quick_start_in_python(server: Server, token: str, support: Channel) -> None:
    [script] = snippets("python")
    for _again in range(2):  # a second run finds the same customer and order
        done = subprocess.run(
            [sys.executable, "-c", script],
            env={**os.environ, "TOKEN": token, "RABTA": server.url},
            capture_output=True,
            text=True,
            timeout=120,
            check=False,
        )
        assert done.returncode == 0, done.stdout + done.stderr
        assert "in I ordered a week ago. When will it come?\nout It left our warehouse today." in done.stdout
    assert Customer.objects.get().external_id == "shop-2201"
    assert CustomerEvent.objects.get().external_id == "A-1009"
    assert Message.objects.count() == 4
    assert {ticket.priority for ticket in Ticket.objects.all()} == {"high"}


def test_the_quick_start_hears_of_what_happens(server: Server, zoya: Agent, support: Channel, tmp_path: Path) -> None:
    """The shell makes the webhook, the snippet receives; the follower and the pump are those of the workers."""
    port = free_port()
    environment = {
        **os.environ,
        "RABTA": server.url,
        "ADMIN": ApiToken.objects.issue(zoya, "admin")[1],
        "RECEIVER": f"http://127.0.0.1:{port}/rabta",
        "PORT": str(port),
    }
    [make] = snippets("bash")
    made = subprocess.run(
        ["bash", "-euo", "pipefail", "-c", make + "\necho $SECRET"], env=environment, capture_output=True, text=True
    )
    assert made.returncode == 0, made.stderr
    [program] = snippets("py")
    told = (tmp_path / "told").open("w+")
    receiver = subprocess.Popen(
        [sys.executable, "-c", program], env={**environment, "SECRET": made.stdout.strip()}, stdout=told, stderr=told
    )
    try:
        wait_for(port)
        forged = requests.post(
            environment["RECEIVER"],
            data=b"{}",
            headers={"webhook-id": "1", "webhook-timestamp": str(int(time.time())), "webhook-signature": "v1,x"},
            timeout=10,
        )
        assert forged.status_code == 401
        opened = question(support, "Where is my order?")
        follower.tell(list(Event.objects.select_related("ticket").order_by("pk")))
        assert delivery.run() == 1
        told.seek(0)
        assert f"ticket.created {opened.number}\n" in told.read()
    finally:
        receiver.terminate()
        receiver.wait(10)
        told.close()
