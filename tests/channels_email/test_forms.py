"""The settings of a channel are refused by name where they are wrong; passwords stay out of what is shown."""

from typing import Any

import pytest

from channels_email.adapter import EmailAdapter
from channels_email.forms import EmailSettingsForm
from inbox.actions import channels
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
        ({"address": "a@example.com", "aliases": ["nonsense"]}, "aliases"),
        ({"address": "a@example.com", "aliases": [1]}, "aliases"),
        ({"address": "a@example.com", "aliases": [f"a{n}@example.com" for n in range(51)]}, "aliases"),
        ({"address": "a@example.com", "from_addresses": "Sales sales@example.com"}, "from_addresses"),
        ({"address": "a@example.com", "from_addresses": [{"name": "Sales"}]}, "from_addresses"),
        ({"address": "a@example.com", "from_addresses": [{"address": "b@x.example", "colour": 1}]}, "from_addresses"),
        ({"address": "a@example.com", "from_addresses": [{"address": ["b@x.example"]}]}, "from_addresses"),
        ({"address": "a@example.com", "from_addresses": [7]}, "from_addresses"),
        ({"address": "a@example.com", "imap": {**IMAP, "move_to": "INBOX"}}, "imap.move_to"),
        ({"address": "a@example.com", "imap": {**IMAP, "move_to": "inbox"}}, "imap.move_to"),
        (
            {"address": "a@example.com", "imap": {**IMAP, "folders": ["Inbox", "INBOX"], "move_to": "inboX"}},
            "imap.move_to",
        ),
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


def test_aliases_and_from_addresses_as_json_and_as_lines() -> None:
    wanted = {
        "address": "a@example.com",
        "aliases": ["sales@example.com", "b@example.com"],
        "from_addresses": [
            {"address": "sales@example.com", "name": "Sales, team"},
            {"address": "b@example.com", "name": ""},
        ],
    }
    posted = {
        "address": "a@example.com",
        "aliases": "Sales@example.com\r\n\r\nb@example.com\nsales@example.com\na@example.com",
        "from_addresses": '"Sales, team" <SALES@example.com>\r\nb@example.com\n',
    }
    for given in (wanted, posted):
        form = EmailSettingsForm(given)
        assert form.is_valid(), form.errors
        assert form.cleaned_data == wanted
    shown = EmailSettingsForm(None, Channel(kind="email", settings=wanted))
    again = EmailSettingsForm({name: shown[name].value() for name in ("address", "aliases", "from_addresses")})
    assert again.is_valid(), again.errors
    assert again.cleaned_data == wanted


def test_folders_and_where_to_move() -> None:
    form = EmailSettingsForm(
        {"address": "a@example.com", "imap": {**IMAP, "folders": ["INBOX", "Desk"], "move_to": "Done"}}
    )
    assert form.is_valid(), form.errors
    assert form.cleaned_data["imap"]["move_to"] == "Done"


def test_inbox_is_one_folder_in_any_spelling() -> None:
    given = {**IMAP, "folders": ["inbox", "Desk", "desk", "InBox"], "move_to": "ınbox"}
    form = EmailSettingsForm({"address": "a@example.com", "imap": given})
    assert form.is_valid(), form.errors
    assert form.cleaned_data["imap"]["folders"] == ["INBOX", "Desk", "desk"]
    assert form.cleaned_data["imap"]["move_to"] == "ınbox"  # another letter


def changed(change: dict[str, Any], before: dict[str, Any] = SMTP) -> str:
    """What becomes of the password when the SMTP server is changed so, and none is given: "kept" or "asked for"."""
    kept = {name: value for name, value in before.items() if name != "password"}
    channel = Channel(kind="email", slug="s", name="s", settings={"address": "a@example.com", "smtp": kept})
    channel.secrets = {"smtp.password": "old"}
    new = {name: value for name, value in {**kept, **change}.items() if value is not None}
    flat = {name: new.pop(name) for name in list(new) if "." in name}
    form = EmailSettingsForm({"address": "a@example.com", "smtp": new, **flat}, channel)
    if form.is_valid():
        stays = channels.still_kept(EmailAdapter(), channel.secrets, {}, channel.settings, form.cleaned_data)
        assert stays == {"smtp.password": "old"}
        return "kept"
    assert list(form.errors) == ["smtp.password"], form.errors
    assert not EmailAdapter().keeps_secret("smtp.password", channel.settings, form.cleaned_data)
    return "asked for"


NO_TLS = {**SMTP, "port": 25, "security": "none"}


@pytest.mark.django_db
@pytest.mark.parametrize(
    ("before", "change", "outcome"),
    [
        (SMTP, {"host": "SMTP.example.com"}, "kept"),
        (SMTP, {"port": None}, "kept"),  # 587 is what STARTTLS has
        (NO_TLS, {"security": "starttls"}, "kept"),
        (SMTP, {"host": "smtp.evil.example"}, "asked for"),
        (SMTP, {"smtp.host": "smtp.evil.example"}, "asked for"),  # dotted beside nested: the last word counts
        (SMTP, {"host": " smtp.example.com.evil.example "}, "asked for"),
        (SMTP, {"port": 2525}, "asked for"),
        (SMTP, {"username": "somebody"}, "asked for"),
        (SMTP, {"security": "none"}, "asked for"),
        (SMTP, {"security": "none", "port": None}, "asked for"),
    ],
)
def test_a_password_stays_with_its_server(before: dict[str, Any], change: dict[str, Any], outcome: str) -> None:
    assert changed(change, before) == outcome


@pytest.mark.django_db
def test_an_empty_password_keeps_the_old_one() -> None:
    assert changed({}) == "kept"


@pytest.mark.parametrize(
    ("host", "valid"),
    [
        ("mail.example.com", True),
        ("mail.example.com.", True),
        ("mail", True),
        ("mail_1", True),
        ("b\u00fccher.example", True),
        ("192.0.2.1", True),
        ("2001:db8::1", True),
        ("fe80::1%eth0", True),
        ("a" * 63 + ".example.com", True),
        ("a" * 64 + ".example.com", False),
        ("\u00fc" * 60 + ".example.com", False),
        ("mail..example.com", False),
        (".example.com", False),
        (".", False),
        ("imap://mail.example.com", False),
        ("mail.example.com:993", False),
        ("mail example.com", False),
        ("a." * 200_000, False),
    ],
    ids=lambda value: value[:12] if isinstance(value, str) else None,
)
def test_a_host_is_a_name_or_an_address(host: str, valid: bool) -> None:
    form = EmailSettingsForm({"address": "a@example.com", "imap": {**IMAP, "host": host}})
    assert form.is_valid() == valid
    assert set(form.errors) <= {"imap.host"}
