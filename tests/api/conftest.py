"""A client for each of the cast: JSON in and out, over HTTP, with a token of theirs."""

from __future__ import annotations

import json
from typing import Any

import pytest
from django.test import Client

from api.models import ApiToken
from inbox.models import Agent
from tests.cast import bilal, lena, omar, sana, support, team, ticket, zoya

__all__ = ["bilal", "lena", "omar", "sana", "support", "team", "ticket", "zoya"]

V1 = "/api/v1"


class Api:
    """Calls the API as one agent; paths are below /api/v1."""

    def __init__(self, agent: Agent | None, scope: str = "write") -> None:
        self.agent = agent
        self.client = Client()
        self.headers: dict[str, str] = {}
        if agent is not None:
            self.token, secret = ApiToken.objects.issue(agent, scope)
            self.headers["Authorization"] = f"Bearer {secret}"

    def call(self, method: str, path: str, body: Any = None, **headers: str) -> Any:
        sent = {**self.headers, **{name.replace("_", "-"): value for name, value in headers.items()}}
        data = b"" if body is None else json.dumps(body).encode()
        return self.client.generic(method, V1 + path, data, content_type="application/json", headers=sent)

    def get(self, path: str, **headers: str) -> Any:
        return self.call("GET", path, **headers)

    def post(self, path: str, body: Any = None, **headers: str) -> Any:
        return self.call("POST", path, {} if body is None else body, **headers)

    def patch(self, path: str, body: Any, **headers: str) -> Any:
        return self.call("PATCH", path, body, **headers)

    def delete(self, path: str) -> Any:
        return self.call("DELETE", path)

    def upload(self, name: str, content: bytes, content_type: str = "text/plain", **headers: str) -> Any:
        from django.core.files.uploadedfile import SimpleUploadedFile

        file = SimpleUploadedFile(name, content, content_type)
        sent = {**self.headers, **{key.replace("_", "-"): value for key, value in headers.items()}}
        return self.client.post(f"{V1}/attachments/", {"file": file}, headers=sent)


@pytest.fixture
def as_sana(sana: Agent) -> Api:
    return Api(sana)


@pytest.fixture
def as_bilal(bilal: Agent) -> Api:
    return Api(bilal)


@pytest.fixture
def as_zoya(zoya: Agent) -> Api:
    return Api(zoya, "admin")


@pytest.fixture
def as_lena(lena: Agent) -> Api:
    return Api(lena)


def problem(response: Any, status: int, code: str | None = None) -> dict[str, Any]:
    """The problem details of an error answer, whose form is checked on the way."""
    assert response.status_code == status, response.content[:2000]
    assert response["Content-Type"] == "application/problem+json"
    body: dict[str, Any] = response.json()
    assert body["status"] == status
    assert body["title"]
    assert body["detail"]
    if code is not None:
        assert body["code"] == code, body
    return body
