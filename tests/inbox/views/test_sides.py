"""The screens of side conversations and forwarding."""

from datetime import timedelta

import pytest
from django.test import Client

from inbox.models import Agent, Channel, Draft, Message, SideConversation, Ticket

pytestmark = pytest.mark.django_db
PART = {"HX-Request": "true", "HX-Request-Type": "partial"}


def test_start_answer_and_close(client: Client, sana: Agent, ticket: Ticket) -> None:
    client.force_login(sana)
    where = f"/tickets/{ticket.pk}/sides/"
    sheet = client.get(where, headers=PART).content.decode()
    assert "<main" not in sheet and "New side conversation" in sheet
    assert "<main" in client.get(where).content.decode()  # without scripts a page
    body = {"to": "store@warehouse.example", "subject": "Parcel", "text": "Do you have it?", "client_id": "c1"}
    for _twice in range(2):
        assert client.post(where, body, headers=PART).status_code == 200
    held = SideConversation.objects.get()
    assert held.messages.count() == 1
    page = client.get(f"/tickets/{ticket.pk}/").content.decode()
    assert f'id="side-{held.pk}"' in page and "store@warehouse.example" in page and "Do you have it?" not in page
    part = client.get(f"/sides/{held.pk}/?whole=yes", headers=PART).content.decode()
    assert "Do you have it?" in part and f'id="side-form-{held.pk}"' in part
    assert client.post(f"/sides/{held.pk}/", {"text": "And?", "client_id": "c2"}, headers=PART).status_code == 200
    assert held.messages.latest("pk").to == [{"name": "", "address": "store@warehouse.example"}]
    assert client.post(f"/sides/{held.pk}/closed/", {"closed": "yes"}).status_code == 302
    held.refresh_from_db()
    assert held.closed_at is not None


def test_what_cannot_be_sent_stays_with_the_reason(client: Client, sana: Agent, ticket: Ticket) -> None:
    client.force_login(sana)
    where = f"/tickets/{ticket.pk}/sides/"
    answer = client.post(where, {"to": "ayesha@example.com", "text": "Hello"}, headers=PART)
    assert answer.status_code == 422 and "takes part" in answer.content.decode()
    plain = client.post(where, {"to": "nobody", "text": "Kept words"})
    assert plain.status_code == 422 and "Kept words" in plain.content.decode()
    assert not SideConversation.objects.exists()


def test_forward_one_or_all(client: Client, sana: Agent, ticket: Ticket) -> None:
    client.force_login(sana)
    first = Message.objects.get(ticket=ticket)
    where = f"/tickets/{ticket.pk}/sides/"
    assert "It should be here by now." in client.get(f"{where}?message={first.pk}", headers=PART).content.decode()
    assert client.get(f"{where}?message={2**40}", headers=PART).status_code == 404
    for asked in ({"message": first.pk}, {"all": "yes"}):
        assert client.post(where, {"to": "x@y.example", **asked}, headers=PART).status_code == 200
    told = list(Message.objects.filter(side__isnull=False))
    assert len(told) == 2 and all("It should be here by now." in one.text for one in told)


def test_a_light_agent_reads_and_does_not_write(client: Client, lena: Agent, sana: Agent, ticket: Ticket) -> None:
    client.force_login(sana)
    client.post(f"/tickets/{ticket.pk}/sides/", {"to": "x@y.example", "text": "Hi"})
    held = SideConversation.objects.get()
    client.force_login(lena)
    assert client.get(f"/sides/{held.pk}/", headers=PART).status_code == 200
    assert client.post(f"/sides/{held.pk}/", {"text": "x"}).status_code == 403
    assert client.post(f"/tickets/{ticket.pk}/sides/", {"to": "x@y.example", "text": "Hi"}).status_code == 403


def test_what_failed_there_never_comes_into_a_reply(client: Client, sana: Agent, ticket: Ticket) -> None:
    client.force_login(sana)
    client.post(f"/tickets/{ticket.pk}/sides/", {"to": "x@y.example", "text": "Between us"})
    held = Message.objects.get(side__isnull=False)
    before = Ticket.objects.values("status", "preview", "waiting_since").get(pk=ticket.pk)
    later = {"later": "at", "at": f"{held.created_at + timedelta(days=2):%Y-%m-%dT%H:%M}"}
    assert client.post(f"/messages/{held.pk}/timing/", later, headers=PART).status_code == 422
    Message.objects.filter(pk=held.pk).update(state="failed")
    shown = client.get(f"/sides/{held.side_id}/", headers=PART).content.decode()
    assert f"/messages/{held.pk}/retry/" in shown and f"/messages/{held.pk}/draft/" not in shown
    assert client.post(f"/messages/{held.pk}/draft/", headers=PART).status_code == 422
    assert not Draft.objects.exists()
    held.refresh_from_db()
    assert held.send_at is None
    assert Ticket.objects.values("status", "preview", "waiting_since").get(pk=ticket.pk) == before


def test_what_is_written_to_a_third_party_is_kept_and_can_be_taken_back(
    client: Client, sana: Agent, lena: Agent, ticket: Ticket, support: Channel
) -> None:
    client.force_login(sana)
    client.post(f"/tickets/{ticket.pk}/sides/", {"to": "store@warehouse.example", "text": "Hi"})
    held = SideConversation.objects.get()
    where = f"/sides/{held.pk}/draft/"
    written = {"text": "And the", "client_id": "s1", "version": 0, "cc": "boss@warehouse.example"}
    assert client.post(where, written).json() == {"version": 1}
    assert client.get(f"/tickets/{ticket.pk}/draft/").json() == {"version": 0}  # never in the answer to the customer
    part = client.get(f"/sides/{held.pk}/?whole=yes", headers=PART).content.decode()
    assert "And the</textarea>" in part and 'value="boss@warehouse.example"' in part and 'value="s1"' in part

    said = {"html": "<p>And the <b>blue</b> one?</p>", "client_id": "s1", "version": 1}
    assert client.post(f"/sides/{held.pk}/", said, headers=PART).status_code == 200
    message = held.messages.latest("pk")
    assert message.is_held and "<b>blue</b>" in message.html and not Draft.objects.exists()
    assert "leaves in a moment" in client.get(f"/sides/{held.pk}/", headers=PART).content.decode()
    assert client.post(f"/messages/{message.pk}/draft/", headers=PART).status_code == 200
    draft = Draft.objects.get()
    assert (draft.side, draft.kind, draft.html) == (held, "side", "<p>And the <b>blue</b> one?</p>")
    message.refresh_from_db()
    assert message.state == "cancelled" and message.deleted_at
    assert client.post(f"/messages/{message.pk}/draft/", headers=PART).status_code == 422
    client.force_login(lena)
    assert client.post(where, written).status_code == 403
