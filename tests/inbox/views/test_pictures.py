"""Pictures of customers: shown where their mark stands, to whoever may see them; joined, parted, erased with them."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from django.core.files.storage import default_storage
from django.db import connection
from django.test import Client, TestCase
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from inbox.actions import customers, erasing, joining, pictures
from inbox.models import Agent, Customer, Identity, Picture, Ticket
from lib.pictures import size_of
from sandbox.phones import faces
from tests.inbox.views.conftest import Desk

pytestmark = pytest.mark.django_db


def portrayed(customer: Customer, kind: str, face: str) -> Identity:
    """An address on some platform, with a picture."""
    identity = Identity.objects.create(
        customer=customer, kind=kind, value=f"{kind}-{customer.pk}", verified_at=timezone.now()
    )
    assert pictures.take(identity, faces.draw(face))
    customer.refresh_from_db()
    return identity


def test_it_stands_where_the_mark_stands_for_those_who_may_see_it(
    as_sana: Desk, as_bilal: Desk, ticket: Ticket
) -> None:
    customer = ticket.customer
    portrayed(customer, "telegram", "Ayesha")
    url = f"/customers/{customer.pk}/picture/"
    answer = as_sana.get(url)
    assert (answer.content, answer["Content-Type"]) == (faces.draw("Ayesha"), "image/png")
    assert answer["X-Content-Type-Options"] == "nosniff" and "sandbox" in answer["Content-Security-Policy"]
    assert answer["Cache-Control"].startswith("private")
    for page, most in (("/", 1), (f"/tickets/{ticket.pk}/", 3), ("/customers/", 1), (f"/customers/{customer.pk}/", 1)):
        html = as_sana.get(page).content.decode()
        assert html.count(f'<img src="{url}?v=') >= most, page
        assert ">AK<" in html  # initials, until it is there
    unseen = as_bilal.get(url)  # the team is private
    assert (unseen.status_code, unseen["Content-Type"], size_of(unseen.content)) == (404, "image/gif", (1, 1))
    assert Client().get(url).status_code == 302
    ayesha = Identity.objects.get(kind="telegram")
    customers.retire_identity(ayesha, by=None)  # another's by now
    assert as_sana.get(url).status_code == 404 and url not in as_sana.get("/").content.decode()


def test_lists_ask_the_database_no_more_for_them(as_sana: Desk, many: Callable[[int], list[Ticket]]) -> None:
    tickets = many(6)

    def asked(page: str) -> int:
        as_sana.get(page)
        with CaptureQueriesContext(
            connection,
        ) as found:
            as_sana.get(page)
        return len(found)

    pages = ("/", "/customers/", f"/tickets/{tickets[0].pk}/")
    before = [asked(page) for page in pages]
    for ticket in tickets:
        portrayed(ticket.customer, "telegram", str(ticket.pk))
    assert [asked(page) for page in pages] == before


def test_a_merge_keeps_one_and_gives_it_back(sana: Agent) -> None:
    one, two = (customers.create(by=None, name=name) for name in ("Ana", "Ana on Facebook"))
    portrayed(one, "telegram", "Ana")
    second = portrayed(two, "facebook", "Ana in the sun")
    was = {one.pk: one.picture, two.pk: two.picture}
    joining.merge(two, one, by=sana)
    one.refresh_from_db()
    two.refresh_from_db()
    assert (one.picture, two.picture) == (was[two.pk], "")  # the newest of all theirs
    assert pictures.take(second, faces.draw("Ana in the rain"))
    joining.unmerge(two, by=sana)
    one.refresh_from_db()
    two.refresh_from_db()
    assert one.picture == was[one.pk]
    assert default_storage.open(two.picture).read() == faces.draw("Ana in the rain")


def test_erasing_somebody_erases_their_picture_and_nobody_elses(sana: Agent) -> None:
    one, two, three = (customers.create(by=None, name=name) for name in ("Ana", "Bo", "Cem"))
    mine = portrayed(one, "telegram", "the same silhouette")
    portrayed(two, "telegram", "the same silhouette")
    own = portrayed(three, "telegram", "Cem")
    for customer in (one, three):
        with TestCase.captureOnCommitCallbacks(execute=True):
            erasing.erase(customer, by=sana)
    assert default_storage.exists(two.picture)
    assert not default_storage.exists(three.picture)
    one.refresh_from_db()
    assert one.picture == "" and Picture.objects.count() == 1
    with TestCase.captureOnCommitCallbacks(execute=True):  # what a worker was fetching meanwhile
        assert not pictures.take(own, faces.draw("Cem"))
        assert not pictures.take(mine, faces.draw("the same silhouette"))
    assert not default_storage.exists(three.picture) and default_storage.exists(two.picture)
