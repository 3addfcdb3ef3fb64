"""Consent by OAuth in a real browser, whose policy forbids forms to lead elsewhere."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from channels_email.models import OAuthGrant
from inbox.models import Agent, Channel
from tests.browser.conftest import Open, Server
from tests.servers import oauth


@pytest.fixture
def server(transactional_db: None, monkeypatch: pytest.MonkeyPatch) -> Iterator[Server]:
    """A web process that knows the stand-in for Google."""
    with oauth.running() as provider:
        for name in ("GOOGLE_CONSENT_URL", "GOOGLE_TOKEN_URL"):
            monkeypatch.setenv(name, provider.url)
        for name, value in zip(("GOOGLE_CLIENT_ID", "GOOGLE_CLIENT_SECRET"), oauth.CLIENT, strict=True):
            monkeypatch.setenv(name, value)
        running = Server()
        running.start()
        yield running
        running.stop()


SUBMIT = """() => {
    const form = document.createElement("form")
    form.method = "post"
    form.action = "/settings/channels/support/oauth/"
    form.append(document.querySelector("[name=csrfmiddlewaretoken]").cloneNode())
    document.body.append(form)
    form.requestSubmit()
}"""


def test_the_way_to_the_provider_and_back(open_as: Open, zoya: Agent, support: Channel) -> None:
    """The stand-in is another site, and consents at once; the mailbox's page is where one comes back to."""
    server = {"host": "imap.gmail.com", "username": "support@rabta.example", "oauth": "google"}
    support.settings = {**support.settings, "imap": server}
    support.save()
    page = open_as(zoya, "/settings/")
    page.evaluate(SUBMIT)
    page.wait_for_url("**/settings/channels/support/")
    assert OAuthGrant.objects.get().account == "support@rabta.example"


def test_the_button_leads_to_the_provider(open_as: Open, zoya: Agent, support: Channel) -> None:
    page = open_as(zoya, "/settings/channels/new/email/?address=help@gmail.com")
    page.get_by_label("With Google").check()
    page.get_by_role("button", name="Connect and test").click()
    page.wait_for_url("**/settings/channels/help/?test=new")
    assert "oauth" in Channel.objects.get(slug="help").settings["imap"]
    page.get_by_role("button", name="Connect with Google").click()
    page.wait_for_url("**/settings/channels/help/")
    page.get_by_text("The permission holds.").wait_for()
    assert OAuthGrant.objects.get().channel.slug == "help"
