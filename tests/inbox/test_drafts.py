"""Drafts on the server: no tab overwrites a newer one, what was sent does not come back, who is erased is forgotten."""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from typing import Any
from urllib.parse import urlencode

import pytest
from django.core.files.storage import default_storage
from django.db import connection
from django.http import QueryDict
from django.utils import timezone

from inbox.actions import drafts, erasing, merge, reply, sweeping, uploads
from inbox.actions.work import Outcome
from inbox.forms import AnswerForm
from inbox.models import Agent, Attachment, Channel, Draft, Ticket

pytestmark = pytest.mark.django_db
Take = Callable[..., Outcome]


@pytest.fixture
def ticket(desk: Channel, take: Take) -> Ticket:
    return Ticket.objects.get(pk=take("m1", subject="Parcel").ticket)


def written(text: str, client_id: str = "c1", **more: Any) -> dict[str, Any]:
    return {"kind": "reply", "text": text, "client_id": client_id, "attachments": [], **more}


def test_an_old_tab_never_overwrites_a_newer_draft(ticket: Ticket, sana: Agent) -> None:
    assert drafts.save(sana, ticket, written("On"), version=0).version == 1
    assert drafts.save(sana, ticket, written("On"), version=0).version == 1, "the same again is no other version"
    assert drafts.save(sana, ticket, written("On Thursday"), version=1).version == 2
    for old in (0, 1):
        with pytest.raises(drafts.Superseded) as refused:
            drafts.save(sana, ticket, written("Old"), version=old)
        assert refused.value.draft and refused.value.draft.text == "On Thursday"
    assert Draft.objects.get().text == "On Thursday"


def test_what_was_sent_does_not_come_back(ticket: Ticket, sana: Agent) -> None:
    drafts.save(sana, ticket, written("On Thursday"), version=0)
    reply.reply(ticket, by=sana, text="On Thursday", client_id="c1")
    assert not Draft.objects.exists()
    with pytest.raises(drafts.Superseded) as refused:
        drafts.save(sana, ticket, written("On Thurs"), version=1)
    assert refused.value.draft is None and not Draft.objects.exists()
    drafts.save(sana, ticket, written("And more", "c2"), version=1)
    reply.note(ticket, by=sana, text="Another text, sent from elsewhere", client_id="c3")
    assert Draft.objects.get().text == "And more"


def test_sending_an_older_text_keeps_what_another_tab_wrote(ticket: Ticket, sana: Agent) -> None:
    drafts.save(sana, ticket, written("On"), version=0)
    drafts.save(sana, ticket, written("Rather on Friday, at nine"), version=1)
    reply.reply(ticket, by=sana, text="On Thursday", client_id="c1", draft=1)
    kept = Draft.objects.get()
    assert kept.text == "Rather on Friday, at nine" and kept.client_id != "c1", "else it would be known as sent"
    reply.reply(ticket, by=sana, text="Friday. No: Saturday", client_id=kept.client_id, draft=kept.version)
    assert not Draft.objects.exists(), "its own tab knew it, and changed it"


@pytest.mark.parametrize("numbered", ["First", 'See <img src="cid:label" alt="label">'])
def test_what_a_list_says_is_no_draft_once_it_is_sent(ticket: Ticket, sana: Agent, numbered: str) -> None:
    """The browser's own text of what it is writing is not that of the message: 1. and not a dash."""
    html = f"<ol><li><p>{numbered}</p></li><li><p>Second</p></li></ol><hr><p>Bye</p>"
    drafts.save(sana, ticket, written("1. First\n2. Second\nBye", html=html), version=0)
    sent = AnswerForm(QueryDict(urlencode({"kind": "reply", "html": html, "client_id": "c1"})))
    assert sent.is_valid(), sent.errors
    reply.reply(ticket, by=sana, text=sent.cleaned_data["text"], html=sent.cleaned_data["html"], client_id="c1")
    assert not Draft.objects.exists()


def test_a_refused_message_keeps_its_draft(ticket: Ticket, sana: Agent) -> None:
    drafts.save(sana, ticket, written("On Thursday"), version=0)
    with pytest.raises(ValueError, match="no longer there"):
        reply.reply(ticket, by=sana, text="On Thursday", client_id="c1", attachments=[2**40])
    assert Draft.objects.get().text == "On Thursday"


def test_discard(ticket: Ticket, sana: Agent) -> None:
    drafts.save(sana, ticket, written("No"), version=0)
    assert drafts.discard(sana, ticket) and not drafts.discard(sana, ticket)
    assert drafts.save(sana, ticket, written("No"), version=1).version == 2, "undone"


def test_files_of_drafts_are_not_swept_away(ticket: Ticket, sana: Agent) -> None:
    kept, loose = (
        uploads.upload(by=sana, name=name, content_type="text/plain", content=name.encode()) for name in ("a", "b")
    )
    Attachment.objects.update(created_at=timezone.now() - timedelta(days=30))
    drafts.save(sana, ticket, written("See", attachments=[kept.pk]), version=0)
    sweeping.prune()
    assert list(Attachment.objects.values_list("pk", flat=True)) == [kept.pk] and loose.pk != kept.pk


def test_a_merge_takes_drafts_along(ticket: Ticket, sana: Agent, take: Take) -> None:
    kept = Ticket.objects.get(pk=take("n1", subject="Also").ticket)
    omar = Agent.objects.create_user("omar@example.org", name="Omar")
    drafts.save(sana, ticket, written("There", macros=[2, 3]), version=0)
    drafts.save(omar, ticket, written("His"), version=0)
    drafts.save(sana, kept, written("Here", "c2", macros=[1, 2]), version=0)
    merge.merge(ticket, kept, by=omar)
    assert Draft.objects.get(agent=sana).macros == [1, 2, 3]
    assert sorted(Draft.objects.values_list("ticket", "text")) == [(kept.pk, "Here\n\nThere"), (kept.pk, "His")]


def test_an_erased_person_is_in_no_draft(
    ticket: Ticket, sana: Agent, take: Take, django_capture_on_commit_callbacks: Any
) -> None:
    other = Ticket.objects.get(pk=take("n1", sender="zain@example.com").ticket)
    file = uploads.upload(by=sana, name="a", content_type="text/plain", content=b"what Ayesha ordered")
    omar = Agent.objects.create_user("omar@example.org", name="Omar")
    his = uploads.upload(by=omar, name="b", content_type="text/plain", content=b"for somebody else")
    drafts.save(sana, ticket, written("Dear Ayesha", attachments=[file.pk, his.pk]), version=0)
    drafts.save(sana, other, written("Ask ayesha@example.com", "c2"), version=0)
    drafts.save(sana, None, written("Hello Zain", "c3", recipients={"to": "zain@example.com"}), version=0)
    assert default_storage.exists(file.stored)
    with django_capture_on_commit_callbacks(execute=True):
        erasing.erase(ticket.customer, by=None)
    assert [one.text for one in Draft.objects.all()] == ["Hello Zain"]
    assert Attachment.objects.get().pk == his.pk and default_storage.exists(his.stored), "not hers to name"
    assert not default_storage.exists(file.stored)


@pytest.mark.django_db(transaction=True)
def test_two_tabs_that_begin_at_once(ticket: Ticket, sana: Agent) -> None:
    def begin(name: str) -> str:
        try:
            return drafts.save(sana, ticket, written(name, name), version=0).text
        except drafts.Superseded as newer:
            return f"superseded by {newer.draft.text if newer.draft else ''}"
        finally:
            connection.close()

    with ThreadPoolExecutor(4) as pool:
        found = list(pool.map(begin, "abcd"))
    text = Draft.objects.get().text
    assert sorted(found) == sorted([text, *[f"superseded by {text}"] * 3])
