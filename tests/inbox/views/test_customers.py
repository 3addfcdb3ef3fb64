"""`/customers/<id>/` and the panel beside a conversation: what stands there, and changing it where it stands."""

from __future__ import annotations

import re
from datetime import timedelta
from typing import Any

import pytest
from django.utils import timezone

from inbox.actions import cards, customer_notes, customers, joining, journey, tickets
from inbox.actions.journey import Happening
from inbox.adapters import Party
from inbox.models import (
    Agent,
    Channel,
    Customer,
    CustomerNote,
    DifferentPeople,
    Event,
    Field,
    Identity,
    Organisation,
    Ticket,
)
from tests.cast import question
from tests.inbox.views.conftest import Desk

HOSTILE = "\u202e<b>evil</b>\u200f name"


def panel(desk: Desk, ticket: Ticket) -> str:
    html: str = desk.get(f"/tickets/{ticket.pk}/", part=True).content.decode()
    return html[html.index('id="who"') :]


def test_the_panel_says_who_it_is_and_what_belongs_here(as_sana: Desk, sana: Agent, ticket: Ticket) -> None:
    customer = ticket.customer
    firm = Organisation.objects.create(name="Khan Ltd")
    Customer.objects.create(name="Colleague Khan", organisation=firm)
    customers.update(customer, by=sana, organisation=firm, language="ur", tags=["vip"], attributes={"plan": "gold"})
    Identity.objects.create(customer=customer, kind="phone", value="+923001234567")
    tickets.set_subject(ticket, "Where is order KV-20417?", by=sana)
    journey.add(customer, [Happening("order", data={"number": "KV-20417"}), Happening("login")], by=None)
    older = question(ticket.channel, "KV-20417 was paid twice")
    cards.put(customer, "crm", by=None, title="Contract", fields=[{"label": "Ends", "value": "May"}])
    cards.put(customer, "old", by=None, title="Gone by now", expires_at=timezone.now() - timedelta(hours=1))
    customer_notes.add(customer, "Calls back after five.", by=sana)
    html = panel(as_sana, ticket)
    for said in ("Khan Ltd", "Colleague Khan", "Urdu", "vip", "gold", "unverified", "Contract", "Calls back after five",
                 "they wrote from it", "Logged in"):  # fmt: skip
        assert said in html, said
    assert "Gone by now" not in html
    matter = html[html.index("matter-title") : html.index("</section>", html.index("matter-title"))]
    assert "names KV-20417 as well" in matter
    assert f"/tickets/{older.pk}/" in matter
    assert "Logged in" not in matter
    assert Customer.objects.get(pk=customer.pk).stage == "customer"  # an order was told of


def test_what_others_wrote_of_the_same_number_is_brought_forward_as_far_as_one_sees(
    as_sana: Desk, as_bilal: Desk, sana: Agent, support: Channel, ticket: Ticket
) -> None:
    other = question(support, "My account", Party("email", "dawud@example.net", "Dawud Aziz"))
    Ticket.objects.filter(pk__in=[ticket.pk, other.pk]).update(attributes={"account": "47110815"})
    assert f"/tickets/{other.pk}/" in panel(as_sana, ticket)
    open_channel = Channel.objects.create(kind="email", name="Sales", slug="sales", addresses=["sales@example.org"])
    seen = question(open_channel, "Hello", Party("email", "eve@example.net", "Eve"))
    Ticket.objects.filter(pk=seen.pk).update(attributes={"account": "47110815"})
    assert f"/tickets/{other.pk}/" not in panel(as_bilal, seen)


def test_facts_change_where_they_stand(as_sana: Desk, ticket: Ticket) -> None:
    customer = ticket.customer
    here = f"/customers/{customer.pk}/facts"
    form = as_sana.get(f"{here}/language/", part=True).content.decode()
    assert "data-editing" in form
    assert as_sana.post(f"{here}/language/", {"value": "ur"}, part=True).status_code == 200
    assert as_sana.post(f"{here}/tags/", {"value": "vip, #late، پارسل"}, part=True).status_code == 200
    assert as_sana.post(f"{here}/name/", {"value": "Ayesha  K."}).status_code == 302  # as a plain form
    assert as_sana.post(f"{here}/opt_outs/", {"value": ["email"]}, part=True).status_code == 200
    assert as_sana.post(f"{here}/preferred_channel/", {"value": ticket.channel_id}, part=True).status_code == 200
    customer.refresh_from_db()
    assert (customer.language, customer.tags, customer.name) == ("ur", ["vip", "late", "پارسل"], "Ayesha K.")
    assert (customer.opt_outs, customer.preferred_channel) == (["email"], ticket.channel)
    for name, value, said in (
        ("time_zone", "Karachi", "is not a time zone"),
        ("language", "xx", "valid choice"),
        ("stage", "boss", "valid choice"),
        ("name", "x" * 201, "at most 200"),
        ("tags", ",".join(map(str, range(60))), "At most 50"),
    ):
        answer = as_sana.post(f"{here}/{name}/", {"value": value}, part=True)
        assert answer.status_code == 422
        assert said in answer.content.decode()
        assert f'id="fact-{name}"' in answer.content.decode()
    assert as_sana.get(f"{here}/created_at/", part=True).status_code == 404


def test_an_organisation_is_found_or_made_on_purpose(as_sana: Desk, ticket: Ticket) -> None:
    here = f"/customers/{ticket.customer_id}/facts/organisation/"
    Organisation.objects.create(name="Khan <b>Ltd")
    assert "Khan &lt;b&gt;Ltd" in as_sana.get("/organisations/options/?value=khan", part=True).content.decode()
    as_sana.post(here, {"value": "khan <B>ltd"}, part=True)
    assert Customer.objects.get(pk=ticket.customer_id).organisation == Organisation.objects.get()
    answer = as_sana.post(here, {"value": "Kahn"}, part=True)
    assert answer.status_code == 422
    assert "Create it" in answer.content.decode()
    assert Organisation.objects.count() == 1
    as_sana.post(here, {"value": "Kahn", "create": "yes"}, part=True)
    assert Customer.objects.get(pk=ticket.customer_id).organisation == Organisation.objects.get(name="Kahn")
    as_sana.post(here, {"value": ""}, part=True)
    assert Customer.objects.get(pk=ticket.customer_id).organisation is None


def test_addresses_are_added_confirmed_and_retired(as_sana: Desk, support: Channel, ticket: Ticket) -> None:
    customer = ticket.customer
    here = f"/customers/{customer.pk}/identities/"
    assert as_sana.post(here, {"kind": "phone", "value": "+92 300 1234567"}, part=True).status_code == 200
    for typed in ("+44 (0)20 7946 0018", "0044 20 7946 0018", "+52 1 55 1234 5678"):  # as messengers have them
        assert as_sana.post(here, {"kind": "phone", "value": typed}, part=True).status_code == 200
    numbers = customer.identities.filter(kind="phone").order_by("pk")
    assert [*numbers.values_list("value", flat=True)] == ["+923001234567", "+442079460018", "+525512345678"]
    answer = as_sana.post(here, {"kind": "phone", "value": "0300"}, part=True)
    assert answer.status_code == 422
    assert "country code" in answer.content.decode()
    question(support, "Hi", Party("email", "dawud@example.net", "Dawud"))
    answer = as_sana.post(here, {"kind": "email", "value": "Dawud@example.net"}, part=True)
    assert "Another customer has this address" in answer.content.decode()
    claim = Identity.objects.create(customer=customer, kind="email", value="a2@example.com")
    as_sana.post(f"{here}{claim.pk}/", {"confirm": "yes"}, part=True)
    claim.refresh_from_db()
    assert claim.verified
    for shared in ("yes", "no", "yes"):
        html = as_sana.post(f"{here}{claim.pk}/", {"shared": shared}, part=True).content.decode()
        claim.refresh_from_db()
        assert claim.shared == (shared == "yes") == ("Only they write from it" in html)
    as_sana.post(f"{here}{claim.pk}/", {"retire": "yes"}, part=True)
    claim.refresh_from_db()
    assert claim.retired_at is not None
    assert as_sana.post(f"{here}999999/", {"retire": "yes"}, part=True).status_code == 404


def test_light_agents_read_and_note_only(as_lena: Desk, lena: Agent, ticket: Ticket) -> None:
    pk = ticket.customer_id
    html = panel(as_lena, ticket)
    assert "fact-edit" not in html
    assert "Add address" not in html
    for path in (f"{pk}/facts/name/", f"{pk}/identities/", f"{pk}/merge/{pk}/", "new/", f"{pk}/erase/"):
        assert as_lena.post(f"/customers/{path}", {"value": "x"}).status_code == 403, path
    assert as_lena.post(f"/customers/{pk}/notes/", {"text": "Seen."}, part=True).status_code == 200
    assert CustomerNote.objects.get().agent == lena


def test_notes_are_their_writers(as_sana: Desk, as_lena: Desk, omar: Agent, ticket: Ticket) -> None:
    here = f"/customers/{ticket.customer_id}/notes/"
    as_sana.post(here, {"text": "<script>alert(1)</script> " + "x" * 9_900}, part=True)
    note = CustomerNote.objects.get()
    html = panel(as_sana, ticket)
    assert "<script>alert" not in html
    assert as_lena.post(f"{here}{note.pk}/", {"text": "Mine now"}, part=True).status_code == 403
    assert as_lena.post(f"{here}{note.pk}/", {"delete": "yes"}, part=True).status_code == 403
    assert as_sana.post(here, {"text": " "}, part=True).status_code == 422
    as_sana.post(f"{here}{note.pk}/", {"text": "Better"}, part=True)
    assert CustomerNote.objects.get().text == "Better"
    for n in range(5):
        customer_notes.add(ticket.customer, f"Note {n}", by=omar)
    assert panel(as_sana, ticket).count('customer-note"') == 3
    assert as_sana.get(here, part=True).content.decode().count('customer-note"') == 6
    as_sana.post(f"{here}{note.pk}/", {"delete": "yes"}, part=True)
    assert CustomerNote.objects.count() == 5
    kinds = set(Event.objects.filter(kind__startswith="customer_note").values_list("kind", flat=True))
    assert kinds == {"customer_note_added", "customer_note_changed", "customer_note_deleted"}


def test_who_may_be_the_same_is_said_with_reasons_and_not_again(
    as_sana: Desk, as_bilal: Desk, sana: Agent, support: Channel, ticket: Ticket
) -> None:
    ayesha = ticket.customer
    firm = Organisation.objects.create(name="Khan Ltd")
    twin = Customer.objects.create(name="ayesha khan", organisation=firm, attributes={"account": "4711-0815"})
    customers.update(ayesha, by=sana, organisation=firm, attributes={"account": "4711-0815", "plan": "gold-2024"})
    Identity.objects.create(customer=twin, kind="email", value="ayesha@example.com")  # a claim
    Customer.objects.create(name="Somebody", attributes={"plan": "gold-2024"})
    html = panel(as_sana, ticket)
    twins = html[html.index("twins") : html.index("</section>", html.index("twins"))]
    assert "also has ayesha@example.com" in twins
    assert "the same account, 4711-0815" in twins
    assert "the same name and organisation" in twins
    assert twins.count("Compare") == 1
    side_by_side = as_sana.get(f"/customers/{ayesha.pk}/merge/{twin.pk}/").content.decode()
    assert "This one stays" in side_by_side
    assert as_bilal.get(f"/customers/{ayesha.pk}/merge/{twin.pk}/").status_code == 404
    as_sana.post(f"/customers/{twin.pk}/different/{ayesha.pk}/")
    assert DifferentPeople.objects.get().first_id == min(ayesha.pk, twin.pk)
    assert "Compare" not in panel(as_sana, ticket)
    assert 'class="twin"' not in as_sana.get(f"/customers/{twin.pk}/").content.decode()


def test_a_number_of_another_platform_is_a_better_reason_than_a_name(
    as_sana: Desk, support: Channel, ticket: Ticket
) -> None:
    ayesha = ticket.customer
    Customer.objects.create(name="Ayesha Khan")  # a namesake
    at = timezone.now()
    by_phone, shop = Customer.objects.create(name="A. K."), Customer.objects.create(name="Shop account 7")
    Identity.objects.create(customer=by_phone, kind="phone", value="+923001234567", verified_at=at)
    Identity.objects.create(customer=shop, kind="api", scope="channel:7", value="923001234567", verified_at=at)
    claim = Identity.objects.create(customer=ayesha, kind="phone", value="+923001234567")  # shared on Telegram

    def reasons(of: Customer) -> list[tuple[str, str]]:
        html = as_sana.get(f"/customers/{of.pk}/").content.decode()
        return re.findall(r'<bdi class="strong">(.*?)</bdi>.*?<bdi>(.*?)</bdi></span>', html)

    assert reasons(ayesha) == [
        ("A. K.", "has +923001234567, which is said of this customer, too"),
        ("Shop account 7", "has 923001234567, which is said of this customer, too"),
        ("Ayesha Khan", "the same name"),
    ]
    assert ("Ayesha Khan", "also has +923001234567, as was said") in reasons(by_phone)
    Identity.objects.filter(customer=by_phone).update(verified_at=None)
    assert ("Ayesha Khan", "+923001234567 is said of both") in reasons(by_phone)
    claim.verified_at = at
    claim.save()
    assert ("Shop account 7", "also has 923001234567") in reasons(ayesha)


def test_namesakes_are_told_apart_by_how_they_are_known(as_sana: Desk, ticket: Ticket) -> None:
    for kind, value in (("whatsapp", "PK.4934633161236443"), ("phone", "+923001234567")):
        twin = Customer.objects.create(name="Ayesha Khan")
        Identity.objects.create(customer=twin, kind=kind, value=value, verified_at=timezone.now())
    page = as_sana.get(f"/customers/{ticket.customer_id}/").content.decode()
    assert "(<bdi>WhatsApp</bdi>)" in page and "(<bdi>+923001234567</bdi>)" in page and "PK.49" not in page


def test_a_name_that_many_have_suggests_nobody(as_sana: Desk, ticket: Ticket) -> None:
    Customer.objects.bulk_create([Customer(name="Ayesha Khan") for _ in range(4)])
    assert "Compare" not in panel(as_sana, ticket)


def test_merging_takes_a_choice_where_both_proved_an_address_and_is_undone_from_the_notice(
    as_sana: Desk, sana: Agent, support: Channel, ticket: Ticket
) -> None:
    other = question(support, "Again me", Party("email", "ayesha@work.example", "A. Khan"))
    one, two = ticket.customer, other.customer
    customer_notes.add(two, "Of two", by=sana)
    cards.put(two, "crm", by=None, title="Both")
    cards.put(one, "crm", by=None, title="Both")
    path = f"/customers/{one.pk}/merge/{two.pk}/"
    assert "Each of them has proved one of their own: E-mail" in as_sana.get(path).content.decode()
    as_sana.post(path, {"into": one.pk})
    assert Customer.objects.get(pk=two.pk).merged_into is None
    answer = as_sana.post(path, {"into": one.pk, "sure": "yes", "ticket": ticket.pk})
    assert answer["Location"] == f"/tickets/{ticket.pk}/"
    assert Customer.objects.get(pk=two.pk).merged_into == one
    assert CustomerNote.objects.get().customer == one
    html = as_sana.get(f"/tickets/{ticket.pk}/").content.decode()
    undo = re.search(rf'action="(/customers/{two.pk}/unmerge/)"', html)
    assert undo is not None
    assert as_sana.get(f"/customers/{two.pk}/")["Location"] == f"/customers/{one.pk}/"
    assert "Take apart" in as_sana.get(f"/customers/{one.pk}/").content.decode()
    assert as_sana.post(undo[1])["Location"] == f"/customers/{two.pk}/"
    assert Customer.objects.get(pk=two.pk).merged_into is None
    assert CustomerNote.objects.get().customer == two


def test_the_journey_pages_over_everything_once(as_sana: Desk, sana: Agent, support: Channel, ticket: Ticket) -> None:
    customer = ticket.customer
    at = timezone.now() - timedelta(days=1)
    journey.add(customer, [Happening("visit", at=at, external_id=f"v{n}") for n in range(45)], by=None)
    joining.merge(Customer.objects.create(name="Old me"), customer, by=sana)
    seen, path = [], f"/customers/{customer.pk}/journey/"
    while path:
        html = as_sana.get(path, part=True).content.decode()
        seen += re.findall(r"v\d+|Old me|should be here", html)
        found = re.search(r'href="([^"]+journey/[^"]+)"', html)
        path = found[1] if found else ""
    assert sorted(seen) == sorted([*(f"v{n}" for n in range(45)), "Old me", "should be here"])
    assert as_sana.get(f"/customers/{customer.pk}/journey/?before=x-1-2", part=True).status_code == 200


def test_hostile_names_stay_words(as_sana: Desk, support: Channel, ticket: Ticket) -> None:
    Customer.objects.filter(pk=ticket.customer_id).update(
        name=HOSTILE[:200], attributes={"<i>x": "<script>1</script>" * 500}, tags=["<b>"]
    )
    journey.add(ticket.customer, [Happening("order", data={"<u>": "<u>" * 5_000})], by=None)
    for path in (f"/tickets/{ticket.pk}/", f"/customers/{ticket.customer_id}/", "/customers/"):
        html = as_sana.get(path).content.decode()
        for tag in ("<b>evil", "<i>x", "<script>1", "<u>", "<b></"):
            assert tag not in html, (path, tag)


def test_erasing_takes_the_right_and_the_name(as_sana: Desk, zoya: Agent, ticket: Ticket) -> None:
    pk = ticket.customer_id
    as_zoya = Desk(zoya)
    assert "Erase for ever" in as_zoya.get(f"/customers/{pk}/").content.decode()
    assert "Erase for ever" not in as_sana.get(f"/customers/{pk}/").content.decode()
    assert as_sana.post(f"/customers/{pk}/erase/", {"name": "Ayesha Khan"}).status_code == 403
    as_zoya.post(f"/customers/{pk}/erase/", {"name": "Ayesha"})
    assert Customer.objects.get(pk=pk).erased_at is None
    as_zoya.post(f"/customers/{pk}/erase/", {"name": "ayesha khan "})
    assert Customer.objects.get(pk=pk).erased_at is not None
    assert as_zoya.get(f"/customers/{pk}/").status_code == 404


@pytest.mark.parametrize("path", ["notes/", "tickets/", "journey/", "facts/name/", "attributes/plan/"])
def test_parts_are_out_of_sight_with_their_customer(as_bilal: Desk, ticket: Ticket, path: str) -> None:
    answer: Any = as_bilal.get(f"/customers/{ticket.customer_id}/{path}", part=True)
    assert answer.status_code == 404


def test_our_own_fields_are_asked_for_and_checked(as_sana: Desk, ticket: Ticket) -> None:
    Field.objects.create(noun="customer", key="plan", label="Plan", kind="choice", choices=["gold", "silver"])
    Field.objects.create(noun="customer", key="seats", label="Seats", kind="number")
    Customer.objects.filter(pk=ticket.customer_id).update(attributes={"plan": "gold", "crm": "x"})
    html = panel(as_sana, ticket)
    assert html.index('id="attribute-plan"') < html.index('id="blank-facts"') < html.index('id="attribute-seats"')
    here = f"/customers/{ticket.customer_id}/attributes"
    assert "silver" in as_sana.get(f"{here}/plan/", part=True).content.decode()
    assert as_sana.post(f"{here}/plan/", {"attribute-plan": "lead"}, part=True).status_code == 422
    as_sana.post(f"{here}/plan/", {"attribute-plan": "silver"}, part=True)
    as_sana.post(f"{here}/seats/", {"attribute-seats": "3"}, part=True)
    assert Customer.objects.get(pk=ticket.customer_id).attributes == {"plan": "silver", "crm": "x", "seats": 3}
    assert as_sana.get(f"{here}/crm/", part=True).status_code == 404


def test_whoever_is_not_suggested_can_be_found_to_merge_with(
    as_sana: Desk, as_bilal: Desk, support: Channel, ticket: Ticket
) -> None:
    from inbox.search import documents

    other = question(support, "Hi", Party("email", "dawud@example.net", "Dawud Aziz")).customer
    documents.write_people([other.pk])
    assert f"Dawud Aziz (#{other.pk})" in as_sana.get("/customers/suggestions/?q=dawud", part=True).content.decode()
    assert "Dawud" not in as_bilal.get("/customers/suggestions/?q=dawud", part=True).content.decode()
    here, compared = f"/customers/{ticket.customer_id}/merge/", f"/customers/{ticket.customer_id}/merge/{other.pk}/"
    for typed in (f"Dawud Aziz (%23{other.pk})", f"%23{other.pk}", "Dawud@example.net"):
        assert as_sana.get(f"{here}?other={typed}")["Location"] == compared, typed
    for typed in ("Dawud", "", f"%23{ticket.customer_id}", "%00"):
        assert as_sana.get(f"{here}?other={typed}")["Location"] == f"/customers/{ticket.customer_id}/", typed
