"""What a failing request leaves in the log."""

import io
import logging

import pytest
import structlog
from django.test import Client

from config import logs


@pytest.mark.urls("tests.config.failing_urls")
@pytest.mark.parametrize("style", ["console", "json"])
def test_a_failing_view_logs_its_traceback_without_anybodys_cookie(db: None, style: str) -> None:
    """Also where `rich` is installed, with which structlog would print local variables (the request among them)."""
    pytest.importorskip("rich")
    chosen = logs.configuration(style, "INFO")
    processors = chosen["formatters"]["lines"]["processors"]
    stream = io.StringIO()
    handler = logging.StreamHandler(stream)
    handler.setFormatter(structlog.stdlib.ProcessorFormatter(foreign_pre_chain=logs.SHARED, processors=processors))
    root = logging.getLogger()
    root.addHandler(handler)
    try:
        client = Client(raise_request_exception=False)
        client.cookies["sessionid"] = "c00kie-of-somebody"
        assert client.post("/bug/", {"text": "a letter to nobody else"}).status_code == 500
    finally:
        root.removeHandler(handler)
    written = stream.getvalue()
    assert "ValueError: ('a bug'" in written and "has_a_bug" in written
    assert "c00kie" not in written and "a letter" not in written
