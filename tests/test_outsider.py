"""Whoever is outside of a private team finds nothing of it, at any address: not in the API, on no page, no file.

Routes are taken from the routers themselves, so that a new one cannot be forgotten: an address whose parameters this
file does not know fails here, until somebody says what stands behind it. Live screens: tests/inbox/live.
"""

from __future__ import annotations

from typing import Any

import pytest
from django.test import Client
from django.urls import URLPattern, reverse
from django.utils import timezone

from api import urls as registered  # noqa: F401  api registers its own routes there
from api.models import Webhook, WebhookDelivery
from api.routing import urls as api_urls
from api.urls import urlpatterns as api_pages
from channels_chat.desk_urls import urlpatterns as desk_urls
from channels_chat.models import Chat, Visitor
from channels_chat.settings_urls import urlpatterns as chat_settings_urls
from channels_email.urls import urlpatterns as mailbox_urls
from channels_social.urls import urlpatterns as social_urls
from inbox.actions import cards, customer_notes, jobs, receive, reply, side, uploads
from inbox.adapters import Party, RawReceipt
from inbox.models import (
    Agent,
    Channel,
    Engagement,
    Macro,
    Message,
    Organisation,
    PushSubscription,
    RemoteFile,
    Role,
    SavedView,
    Team,
    Ticket,
)
from inbox.urls import urlpatterns as page_urls
from reports.handling.urls import urlpatterns as time_urls
from reports.models import Answer, Revenue, RevenueImport, Survey
from reports.survey_urls import urlpatterns as survey_urls
from reports.urls import urlpatterns as report_urls
from reports.worth.urls import urlpatterns as worth_urls
from tests.api.conftest import Api
from tests.cast import bilal, member, question, sana, support, team, ticket

__all__ = ["bilal", "sana", "support", "team", "ticket"]

SUBJECT = "Where is my parcel?"
BROWSER = {"endpoint": "https://push.example/1", "p256dh": "x", "auth": "y"}
NOWHERE = {int: 2**40, str: "nowhere"}
# What nobody is outside of: who works here, the words that tickets carry, what customers are asked.
# Figures are of what somebody sees: tests/reports/test_pages.py.
EVERYBODYS = {"agent-photo", "api-agents", "api-fields", "api-tags", "api-tokens", "filter", "reports-card",
              "reports-pains-part", "reports-part", "reports-target", "settings-new-survey", "settings-survey",
              "settings-tag"}  # fmt: skip
# Only administrators come near these: whoever lacks the right hears that, of what is there and what is not alike.
RIGHTS = ("api-webhooks", "settings-webhook", "settings-delivery", "settings-redeliver", "settings-people",
          "settings-person", "settings-invit", "settings-token", "settings-field", "settings-brand",
          "chat-settings", "chat-preview", "chat-secret")  # fmt: skip
CONNECTING = {
    "settings-channel-hours",
    "settings-channel-settings",
    "settings-channel-secret",
    "settings-channel-disconnect",
    "mailbox-oauth",
}
# What takes an administrator, who sees every channel; a customer of a private team alone they do not see.
ADMINISTRATORS = {("delete", "api-customers"), ("delete", "api-channels")}


@pytest.fixture
def theirs(team: Team, support: Channel, ticket: Ticket, sana: Agent) -> dict[str, dict[str, Any]]:
    """Something of the private team for each resource and page: {name of its routes: parameters}."""
    file = uploads.upload(by=sana, name="slip.pdf", content_type="application/pdf", content=b"%PDF-")
    answer = reply.reply(ticket, by=sana, text="Here it is.", attachments=[file.pk])
    Message.objects.filter(pk=answer.pk).update(state="failed", html="<p>Here it is.</p>")
    [receipt] = receive.store(support, [RawReceipt(b"From: a@example.com\n\nx", "one")])
    organisation = Organisation.objects.create(name="Khan Ltd")
    customer = ticket.customer
    customer.organisation = organisation
    customer.save()
    survey = Survey.objects.create(name="After", kind="csat")
    Answer.objects.create(survey=survey, ticket=ticket, customer=customer, value=4)
    Answer.objects.create(survey=survey, customer=customer)
    Revenue.objects.create(source="a", reference="1", customer=customer, at=timezone.now(), amount=1, currency="EUR")
    hook = Webhook.objects.create(name="x", url="https://example.com/", events=["*"], owner=sana)
    hook.teams.add(team)
    told = WebhookDelivery.objects.create(webhook=hook, kind="ping", message_id="msg_1")
    held = side.start(ticket, by=sana, to=[{"name": "", "address": "store@warehouse.example"}], text="Do you have it?")
    invited = {"key": "look", "text": {"en": "Hello"}, "all": [{"is": "exit"}]}
    chat = Channel.objects.create(kind="chat", name="Chat", slug="theirs", settings={"invitations": [invited]})
    chat.teams.add(team)
    talk = Chat.objects.create(
        engagement=Engagement.objects.create(ticket=ticket, channel=chat, kind="chat"),
        visitor=Visitor.objects.create(channel=chat, digest="x", address="v:x"),
        channel=chat,
    )
    one_chat = {"slug": chat.slug, "key": "look", "what": "invitation"}
    one_channel = {"slug": support.slug, "pk": receipt.receipt_id, "kind": "email"}
    message = {"pk": answer.pk}
    view = {"pk": SavedView.objects.create(name="Ours", team=team).pk}
    one_ticket = {"number": ticket.pk}
    note = customer_notes.add(customer, "Calls back after five.", by=sana)
    cards.put(customer, "crm", by=sana, title="Contract")
    other = question(support, SUBJECT, Party("email", "twin@example.com", "Ayesha Khan")).customer
    one_customer = {
        "pk": customer.pk, "identity": customer.identities.get().pk, "key": "crm", "note": note.pk,
        "name": "language", "other": other.pk,
    }  # fmt: skip
    people = SavedView.objects.create(name="Our people", noun="customers", team=team)
    return {
        "api-tickets": {**one_ticket, "link": 1},
        "api-messages": message,
        "api-comments": message,
        "api-chats": {"pk": talk.pk},
        "api-sides": {"pk": held.side_id},
        "api-attachments": {"pk": file.pk},
        "api-customers": one_customer,
        "api-organisations": {"pk": organisation.pk},
        "api-teams": {"pk": team.slug},
        "api-macros": {"pk": Macro.objects.create(name="Hello", team=team).pk},
        "api-views": view,
        "saved-view": view,
        "settings-view": view,
        "api-channels": {"pk": support.slug},
        "api-receipts": {"pk": receipt.receipt_id},
        "api-surveys-answers": {},
        "api-reports-kpis": {},
        "settings-survey": {"pk": survey.pk},
        "settings-new-survey": {"kind": "csat"},
        "survey": {"token": "nobody-was-told"},
        "api-revenue": {},
        "settings-revenue-import": {"pk": RevenueImport.objects.create(agent=sana).pk},
        "api-webhooks": {"pk": hook.pk, "delivery": told.pk},
        "settings-webhook": {"pk": hook.pk},
        "settings-delivery": {"pk": told.pk},
        "settings-redeliver": {"pk": told.pk},
        "settings-token": {"pk": 1},
        "settings-field": {"pk": 1},
        "ticket-link": {**one_ticket, "link": 1},
        "settings-brand": {"pk": 1},
        "settings-macro": {"pk": Macro.objects.create(name="Theirs", team=team).pk},
        "settings-channel": one_channel,
        "mailbox": one_channel,
        "settings-person": {"pk": sana.pk},
        "settings-invitation": {"pk": 1},
        "settings-team": {"pk": team.pk},
        "side": {"pk": held.side_id},
        "settings-notifications-forget": {
            "pk": PushSubscription.objects.create(
                agent=sana, endpoint="https://push.example/1", p256dh="x", auth="y"
            ).pk
        },
        "settings-unblock": {"pk": 2**40},
        "invitation": {"token": "nobody-was-told"},
        "welcome": {"token": "nobody-was-told"},
        "job": {"pk": jobs.begin(sana, "priority", "high", chosen=[ticket.pk]).pk},
        "ticket": one_ticket,
        "chat": one_ticket,
        "chat-settings": one_chat,
        "chat-preview": one_chat,
        "chat-secret": one_chat,
        "chat_": {"token": "nobody-was-told", "signed": "nobody-was-told"},
        "message": message,
        "hook": {"kind": "telegram", "token": "nobody-was-told"},
        "remote-file": {"pk": RemoteFile.objects.create(message=answer, position=0, ref={}).pk},
        "comment-post": {**one_ticket, **message},
        "comment-deed": {**one_ticket, **message, "deed": "hide"},
        "public-file": {"signed": "nobody-was-told"},
        "attachment": {"pk": file.pk},
        "customer": one_customer,
        "customers-view": {"pk": people.pk},
        "organisation": {"pk": organisation.pk},
    }


def family(name: str, known: dict[str, Any]) -> str:
    found = max((one for one in known if name.startswith(one)), key=len, default="")
    assert found, f"say in this test what of a private team stands behind the route {name}"
    return found


def outsider(role: str, scope: str = "write") -> Api:
    return Api(member(f"{role.title()}Elsewhere", role, None), scope)


def test_every_route_of_the_api(theirs: dict[str, dict[str, Any]], bilal: Agent) -> None:
    agent, manager, admin = Api(bilal), outsider(Role.MANAGER), outsider(Role.ADMIN, "admin")
    seen = 0
    for pattern in api_urls():
        assert isinstance(pattern, URLPattern) and pattern.name
        group = family(pattern.name, {**theirs, **dict.fromkeys(EVERYBODYS)})
        wanted = pattern.pattern.converters
        if group in EVERYBODYS or not wanted or set(wanted) == {"key"}:  # cards by ?external_id: test_customers.py
            continue
        if group in RIGHTS:
            path = reverse(pattern.name, kwargs={name: theirs[group][name] for name in wanted})
            answers = {api.call(method.upper(), path.removeprefix("/api/v1"), {}).status_code
                       for method in pattern.callback.actions for api in (agent, manager)}  # type: ignore[attr-defined]  # fmt: skip
            assert answers == {403}, path
            continue
        path = reverse(pattern.name, kwargs={name: theirs[group][name] for name in wanted}).removeprefix("/api/v1")
        nowhere = {name: NOWHERE[type(theirs[group][name])] for name in wanted}
        missing = reverse(pattern.name, kwargs=nowhere).removeprefix("/api/v1")
        for method in pattern.callback.actions:  # type: ignore[attr-defined]
            for api in (agent, manager):
                answer, other = (api.call(method.upper(), where, {}) for where in (path, missing))
                # Where a role may not do such a thing at all it hears that, of what is there and what is not alike.
                allowed = {404, 403} if api is agent or (method, group) in ADMINISTRATORS else {404}
                if group == "api-channels" and (method in {"patch", "delete"} or path.endswith("/rotate/")):
                    allowed = {404, 403}
                assert answer.status_code in allowed, (method, path, answer.content[:300])
                assert (answer.status_code, answer.content) == (other.status_code, other.content), (method, path)
                seen += 1
            if group not in {"api-channels", "api-receipts"}:  # administrators see every channel
                assert admin.call(method.upper(), path, {}).status_code == 404, (method, path)
    assert seen > 80


def test_every_list_of_the_api(theirs: dict[str, dict[str, Any]], bilal: Agent) -> None:
    apis = [Api(bilal), outsider(Role.MANAGER), outsider(Role.LIGHT)]
    seen = 0
    for pattern in api_urls():
        assert isinstance(pattern, URLPattern) and pattern.name
        group = family(pattern.name, {**theirs, **dict.fromkeys(EVERYBODYS)})
        if pattern.pattern.converters or "get" not in pattern.callback.actions:  # type: ignore[attr-defined]
            continue
        for api in () if group in RIGHTS else apis:
            answer = api.get(reverse(pattern.name).removeprefix("/api/v1"))
            if group == "api-reports-kpis" and api is apis[-1]:
                assert answer.status_code == 403  # light agents have no figures
                continue
            assert answer.status_code == 200
            assert SUBJECT not in answer.content.decode() and "ayesha" not in answer.content.decode().lower()
            if group not in EVERYBODYS:
                told = answer.json()
                counted = [one for one in told.get("figures", {}).values() if one["n"]]
                assert (counted if "figures" in told else told["results"]) == [], pattern.name
            seen += 1
    assert seen > 25


@pytest.mark.parametrize(
    "query",
    ["tickets/?team=support", "tickets/?channel=support", "receipts/?channel=support", "agents/?team=support",
     "customers/?organisation={organisation}"],
)  # fmt: skip
def test_filters_tell_nothing_either(query: str, theirs: dict[str, dict[str, Any]], bilal: Agent) -> None:
    api = Api(bilal)
    there = f"/{query.format(organisation=theirs['api-organisations']['pk'])}"
    missing = f"/{query.split('=')[0]}={2**40}"
    assert api.get(there).status_code == 400
    assert api.get(there).json()["errors"] == api.get(missing).json()["errors"]
    number = theirs["api-tickets"]["number"]
    for hidden in (f"customer={theirs['api-customers']['pk']}", f"q={number}", "q=parcel", "tag=parcel"):
        assert api.get(f"/tickets/?{hidden}").json()["results"] == []
    assert api.get("/customers/?identity=ayesha@example.com").json()["results"] == []
    assert api.get("/customers/?q=ayesha").json()["results"] == []


def test_naming_what_is_hidden_in_a_body_is_as_if_it_were_not_there(
    theirs: dict[str, dict[str, Any]], bilal: Agent, team: Team
) -> None:
    from tests.cast import question

    open_channel = Channel.objects.create(kind="email", name="Sales", slug="sales", addresses=["sales@example.org"])
    own = question(open_channel, "Mine")
    own.customer.tickets.exclude(pk=own.pk).update(customer=own.customer)
    api = Api(bilal)
    number, pk = theirs["api-tickets"]["number"], own.pk
    wrong: list[tuple[str, str, dict[str, Any]]] = [
        ("POST", f"/tickets/{pk}/merge/", {"into": number}),
        ("PATCH", f"/tickets/{pk}/", {"team": team.slug}),
        ("POST", f"/tickets/{pk}/messages/", {"kind": "reply", "text": "x", "channel": "support"}),
        ("POST", "/tickets/", {"channel": "support", "customer": own.customer_id, "subject": "x", "text": "x"}),
        ("POST", "/macros/", {"name": "x", "team": team.slug}),
        ("POST", "/views/", {"name": "x", "query": {"team": team.slug}}),
    ]
    for method, path, body in wrong:
        assert api.call(method, path, body).status_code == 400, (method, path)
    foreign = theirs["api-messages"]["pk"]
    assert api.post(f"/tickets/{pk}/split/", {"messages": [foreign]}).status_code == 422
    upload = {"kind": "note", "text": "x", "attachments": [theirs["api-attachments"]["pk"]]}
    assert api.post(f"/tickets/{pk}/messages/", upload).status_code == 409


@pytest.mark.parametrize("role", [Role.AGENT, Role.MANAGER, Role.LIGHT])
def test_every_page(role: str, theirs: dict[str, dict[str, Any]]) -> None:
    browser = Client()
    browser.force_login(member("Elsewhere", role, None))
    pages = 0
    settings = [one for one in api_pages if (getattr(one, "name", None) or "").startswith("settings")]
    for pattern in [*page_urls, *settings, *mailbox_urls, *desk_urls, *chat_settings_urls, *social_urls, *time_urls,
                    *report_urls, *survey_urls, *worth_urls]:  # fmt: skip
        assert isinstance(pattern, URLPattern) and pattern.name
        wanted = pattern.pattern.converters
        if not wanted:
            answer = browser.get(reverse(pattern.name))
            assert SUBJECT not in answer.content.decode(), pattern.name
            unsaid = {404} if pattern.name == "reports-tickets" else set()  # which figure's
            assert answer.status_code in {200, 302, 403, 405, *unsaid}, pattern.name
            continue
        group = family(pattern.name, {**theirs, **dict.fromkeys(EVERYBODYS)})
        if group in EVERYBODYS:
            continue
        path = reverse(pattern.name, kwargs={name: theirs[group][name] for name in wanted})
        read, posted = browser.get(path), browser.post(path, {"number": 1})
        if pattern.name == "ticket-changes":  # an open tab asks: what it saw is gone, as if it had never been there
            missing = browser.get(reverse(pattern.name, kwargs=dict.fromkeys(wanted, 2**40)))
            own = str(next(iter(theirs[group].values())))
            assert read.content == missing.content.replace(str(2**40).encode(), own.encode())
            continue
        found = {read.status_code, posted.status_code}
        if pattern.name == "settings-channel-connect":  # names a kind of channel, nothing of anybody's
            assert found == {403}
            continue
        refused = {403} if role != Role.MANAGER or group.startswith(RIGHTS) or pattern.name in CONNECTING else set()
        assert found & {404, *refused} and found <= {404, 405, *refused}, (path, found)
        pages += 1
    assert pages > 40
