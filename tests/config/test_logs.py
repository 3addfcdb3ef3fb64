"""What a failing request leaves in the log."""

import io
import json
import logging
import re
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest
import structlog
from django.test import Client, RequestFactory
from django.urls import URLPattern, URLResolver, get_resolver
from django.urls.converters import PathConverter, StringConverter

from config import logs


@contextmanager
def writing(style: str) -> Iterator[io.StringIO]:
    """All that is logged while the block runs, as it would be written."""
    processors = logs.configuration(style, "INFO")["formatters"]["lines"]["processors"]
    stream = io.StringIO()
    handler = logging.StreamHandler(stream)
    handler.setFormatter(structlog.stdlib.ProcessorFormatter(foreign_pre_chain=logs.SHARED, processors=processors))
    root = logging.getLogger()
    root.addHandler(handler)
    try:
        yield stream
    finally:
        root.removeHandler(handler)


@pytest.mark.urls("tests.config.failing_urls")
@pytest.mark.parametrize("style", ["console", "json"])
def test_a_failing_view_logs_its_traceback_without_anybodys_cookie(db: None, style: str) -> None:
    """Also where `rich` is installed, with which structlog would print local variables (the request among them)."""
    pytest.importorskip("rich")
    with writing(style) as stream:
        client = Client(raise_request_exception=False)
        client.cookies["sessionid"] = "c00kie-of-somebody"
        assert client.post("/bug/", {"text": "a letter to nobody else"}).status_code == 500
    written = stream.getvalue()
    assert "ValueError: ('a bug'" in written and "has_a_bug" in written
    assert "c00kie" not in written and "a letter" not in written


TOKEN = "1kd-s3cret_t0ken-of-somebody"
HARMLESS = {"group", "address", "step"}  # a mailbox of the sandbox; one of three pages of its shop


def addresses(patterns: list[Any], before: str = "/") -> Iterator[str]:
    """Every address with free text in it that is not known to be harmless, with TOKEN in its place."""
    for one in patterns:
        route = re.sub(r"\(\?:(.*?)\)\?", r"\1", re.sub(r"[\^$]", "", str(one.pattern))).replace("<slug:kind>", "x")
        if isinstance(one, URLResolver):
            yield from addresses(one.url_patterns, before + route)
        free = {name for name, kind in one.pattern.converters.items() if type(kind) in (StringConverter, PathConverter)}
        free |= set(one.pattern.regex.groupindex) - set(one.pattern.converters)
        if isinstance(one, URLPattern) and free - HARMLESS:
            yield before + re.sub(r"(?:<(?:str|path):\w+>|\(\?P<\w+>\S*?\)(?:-\(\?P<\w+>\S*?\))?)", TOKEN, route)


def test_no_address_that_carries_a_token_is_logged_with_it(db: None) -> None:
    found = [
        *addresses(get_resolver().url_patterns),
        f"/hooks/telegram/{TOKEN}/",
        f"/survey/{TOKEN}",
        f"/chat/{TOKEN}/",
    ]
    assert {f"/accounts/password/reset/key/{TOKEN}/", f"/invitation/{TOKEN}/"} <= set(found)
    for path in found:
        assert TOKEN in path
        for style in ("console", "json"):
            with writing(style) as stream:
                structlog.get_logger("django_structlog.middlewares.request").info(
                    "request_finished", request=f"GET {path}"
                )
                request = RequestFactory().get(path, {"q": "anna"})
                logging.getLogger("django.request").error(
                    "Internal Server Error: %s", path, extra={"status_code": 500, "request": request}
                )
                try:
                    raise ValueError(f"no page at http://testserver{path}")
                except ValueError:
                    logging.getLogger("x").exception("failed")
            written = stream.getvalue()
            assert TOKEN not in written and "anna" not in written and written.count("/…") >= 4, (path, written)


@pytest.mark.parametrize(
    ("request_line", "logged"),
    [
        ("GET /tickets/5/?q=anna", "GET /tickets/5/"),
        ("POST /hooks/telegram/s3cret/", "POST /hooks/telegram/…/"),
        ("GET /survey/s3cret?score=5", "GET /survey/…"),
        ("GET /files/12:1abc:s3cret/", "GET /files/…/"),
        ("GET /settings/channels/chat/test/", "GET /settings/channels/chat/test/"),
    ],
)
def test_a_request_is_logged_without_its_secrets(request_line: str, logged: str) -> None:
    with writing("json") as stream:
        logging.getLogger("x").info("request_finished", extra={"request": request_line})
    assert json.loads(stream.getvalue())["request"] == logged
