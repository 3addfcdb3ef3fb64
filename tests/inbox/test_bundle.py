"""Several reads in one query: the same rows as asked one by one."""

import pytest
from django.db.models import F, Value
from pytest_django import DjangoAssertNumQueries

from inbox.bundle import together
from inbox.models import Agent, Customer, Organisation, Tag

pytestmark = pytest.mark.django_db


def test_many_reads_are_one_query_and_the_same_rows(django_assert_num_queries: DjangoAssertNumQueries) -> None:
    firm = Organisation.objects.create(name="Firm", attributes={"size": 3})
    Customer.objects.create(name="بلال", organisation=firm, tags=["a", "b"])
    Customer.objects.create(name="Zoya")
    people = Customer.objects.order_by("pk").values(
        "name",
        "pk",
        "organisation__name",
        "created_at",
        "last_seen_at",
        "tags",
        mark=Value("x"),
        firm=F("organisation"),
    )[:5]
    never = Agent.objects.none().values()
    firms = Organisation.objects.values("name", "attributes")
    with django_assert_num_queries(1):
        found = together(
            {
                "people": people,
                "firms": firms,
                "none": Tag.objects.values("name"),
                "never": never,
            }
        )
    assert found == {"people": list(people), "firms": list(firms), "none": [], "never": []}


def test_nothing_asked_is_no_query(django_assert_num_queries: DjangoAssertNumQueries) -> None:
    with django_assert_num_queries(0):
        assert together({"never": Agent.objects.none().values("pk")}) == {"never": []}
