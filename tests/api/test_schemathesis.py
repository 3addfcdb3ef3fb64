"""Requests made from the description itself, as each kind of reader: what comes back must be what it promises.

No server error, no status or content type that the description does not name, no body of another shape. The run of
`make test` is short and always the same; `make fuzz` is long and different each time (FUZZ_EXAMPLES).
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from typing import Any

import pytest
import schemathesis
from django.core.signals import request_finished, request_started
from django.core.wsgi import get_wsgi_application
from django.db import close_old_connections, transaction
from drf_spectacular.generators import SchemaGenerator
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st
from schemathesis import GenerationMode
from schemathesis.core.failures import FailureGroup
from schemathesis.specs.openapi.checks import (
    content_type_conformance,
    response_headers_conformance,
    response_schema_conformance,
    status_code_conformance,
)

from inbox.actions import receive
from inbox.adapters import RawReceipt
from inbox.models import Channel, CustomerEvent, Macro, Organisation, Role, SavedView, Tag, Team, Ticket
from reports.models import Answer, Survey
from tests.api.conftest import Api
from tests.cast import member

EXAMPLES = int(os.environ.get("FUZZ_EXAMPLES", "0"))
CHECKS = [
    schemathesis.checks.not_a_server_error,
    status_code_conformance,
    content_type_conformance,
    response_headers_conformance,
    response_schema_conformance,
]
FEW = {"agent": 1, "admin": 2}  # of these two alone: what the others may is told by tests of its own
READERS = {
    "light": (Role.LIGHT, "write"),
    "agent": (Role.AGENT, "write"),
    "manager": (Role.MANAGER, "write"),
    "admin": (Role.ADMIN, "admin"),
    "nobody": (None, ""),
}


# Each request has a transaction of its own: one that stays open holds back followers of the log in the whole cluster,
# and with them the tests of the log that run beside this one.
pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def world(team: Team, support: Channel, ticket: Ticket) -> dict[str, Any]:
    """An id that exists for each resource."""
    customer = ticket.customer
    CustomerEvent.objects.create(customer=customer, kind="order")
    survey = Survey.objects.create(name="After", kind="csat")
    Answer.objects.create(survey=survey, ticket=ticket, customer=customer, value=4)
    [receipt] = receive.store(support, [RawReceipt(b"From: a@example.com\n\nx", "one")])
    return {
        "tickets": ticket.pk,
        "messages": ticket.messages.get().pk,
        "customers": customer.pk,
        "identity": customer.identities.get().pk,
        "organisations": Organisation.objects.create(name="Khan Ltd").pk,
        "teams": team.slug,
        "tags": Tag.objects.create(name="parcel").pk,
        "macros": Macro.objects.create(name="Hello").pk,
        "views": SavedView.objects.create(name="All").pk,
        "channels": support.slug,
        "receipts": receipt.receipt_id,
    }


def known(world: dict[str, Any], path: str) -> dict[str, Any]:
    """Path parameters of this address that name something that is there."""
    resource = path.removeprefix("/api/v1/").split("/")[0]
    names = [part[1:-1] for part in path.split("/") if part.startswith("{")]
    return {
        name: world[name if name in world else resource]
        for name in names
        if (name if name in world else resource) in world
    }


@pytest.fixture
def unhurried(settings: Any) -> Iterator[None]:
    settings.API_RATE_READ = settings.API_RATE_WRITE = settings.API_RATE_FAILED = 0
    # The end of a request must not close the connection that holds the test's transaction.
    for signal in (request_started, request_finished):
        signal.disconnect(close_old_connections)
    yield
    for signal in (request_started, request_finished):
        signal.connect(close_old_connections)


@pytest.mark.timeout(1800 if EXAMPLES else 180)
@pytest.mark.parametrize("reader", READERS if EXAMPLES else FEW)
def test_answers_are_as_described(reader: str, team: Team, world: dict[str, Any], unhurried: None) -> None:
    role, scope = READERS[reader]
    api = Api(member("Reader", role, team), scope) if role is not None else Api(None)
    described = SchemaGenerator().get_schema(request=None, public=True)  # type: ignore[no-untyped-call]
    schema = schemathesis.openapi.from_dict(described)
    application, wrong = get_wsgi_application(), []
    for found in schema.get_all_operations():
        operation = found.ok()
        fixed = known(world, operation.path)
        ways = [operation.as_strategy(mode, path_parameters=fixed) for mode in GenerationMode]
        if EXAMPLES and fixed:
            ways.append(operation.as_strategy(GenerationMode.POSITIVE))

        @settings(
            max_examples=EXAMPLES or FEW[reader],
            derandomize=not EXAMPLES,
            database=None,
            deadline=None,
            phases=[Phase.explicit, Phase.generate],
            suppress_health_check=list(HealthCheck),
        )
        @given(case=st.one_of(ways))
        def one(case: Any) -> None:
            with transaction.atomic():
                response = case.call(app=application, base_url="http://testserver", headers=api.headers)
                case.validate_response(response, checks=CHECKS)
                transaction.set_rollback(True)  # the next one finds what this one found

        try:
            one()
        except (schemathesis.errors.SchemathesisError, FailureGroup) as error:
            wrong.append(f"{operation.label}: {error}")
    assert not wrong, "\n".join(wrong)
