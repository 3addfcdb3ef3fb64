"""`/settings/channels/`: who may see and do what, that nothing typed is lost, and that no password ever shows."""

from __future__ import annotations

import logging
from datetime import timedelta
from typing import Any

import pytest
from django.conf import LazySettings
from django.core.management import call_command
from django.core.management.base import CommandError
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from inbox import care
from inbox.actions import channels, receive
from inbox.adapters import RawReceipt
from inbox.models import Agent, Brand, Channel, Event, Receipt, ReceiptState, Role, Team, Ticket
from tests.cast import member
from tests.inbox.views.conftest import Desk

NEW = "/settings/channels/new/email/"
SECRET = "correct horse battery"
FORM = {
    "address": "help@example.org",
    "name": "Help",
    "imap.host": "imap.example.org",
    "imap.port": "993",
    "imap.security": "tls",
    "imap.username": "help",
    "imap.password": SECRET,
    "smtp.host": "smtp.example.org",
    "smtp.port": "465",
    "smtp.security": "tls",
    "same_login": "on",
    "login": "password",
    "reads": "1",
}


@pytest.fixture
def as_zoya(zoya: Agent) -> Desk:
    return Desk(zoya)


@pytest.fixture
def as_mona(team: Team) -> Desk:
    """A manager of Support."""
    return Desk(member("Mona", Role.MANAGER, team))


@pytest.fixture
def as_murad(db: None) -> Desk:
    """A manager of nothing: Support is hidden from him."""
    return Desk(member("Murad", Role.MANAGER, None))


@pytest.fixture
def failed(support: Channel) -> Receipt:
    [stored] = receive.store(support, [RawReceipt(b"From: a@example.com\n\n<script>x</script>", "one")], claim=True)
    Receipt.objects.update(state="failed", reason="ValueError: <b>no</b>")
    return Receipt.objects.get(pk=stored.receipt_id)


def pages(receipt: Receipt) -> dict[str, str]:
    """Every address of the pages, with its method."""
    base = "/settings/channels/support/"
    return {
        "/settings/channels/": "get",
        NEW: "get",
        f"{base}": "get",
        f"{base}settings/": "get",
        f"{base}test/": "post",
        f"{base}pause/": "post",
        f"{base}disconnect/": "post",
        f"{base}receipts/": "post",
        f"{base}receipts/{receipt.pk}/": "post",
        f"{base}receipts/{receipt.pk}/raw/": "get",
        f"{base}way-back/": "post",
        f"{base}audit/": "get",
        f"{base}domain/": "get",
    }


def asked(desk: Desk, receipt: Receipt) -> dict[str, int]:
    return {
        path: (desk.get(path) if method == "get" else desk.post(path)).status_code
        for path, method in pages(receipt).items()
    }


def test_agents_may_not(as_sana: Desk, as_lena: Desk, as_bilal: Desk, failed: Receipt) -> None:
    for desk in (as_sana, as_lena, as_bilal):
        assert set(asked(desk, failed).values()) == {403}
    assert b"/settings/channels/" not in as_sana.get("/settings/").content
    assert not Event.objects.filter(kind__startswith="channel").exists()


def test_an_outsider_finds_nothing(as_murad: Desk, failed: Receipt) -> None:
    found = asked(as_murad, failed)
    only_admins = {NEW, "/settings/channels/support/settings/", "/settings/channels/support/disconnect/"}
    assert {path for path, status in found.items() if status == 403} == only_admins
    assert {path for path, status in found.items() if status == 200} == {"/settings/channels/"}
    assert {status for path, status in found.items() if path not in {*only_admins, "/settings/channels/"}} == {404}
    assert b"support" not in as_murad.get("/settings/channels/").content


def test_nobody_without_a_log_in(client: Any, failed: Receipt) -> None:
    for path, method in pages(failed).items():
        response = getattr(client, method)(path)
        assert response.status_code == 302
        assert "/accounts/login/" in response["Location"]


def test_a_manager_cares_but_does_not_connect(
    as_mona: Desk, failed: Receipt, ticket: Ticket, settings: LazySettings
) -> None:
    settings.DNS_SERVER = "127.0.0.1:1"
    page = as_mona.get("/settings/channels/support/").content.decode()
    assert "Change settings" not in page
    assert "Disconnect" not in page
    assert "Connect a mailbox" not in as_mona.get("/settings/channels/").content.decode()
    assert as_mona.get("/settings/channels/support/settings/").status_code == 403
    assert as_mona.post("/settings/channels/support/pause/", {"paused": "on"}).status_code == 302
    assert Channel.objects.get().paused
    assert "This channel is paused" in as_mona.get("/settings/channels/support/").content.decode()
    as_mona.post("/settings/channels/support/pause/", {"paused": "off"})
    assert not Channel.objects.get().paused


def test_an_empty_list_leads_to_the_first_mailbox(as_zoya: Desk, as_murad: Desk) -> None:
    assert f'href="{NEW}"' in as_zoya.get("/settings/channels/").content.decode()
    said = as_murad.get("/settings/channels/").content.decode()
    assert "No channel yet" in said
    assert NEW not in said


def test_how_each_channel_is(as_zoya: Desk, support: Channel, failed: Receipt) -> None:
    now = timezone.now()
    Channel.objects.create(kind="email", slug="sales", name="Sales", paused=True, settings={"address": "s@example.org"})
    Channel.objects.create(
        kind="email",
        slug="jobs",
        name="Jobs",
        settings={"address": "j@example.org"},
        in_failing_since=now,
        in_error="<i>no log-in</i>",
    )
    Channel.objects.create(kind="pigeon", slug="old", name="Old")
    ok = {"address": "o@example.org", "smtp": {"host": "smtp.example.org"}}
    fine = Channel.objects.create(kind="email", slug="fine", name="Fine", settings=ok, last_in_at=now)
    receive.store(fine, [RawReceipt(b"a", "1"), RawReceipt(b"b", "2")])
    page = as_zoya.get("/settings/channels/").content.decode()
    for said in (
        "Paused: nothing is fetched or sent.",
        "New messages cannot be fetched.",
        "&lt;i&gt;no log-in&lt;/i&gt;",
        "Replies stay queued.",
        "Works.",
        "Old",
    ):
        assert said in page
    page = as_zoya.get("/settings/channels/fine/").content.decode()
    assert "to be taken in</dt><dd>2</dd>" in page
    assert "Nothing was sent yet." in page
    assert "Nothing has come yet." not in page


def test_what_waits_is_counted_up_to_a_bound_which_is_said(support: Channel, monkeypatch: pytest.MonkeyPatch) -> None:
    """One channel may have so many that nothing is left to count of another: its number is not said for certain."""
    other = Channel.objects.create(kind="email", slug="other", name="Other", settings={"address": "o@e.example"})

    def wait(channel: Channel, *names: int) -> None:
        receive.store(channel, [RawReceipt(b"%d" % n, f"w{n}") for n in names])

    def said() -> list[str]:
        return [str(one.waiting) for one in care.standings([support, other])]

    monkeypatch.setattr(care, "MOST_COUNTED", 1200)
    wait(support, *range(1197))
    wait(other, 1, 2, 3)
    assert said() == ["1,197", "3"]
    wait(support, 2000)
    assert all(one.endswith("+") for one in said())
    wait(support, *range(3000, 3010))
    assert str(care.standings([support])[0].waiting) == "1,200+"
    assert str(care.standings([other])[0].waiting) == "3"


def counted(desk: Desk, path: str) -> int:
    desk.get(path)
    with CaptureQueriesContext(
        connection,
    ) as queries:
        assert desk.get(path).status_code == 200
    return len(queries)


def test_queries_do_not_grow(as_zoya: Desk, support: Channel, failed: Receipt) -> None:
    few = counted(as_zoya, "/settings/channels/")
    for n in range(12):
        channel = Channel.objects.create(
            kind="email", slug=f"c{n}", name=f"C{n}", settings={"address": f"{n}@e.example"}
        )
        receive.store(channel, [RawReceipt(b"a%d" % n, f"x{n}"), RawReceipt(b"b%d" % n, f"y{n}")])
        Receipt.objects.filter(channel=channel, external_id=f"y{n}").update(state="failed")
    assert counted(as_zoya, "/settings/channels/") == few <= 9
    one = counted(as_zoya, "/settings/channels/support/")
    receive.store(support, [RawReceipt(b"%d" % n, f"z{n}") for n in range(40)])
    Receipt.objects.filter(channel=support).update(state="failed")
    assert counted(as_zoya, "/settings/channels/support/") == one <= 15
    assert counted(as_zoya, "/settings/channels/support/settings/") <= 11


def test_the_first_step_knows_the_provider(as_zoya: Desk, settings: LazySettings) -> None:
    settings.DNS_SERVER = "127.0.0.1:1"
    page = as_zoya.get(NEW).content.decode()
    for name in ("Google", "Microsoft", "iCloud", "Fastmail", "Zoho", "GMX", "mailbox.org", "No mailbox"):
        assert name in page
    page = as_zoya.get(f"{NEW}?address=Support@Gmail.com").content.decode()
    assert 'value="imap.gmail.com"' in page
    assert 'value="support@gmail.com"' in page
    assert "app password" in page
    assert "by the look of the address" in page
    page = as_zoya.get(f"{NEW}?address=a@nowhere.example").content.decode()
    assert "Enter the servers" in page
    assert 'value="a@nowhere.example"' in page
    page = as_zoya.get(f"{NEW}?provider=forwarded").content.decode()
    assert 'name="imap.host"' not in page
    assert as_zoya.get(f"{NEW}?provider=%00&address=<script>").status_code == 200
    assert as_zoya.get("/settings/channels/new/pigeon/").status_code == 404


def test_a_mailbox_is_connected(as_zoya: Desk, team: Team, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG)
    brand = Brand.objects.create(name="Store")
    place = {"channel-teams": [team.pk], "channel-default_team": team.pk, "channel-brand": brand.pk}
    response = as_zoya.post(NEW, {**FORM, **place})
    assert response.status_code == 302, response.content.decode()
    assert response["Location"] == "/settings/channels/help/?test=new"
    kept = Channel.objects.get()
    assert (kept.name, kept.brand, kept.default_team, list(kept.teams.all())) == ("Help", brand, team, [team])
    assert kept.settings["smtp"] == {"host": "smtp.example.org", "port": 465, "security": "tls", "username": "help"}
    assert kept.secrets == {"imap.password": SECRET, "smtp.password": SECRET}
    [event] = Event.objects.filter(kind="channel_created")
    assert SECRET not in str(event.data)
    for path in ("help/", "help/?test=1", "help/settings/", ""):
        assert SECRET not in as_zoya.get(f"/settings/channels/{path}").content.decode()
    assert 'hx-trigger="load, submit"' in as_zoya.get("/settings/channels/help/?test=1").content.decode()
    assert SECRET not in caplog.text


def test_htmx_is_sent_on(as_zoya: Desk) -> None:
    response = as_zoya.client.post(NEW, FORM, headers={"HX-Request": "true", "HX-Request-Type": "full"})
    assert response["HX-Redirect"] == "/settings/channels/help/?test=new"


@pytest.mark.parametrize(
    ("change", "said", "field"),
    [
        ({"address": ""}, "This field is required.", "address"),
        ({"address": "nobody"}, "Enter a valid email address.", "address"),
        ({"imap.host": ""}, "Name the server.", "imap.host"),
        ({"imap.password": "", "same_login": ""}, "Give the password.", "imap.password"),
        ({"imap.port": "70000"}, "less than or equal to 65535", "imap.port"),
        ({"reopen_days": "-1"}, "greater than or equal to 0", "reopen_days"),
        ({"channel-slug": "a b"}, "valid “slug”", "channel-slug"),
        ({"channel-slug": "taken"}, "There is a channel “taken” already.", "channel-slug"),
        ({"channel-teams": ["999"]}, "999 is not one of the available choices", "channel-teams"),
        ({"nonsense": "x"}, "nonsense is not a setting", None),
        ({"imap.username": "a\x00"}, "Null characters are not allowed.", "imap.username"),
    ],
)
def test_what_is_wrong_stands_beside_its_field(
    as_zoya: Desk, change: dict[str, Any], said: str, field: str | None
) -> None:
    Channel.objects.create(kind="email", slug="taken", name="Taken")
    typed = {"name": "Hélp <b>", "acknowledgement": "Thanks\nwe answer", "channel-name": "Front"}
    response = as_zoya.post(NEW, {**FORM, **typed, **change})
    page = response.content.decode()
    assert response.status_code == 422
    assert said in page
    if field:
        assert f'id="id_{field}-error"' in page
    assert "Nothing was saved yet" in page
    assert 'value="Hélp &lt;b&gt;"' in page
    assert "Thanks\nwe answer" in page
    assert 'value="Front"' in page
    assert 'value="imap.example.org"' in page or "imap.host" in change
    assert SECRET not in page
    assert page.count(" autofocus") == 1
    assert ("Type this again" in page) == ("imap.password" not in change)
    assert Channel.objects.count() == 1
    around = as_zoya.client.post(NEW, {**FORM, **change}, headers={"HX-Request": "true"}).content.decode()
    assert "Type this again" not in around  # what was typed still stands there


def test_slugs_come_from_the_name_and_differ(as_zoya: Desk) -> None:
    for domain in ("one", "two"):
        as_zoya.post(NEW, {**FORM, "address": f"help@{domain}.example"})
    as_zoya.post(NEW, {**FORM, "name": "مدد", "address": "مدد@example.org"})
    as_zoya.post(NEW, {**FORM, "name": "مدد", "address": "help@three.example"})
    as_zoya.post(NEW, {**FORM, "channel-slug": "chosen", "address": "help@four.example"})
    assert list(Channel.objects.order_by("pk").values_list("slug", flat=True)) == ["help", "help-2", "help-3", "chosen"]


def test_an_address_is_one_channels_alone(as_zoya: Desk) -> None:
    as_zoya.post(NEW, FORM)
    first = Channel.objects.get()
    page = as_zoya.post(NEW, FORM)
    assert page.status_code == 422 and "belongs to the channel" in page.content.decode()
    as_zoya.post(NEW, {**FORM, "address": "other@example.org"})
    other = Channel.objects.exclude(pk=first.pk).get()
    page = as_zoya.post(f"/settings/channels/{other.slug}/settings/", FORM)
    assert page.status_code == 422 and "belongs to the channel" in page.content.decode()
    assert as_zoya.post(f"/settings/channels/{first.slug}/settings/", FORM).status_code == 302
    assert Channel.objects.count() == 2


def test_settings_change_and_passwords_stay(as_zoya: Desk, zoya: Agent) -> None:
    as_zoya.post(NEW, FORM)
    path = "/settings/channels/help/settings/"
    page = as_zoya.get(path).content.decode()
    assert "kept; type to replace" in page
    assert SECRET not in page
    change = {**FORM, "imap.password": "", "imap.host": "imap.example.com", "name": "Helpers", "channel-name": "Help"}
    refused = as_zoya.post(path, change)
    assert refused.status_code == 422
    assert "Give the password again" in refused.content.decode()
    shown = as_zoya.post(path, {**change, "imap.host": FORM["imap.host"], "smtp.host": "smtp.example.com"})
    assert 'id="same-login" data-shows="same" checked' not in shown.content.decode()  # it would hide what is asked
    assert as_zoya.post(path, {**change, "imap.password": SECRET}).status_code == 302
    kept = Channel.objects.get()
    assert kept.settings["imap"]["host"] == "imap.example.com"
    assert kept.secrets == {"imap.password": SECRET, "smtp.password": SECRET}
    [event] = Event.objects.filter(kind="channel_changed")
    assert event.data == {"channel": kept.pk, "fields": ["imap.host", "name"]}
    assert event.actor_id == zoya.pk
    del change["reads"]  # that is asked of new ones alone
    assert as_zoya.post(path, {**change, "imap.host": "", "imap.password": "x"}).status_code == 422
    assert as_zoya.post(path, {**change, "imap.host": "", "smtp.username": "help"}).status_code == 302
    kept = Channel.objects.get()
    assert "imap" not in kept.settings
    assert kept.secrets == {"smtp.password": SECRET}


def test_a_key_that_is_gone_costs_the_password_alone(as_zoya: Desk) -> None:
    as_zoya.post(NEW, FORM)
    Channel.objects.update(credentials="sealed-by-a-key-that-is-gone")
    path = "/settings/channels/help/settings/"
    assert as_zoya.get("/settings/channels/help/").status_code == 200
    assert "key is missing" in as_zoya.post("/settings/channels/help/test/", part=True).content.decode()
    assert as_zoya.get(path).status_code == 200
    typed = {**FORM, "imap.password": ""}
    assert "Give the password." in as_zoya.post(path, typed).content.decode()
    assert as_zoya.post(path, {**typed, "imap.password": "new"}).status_code == 302
    assert Channel.objects.get().secrets == {"imap.password": "new", "smtp.password": "new"}


def test_a_channel_without_an_address_has_its_page(as_zoya: Desk) -> None:
    Channel.objects.create(kind="email", slug="bare", name="Bare")
    assert as_zoya.get("/settings/channels/bare/").status_code == 200
    assert as_zoya.get("/settings/channels/bare/settings/").status_code == 200
    assert as_zoya.get("/settings/channels/bare/domain/").status_code == 200
    assert as_zoya.post("/settings/channels/bare/test/").status_code == 200
    assert as_zoya.post("/settings/channels/bare/way-back/").status_code == 200


@pytest.mark.parametrize(
    ("change", "same"),
    [
        ({}, True),
        ({"same_login": "", "smtp.username": ""}, False),
        ({"same_login": "", "imap.host": "", "reads": ""}, False),
    ],
)
def test_a_log_in_of_its_own_for_sending_stays(as_zoya: Desk, change: dict[str, str], same: bool) -> None:
    typed = {**FORM, **change}
    if not typed["same_login"]:
        del typed["same_login"]
    if not typed["imap.host"]:
        del typed["imap.password"]
    assert as_zoya.post(NEW, typed).status_code == 302
    page = as_zoya.get("/settings/channels/help/settings/").content.decode()
    assert ('id="same-login" data-shows="same" checked' in page) == same
    before = Channel.objects.get()
    again = {**typed, "imap.password": "", "channel-name": "Help"}
    assert as_zoya.post("/settings/channels/help/settings/", again).status_code == 302
    after = Channel.objects.get()
    assert (after.settings, after.secrets) == (before.settings, before.secrets)
    assert not Event.objects.filter(kind="channel_changed").exists()


def test_teams_that_the_admin_is_not_in_stay(as_zoya: Desk) -> None:
    as_zoya.post(NEW, FORM)
    hidden = Team.objects.create(name="Board", slug="board", private=True)
    channel = Channel.objects.get()
    channel.teams.add(hidden)
    assert "Board" not in as_zoya.get(NEW + "?provider=other").content.decode()
    page = as_zoya.get("/settings/channels/help/settings/").content.decode()
    assert f'value="{hidden.pk}"' in page
    as_zoya.post("/settings/channels/help/settings/", {**FORM, "channel-teams": [hidden.pk]})
    assert list(channel.teams.all()) == [hidden]


def test_a_failed_receipt_is_seen_fetched_and_retried(as_mona: Desk, failed: Receipt, support: Channel) -> None:
    page = as_mona.get("/settings/channels/support/").content.decode()
    assert "1 message could not be read" in page
    assert "ValueError: &lt;b&gt;no&lt;/b&gt;" in page
    raw = as_mona.get(f"/settings/channels/support/receipts/{failed.pk}/raw/")
    assert raw.content == b"From: a@example.com\n\n<script>x</script>"
    assert raw["Content-Disposition"] == f'attachment; filename="receipt-{failed.pk}.eml"'
    assert raw["Content-Type"] == "application/octet-stream"
    assert "sandbox" in raw["Content-Security-Policy"]
    assert as_mona.post(f"/settings/channels/support/receipts/{failed.pk}/").status_code == 302
    assert Receipt.objects.get().state == ReceiptState.NEW
    assert as_mona.get(f"/settings/channels/support/receipts/{failed.pk}/raw/").status_code == 404
    Receipt.objects.update(state="failed")
    as_mona.post("/settings/channels/support/receipts/")
    assert Receipt.objects.get().state == ReceiptState.NEW
    assert Event.objects.filter(kind__startswith="receipt").count() == 2


def test_a_receipt_of_another_channel_is_not_found_here(as_zoya: Desk, failed: Receipt) -> None:
    Channel.objects.create(kind="email", slug="other", name="Other", settings={"address": "o@example.org"})
    assert as_zoya.get(f"/settings/channels/other/receipts/{failed.pk}/raw/").status_code == 404
    assert as_zoya.post(f"/settings/channels/other/receipts/{failed.pk}/").status_code == 404


def test_a_channel_with_tickets_stays_and_says_why(as_zoya: Desk, ticket: Ticket) -> None:
    page = as_zoya.get("/settings/channels/support/").content.decode()
    assert "It has tickets" in page
    assert "settings/channels/support/disconnect/" not in page
    as_zoya.post("/settings/channels/support/disconnect/")
    assert Channel.objects.count() == 1


def test_a_channel_without_tickets_goes(as_zoya: Desk, support: Channel) -> None:
    assert "settings/channels/support/disconnect/" in as_zoya.get("/settings/channels/support/").content.decode()
    assert as_zoya.post("/settings/channels/support/disconnect/")["Location"] == "/settings/channels/"
    assert not Channel.objects.exists()


def test_the_test_says_what_fails(as_zoya: Desk, zoya: Agent) -> None:
    settings = {"address": "a@example.org", "smtp": {"host": "127.0.0.1", "port": 1, "security": "none"}}
    channels.create("email", "help", settings, by=zoya)
    part = as_zoya.post("/settings/channels/help/test/", part=True).content.decode()
    assert "127.0.0.1 refuses connections on port 1." in part
    assert "<html" not in part
    assert "is saved, but the test failed" not in part  # said of a new one alone
    part = as_zoya.post("/settings/channels/help/test/", {"new": "yes"}, part=True).content.decode()
    assert "is saved, but the test failed" in part and "is connected" not in part
    whole = as_zoya.post("/settings/channels/help/test/").content.decode()
    assert "127.0.0.1 refuses connections on port 1." in whole
    assert "<html" in whole


def test_a_kind_that_is_no_longer_installed_still_has_its_page(as_zoya: Desk) -> None:
    Channel.objects.create(kind="pigeon", slug="old", name="Old")
    assert as_zoya.get("/settings/channels/old/").status_code == 200
    assert "not installed" in as_zoya.post("/settings/channels/old/test/", part=True).content.decode()
    assert as_zoya.get("/settings/channels/old/settings/").status_code == 404


def test_a_channel_called_new_has_its_page(as_zoya: Desk) -> None:
    as_zoya.post(NEW, {**FORM, "channel-slug": "new"})
    assert "imap.example.org" in as_zoya.get("/settings/channels/new/").content.decode()
    assert as_zoya.post("/settings/channels/new/pause/", {"paused": "on"}).status_code == 302
    assert Channel.objects.get().paused


def test_check_channels_tells_of_what_was_connected(as_zoya: Desk, capsys: pytest.CaptureFixture[str]) -> None:
    as_zoya.post(NEW, FORM)
    call_command("check_channels")
    assert "help: ok" in capsys.readouterr().out
    Channel.objects.update(in_failing_since=timezone.now() - timedelta(hours=1), in_error="no log-in")
    with pytest.raises(CommandError):
        call_command("check_channels")
    assert "receiving: no log-in" in capsys.readouterr().out
