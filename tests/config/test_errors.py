"""A database that is away or overloaded is said as a passing state, in pages and in the API."""

import pytest
from django.test import AsyncClient, Client

pytestmark = pytest.mark.urls("tests.config.failing_urls")


def test_no_free_connection_is_a_503_that_says_when_to_come_back() -> None:
    response = Client(raise_request_exception=False).get("/pool/")
    assert response.status_code == 503
    assert response.headers["Retry-After"] == "5"


async def test_the_same_in_an_async_view_and_as_a_problem_of_the_api() -> None:
    response = await AsyncClient(raise_request_exception=False).get("/api/away/")
    assert response.status_code == 503
    assert response.headers["Retry-After"] == "5"
    assert response.headers["Content-Type"] == "application/problem+json"
    assert response.json()["status"] == 503


def test_a_bug_stays_a_500() -> None:
    response = Client(raise_request_exception=False).get("/bug/")
    assert response.status_code == 500
    assert "Retry-After" not in response.headers
