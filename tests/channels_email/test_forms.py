"""The settings of a channel are refused by name where they are wrong; passwords stay out of what is shown."""

from typing import Any

import pytest

from channels_email.forms import EmailSettingsForm
from inbox.models import Channel

SMTP = {"host": "smtp.example.com", "port": 587, "security": "starttls", "username": "u", "password": "p"}
IMAP = {
    "host": "imap.example.com",
    "port": 993,
    "security": "tls",
    "username": "u",
    "password": " p ",
    "folders": ["INBOX"],
}


def errors(data: dict[str, Any]) -> dict[str, Any]:
    form = EmailSettingsForm(data)
    assert not form.is_valid()
    return dict(form.errors)


def test_nested_json_comes_back_nested() -> None:
    given = {"address": "Support@Example.com", "name": "Support", "imap": IMAP, "smtp": SMTP, "plus_addressing": True}
    form = EmailSettingsForm(given)
    assert form.is_valid(), form.errors
    assert form.cleaned_data == {**given, "address": "support@example.com"}


def test_a_posted_form_is_the_same() -> None:
    form = EmailSettingsForm(
        {"address": "a@example.com", "smtp.host": "h", "smtp.security": "none", "imap.security": "tls"}
    )
    assert form.is_valid(), form.errors
    assert form.cleaned_data == {"address": "a@example.com", "smtp": {"host": "h", "security": "none"}}


@pytest.mark.parametrize(
    ("data", "field"),
    [
        ({}, "address"),
        ({"address": "nonsense"}, "address"),
        ({"address": "a@example.com", "smtp": {**SMTP, "security": "maybe"}}, "smtp.security"),
        ({"address": "a@example.com", "smtp": {**SMTP, "port": 70000}}, "smtp.port"),
        ({"address": "a@example.com", "smtp": {"port": 25}}, "smtp.host"),
        ({"address": "a@example.com", "smtp": {**SMTP, "password": ""}}, "smtp.password"),
        ({"address": "a@example.com", "imap": {**IMAP, "username": ""}}, "imap.username"),
        ({"address": "a@example.com", "imap": {**IMAP, "folders": [1]}}, "imap.folders"),
        ({"address": "a@example.com", "plus_addressing": "perhaps"}, "plus_addressing"),
    ],
)
def test_what_is_wrong_is_named(data: dict[str, Any], field: str) -> None:
    assert field in errors(data)


@pytest.mark.parametrize(
    ("data", "name"),
    [
        ({"adress": "a@example.com"}, "adress"),
        ({"smtp": {**SMTP, "folders": ["INBOX"]}}, "smtp.folders"),
        ({"smtp": "smtp.example.com"}, "smtp"),
        ({"imap": {**IMAP, "tls": True}}, "imap.tls"),
    ],
)
def test_unknown_settings_are_named(data: dict[str, Any], name: str) -> None:
    assert name in str(errors({"address": "a@example.com", **data})["__all__"])


@pytest.mark.django_db
def test_an_empty_password_keeps_the_old_one() -> None:
    channel = Channel(kind="email", slug="s", name="s", settings={"address": "a@example.com"})
    channel.secrets = {"smtp.password": "old"}
    form = EmailSettingsForm({"address": "a@example.com", "smtp": {**SMTP, "password": ""}}, channel)
    assert form.is_valid(), form.errors
    assert form.cleaned_data["smtp"]["password"] == "old"
