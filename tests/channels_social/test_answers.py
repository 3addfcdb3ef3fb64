"""What an answer takes on each channel, and that nothing goes out in public unasked: no platform is needed for that."""

from __future__ import annotations

import re
from datetime import timedelta
from typing import Any

import pytest
from django.utils import timezone

from channels_social import public
from channels_social.whatsapp import templates
from inbox import fitting
from inbox.actions import drafts, incidents, links, merge, reply, scheduling, uploads
from inbox.actions.errors import ActionError, Unconfirmed
from inbox.adapters import Party, adapter_for
from inbox.counting import Limit
from inbox.models import Agent, Channel, Draft, Identity, Message, Reach, Ticket
from tests.api.conftest import Api
from tests.cast import question
from tests.inbox.views.conftest import Desk

MB = 1024 * 1024
TEMPLATE = {
    "name": "order",
    "language": "en",
    "components": [
        {"type": "HEADER", "format": "TEXT", "text": "Order {{1}}", "example": {"header_text": ["1042"]}},
        {"type": "BODY", "text": "Hello {{1}}, it comes {{2}}.", "example": {"body_text": [["Ana", "today"]]}},
        {"type": "BUTTONS", "buttons": [{"type": "URL", "text": "Track", "url": "https://shop.example/{{1}}"}]},
    ],
}
PICTURE = {"name": "look", "language": "en", "components": [{"type": "HEADER", "format": "IMAGE"}]}


@pytest.fixture
def sana(db: None) -> Agent:
    return Agent.objects.create_user("sana@desk.example", name="Sana", role="agent")


def open_channel(kind: str, **settings: Any) -> Channel:
    return Channel.objects.create(kind=kind, name=kind.title(), slug=kind, settings=settings)


def ticket_on(channel: Channel, address: str = "+923001234567", scope: str = "", **payload: Any) -> Ticket:
    """What somebody wrote on this channel a moment ago."""
    sender = Party(adapter_for(channel.kind).identity_kind, address, "Ana", scope)
    found = question(channel, "Price?", sender)
    Message.objects.filter(ticket=found).update(external_id="c1", payload=payload)
    return found


def comment_on(channel: Channel, **payload: Any) -> Ticket:
    own = channel.settings.get("page_id") or channel.settings.get("ig_id")
    scope = f"feed:{own}" if channel.kind == "facebook" else f"ig:{own}"
    found = ticket_on(channel, "8880001", scope, public=True, thread="c1", **payload)
    Ticket.objects.filter(pk=found.pk).update(thread_key="comment:c1")
    found.refresh_from_db()
    return found


def file(sana: Agent, name: str, kind: str, size: int = 10) -> int:
    row = uploads.upload(by=sana, name=name, content_type=kind, content=b"x")
    row.size = size
    row.save()
    return row.pk


# Lengths -------------------------------------------------------------------------------------------------------------


def test_each_kind_of_answer_has_its_own_limit(sana: Agent) -> None:
    page, ig = open_channel("facebook", page_id="1"), open_channel("instagram", ig_id="2")
    for channel, comment, talk in ((page, 8000, Limit(1999)), (ig, 300, Limit(1000, "bytes"))):
        adapter, ticket = adapter_for(channel.kind), comment_on(channel)
        assert adapter.takes(ticket, channel, {}).limit == talk
        panel = adapter.composer_panel(ticket, channel, sana)
        assert panel is not None
        assert panel.takes["public"].limit == Limit(comment, "codepoints", most=1)
        assert panel.takes["private"].limit == Limit(talk.longest, talk.unit, most=1)
    small, usual = open_channel("api", limit=40), Ticket()
    assert adapter_for("api").takes(usual, small, {}).limit == Limit(40, "codepoints")
    assert adapter_for("whatsapp").takes(usual, small, {"way": "template"}).limit is None
    assert [(one, adapter_for(one).takes(usual, small, {}).sms) for one in ("sms", "telegram")] == [
        ("sms", True),
        ("telegram", False),
    ]


def test_the_composer_is_told_what_each_way_takes(sana: Agent) -> None:
    ticket = comment_on(open_channel("instagram", ig_id="2"))
    html = Desk(sana).get(f"/tickets/{ticket.pk}/").content.decode()
    assert 'value="public"' in html and 'data-longest="300"' in html and 'data-longest="1000"' in html
    assert html.count('data-files="[]"') == 2, "neither under the comment nor with the first private message"


def test_a_new_ticket_is_told_it_as_well(sana: Agent) -> None:
    desk = Desk(sana)
    open_channel("sms")
    on_whatsapp()
    assert desk.get("/tickets/new/").content.decode().count('id="count"') == 1
    html = desk.get("/tickets/new/way/?channel=sms", part=True).content.decode()
    assert 'data-longest="1600"' in html and 'data-sms="yes"' in html
    html = desk.get("/tickets/new/way/?channel=whatsapp", part=True).content.decode()
    usual, template = html.split('<data value="template"')
    assert "data-longest" in usual and 'data-files="[]"' in template
    assert "data-longest" not in template, "it has a length of its own"


def test_what_cannot_be_chosen_says_why(sana: Agent) -> None:
    channel = open_channel("facebook", page_id="1")
    live = adapter_for("facebook").composer_panel(comment_on(channel, live=True), channel, sana)
    assert live is not None and [(way, first, bool(shut)) for way, first, shut in live.context["ways"]] == [
        ("public", False, True),
        ("private", True, False),
    ]
    old = comment_on(channel)
    Message.objects.filter(ticket=old).update(created_at=timezone.now() - timedelta(days=8))
    late = adapter_for("facebook").composer_panel(old, channel, sana)
    assert late is not None and "seven days" in late.context["ways"][1][2]


def test_what_was_to_be_private_does_not_become_public_by_itself(sana: Agent) -> None:
    channel = open_channel("facebook", page_id="1")
    ticket, adapter = comment_on(channel), adapter_for("facebook")

    def chosen(options: dict[str, str]) -> list[str]:
        panel = adapter.composer_panel(ticket, channel, sana, options)
        assert panel is not None and panel.context["anew"] == (not any(one[1] for one in panel.context["ways"]))
        return [way for way, first, _shut in panel.context["ways"] if first]

    assert chosen({"way": "private"}) == chosen({"way": "human_agent"}) == ["private"]
    assert chosen({"way": "public"}) == chosen({"way": "nonsense"}) == chosen({}) == ["public"]
    Message.objects.filter(ticket=ticket).update(created_at=timezone.now() - timedelta(days=8))
    assert chosen({"way": "private"}) == [] and chosen({}) == ["public"]
    written = {"kind": "reply", "text": "In confidence", "client_id": "a", "recipients": {"option.way": "private"}}
    drafts.save(sana, ticket, written, version=0)
    html = Desk(sana).get(f"/tickets/{ticket.pk}/").content.decode()
    assert 'value="public" data-public required>' in html, "its writer has to say so"
    assert html.index('name="option.way" value="private">') < html.index('name="option.way" value="public"')
    with pytest.raises(ActionError, match="seven days"):
        reply.reply(ticket, by=sana, text="In confidence", options={"way": "private"})
    long_ago, who = timezone.now() - timedelta(days=9), ticket.messages.get().author_address
    Message.objects.create(
        ticket=ticket, first_ticket=ticket, channel=channel, direction="in", author_kind="customer", text="In private",
        author_address=who, external_id="m-talk", created_at=long_ago,
    )  # fmt: skip
    assert chosen({}) == [], "nor does what goes on with a talk in private that is over"
    assert chosen({"way": "public"}) == ["public"]


def chosen_beside(desk: Desk, ticket: Ticket) -> list[str]:
    """The ways that stand chosen in the composer."""
    html = desk.get(f"/tickets/{ticket.pk}/").content.decode()
    return re.findall(r'type="radio" name="option\.\w+" value="(\w+)"[^>]* checked', html)


def test_what_was_private_stays_so_when_it_is_written_again(sana: Agent) -> None:
    """Nobody is asked here once one of us has spoken in public: it would be sent at a click."""
    ticket, desk = comment_on(open_channel("facebook", page_id="1")), Desk(sana)
    reply.reply(ticket, by=sana, text="Hello, all", options={"way": "public", "public_ok": "yes"})
    message = reply.reply(ticket, by=sana, text="In confidence", options={"way": "private"})
    assert chosen_beside(desk, ticket) == ["public"]
    Message.objects.filter(pk=message.pk).update(state="failed")
    assert scheduling.take_back(message, by=sana).recipients == {"option.way": "private"}
    assert chosen_beside(desk, ticket) == ["private"]
    shop = open_channel("api", webhook_url="https://shop.example/", public="yes")
    ticket = ticket_on(shop, "shopper", f"channel:{shop.pk}", public=True)
    later = timezone.now() + timedelta(days=1)
    message = reply.reply(ticket, by=sana, text="In confidence", options={"public": "no"}, send_at=later)
    scheduling.take_back(message, by=sana)
    assert chosen_beside(desk, ticket) == ["no"]


@pytest.mark.parametrize(("said", "since"), [("public", "private"), ("private", "public")])
def test_two_texts_that_become_one_are_public_only_where_both_were(sana: Agent, said: str, since: str) -> None:
    ticket = comment_on(open_channel("facebook", page_id="1"))
    later = timezone.now() + timedelta(days=1)
    options = {"way": said, "public_ok": "yes"} if said == "public" else {"way": said}
    message = reply.reply(ticket, by=sana, text="One", options=options, send_at=later)
    begun = {"kind": "reply", "text": "Two", "client_id": "a", "recipients": {"option.way": since}}
    drafts.save(sana, ticket, begun, version=0)
    draft = scheduling.take_back(message, by=sana)
    assert (draft.text, draft.recipients) == ("One\n\nTwo", {"option.way": "private"})


@pytest.mark.parametrize(("there", "here"), [("public", "private"), ("private", "public")])
def test_drafts_of_two_tickets_that_become_one_are_public_only_where_both_were(
    sana: Agent, there: str, here: str
) -> None:
    channel = open_channel("facebook", page_id="1")
    gone, kept = comment_on(channel), comment_on(channel)
    for ticket, text, way in ((gone, "One", there), (kept, "Two", here)):
        begun = {"kind": "reply", "text": text, "client_id": text, "recipients": {"option.way": way}}
        drafts.save(sana, ticket, begun, version=0)
    merge.merge(gone, kept, by=sana)
    draft = Draft.objects.get(agent=sana)
    assert (draft.ticket_id, draft.text) == (kept.pk, "Two\n\nOne")
    assert draft.recipients == {"option.way": "private"}


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("#a #b #c #d https://a.example and C#5", ""),
        ("#a #b #c #d #e", "4 hashtags"),
        ("https://a.example or http://b.example", "one link"),
    ],
)
def test_under_a_comment_on_instagram_are_few_links_and_hashtags(text: str, said: str, sana: Agent) -> None:
    ticket, yes = comment_on(open_channel("instagram", ig_id="2")), {"way": "public", "public_ok": "yes"}
    if not said:
        assert reply.reply(ticket, by=sana, text=text, options=yes).state == "queued"
        return
    with pytest.raises(ActionError, match=said):
        reply.reply(ticket, by=sana, text=text, options=yes)


# Files ---------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("kind", "name", "content_type", "size", "said"),
    [
        ("instagram", "list.pdf", "application/pdf", 10, "Instagram takes pictures"),
        ("instagram", "big.png", "image/png", 9 * MB, "8 MB go here at most"),
        ("instagram", "film.mp4", "video/mp4", 9 * MB, ""),
        ("facebook", "list.pdf", "application/pdf", 24 * MB, ""),
        ("facebook", "list.pdf", "application/pdf", 26 * MB, "25 MB"),
        ("whatsapp", "all.zip", "application/zip", 10, "WhatsApp takes"),
        ("whatsapp", "list.csv", "text/csv; charset=utf-8", 10, ""),
        ("whatsapp", "photo.jpg", "image/jpeg", 6 * MB, ""),
        ("telegram", "all.zip", "application/zip", 51 * MB, "50 MB"),
        ("sms", "all.zip", "application/zip", 10, "MMS carries"),
        ("sms", "b.png", "image/png", 6 * MB, "5 MB"),
        ("api", "all.zip", "application/zip", 10, ""),
    ],
)
def test_a_file_that_cannot_arrive_is_refused_before_it_is_sent(
    kind: str, name: str, content_type: str, size: int, said: str, sana: Agent, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(public, "reachable", lambda: True)
    monkeypatch.setattr(type(adapter_for(kind)), "may_reply", lambda *_: _allowed())
    channel = open_channel(kind, page_id="1", ig_id="2", webhook_url="https://shop.example/")
    ticket = ticket_on(channel, scope=adapter_for(kind).scope(channel))
    given = [file(sana, name, content_type, size)]
    if not said:
        assert reply.reply(ticket, by=sana, text="Here", attachments=given).state == "queued"
        return
    with pytest.raises(ActionError) as refused:
        reply.reply(ticket, by=sana, text="Here", attachments=given)
    assert refused.value.code == "files" and name in str(refused.value) and said in str(refused.value)
    assert not Message.objects.filter(direction="out").exists()


def _allowed() -> Any:
    from inbox.adapters import Verdict

    return Verdict(True)


def test_sms_takes_no_files_where_nobody_can_fetch_them(sana: Agent, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(public, "reachable", lambda: False)
    told = fitting.data(adapter_for("sms").takes(Ticket(), Channel(kind="sms"), {}))
    assert told["files"] == "[]" and "link" in told["refusal"] and told["sms"] == "yes"


@pytest.mark.parametrize("options", [{"way": "public", "public_ok": "yes"}, {"way": "private"}])
def test_no_file_goes_with_an_answer_to_a_comment(options: dict[str, str], sana: Agent) -> None:
    ticket = comment_on(open_channel("instagram", ig_id="2"))
    answer = Api(sana).post(
        f"/tickets/{ticket.pk}/messages/",
        {"kind": "reply", "text": "30", "attachments": [file(sana, "a.png", "image/png")], "options": options},
    )
    assert (answer.status_code, answer.json()["type"].rpartition("-")[2]) == (422, "files")
    assert not Message.objects.filter(direction="out").exists()


def test_a_note_takes_any_file(sana: Agent) -> None:
    ticket = comment_on(open_channel("instagram", ig_id="2"))
    assert reply.note(ticket, by=sana, text="Look", attachments=[file(sana, "all.zip", "application/zip")]).has_files


# In public -----------------------------------------------------------------------------------------------------------


def test_what_everybody_would_read_is_asked_about_once(sana: Agent) -> None:
    desk, ticket = Desk(sana), comment_on(open_channel("facebook", page_id="1"))
    path, typed = f"/tickets/{ticket.pk}/messages/", {"kind": "reply", "version": 0, "option.way": "public"}
    html = desk.post(path, {**typed, "text": "30", "client_id": "a", "status": "solved"}, part=True).content.decode()
    assert not Message.objects.filter(direction="out").exists()
    assert '<input type="hidden" name="option.public_ok" value="yes">' in html
    assert 'name="status" value="solved" id="send-anyway" data-first' in html
    whole = desk.post(path, {**typed, "text": "30", "client_id": "a"}).content.decode()
    assert "30</textarea>" in whole and 'name="option.public_ok"' in whole, "without a script, too"
    desk.post(path, {**typed, "text": "30", "client_id": "a", "option.public_ok": "yes"}, part=True)
    assert Message.objects.get(direction="out").payload["public"] is True
    desk.post(path, {**typed, "text": "And in blue", "client_id": "b"}, part=True)
    assert Message.objects.filter(direction="out").count() == 2, "asked no more"
    Message.objects.filter(direction="out").update(state="cancelled")
    with pytest.raises(Unconfirmed):  # none of them was read by anybody
        reply.reply(ticket, by=sana, text="30", options={"way": "public"})


def test_an_answer_to_another_question_keeps_what_was_agreed(sana: Agent) -> None:
    ticket = comment_on(open_channel("facebook", page_id="1"))
    newest = ticket.messages.latest("pk").pk
    bilal = Agent.objects.create_user("bilal@desk.example", name="Bilal", role="agent")
    reply.reply(ticket, by=bilal, text="Me first", options={"way": "private"})
    typed = {"kind": "reply", "version": 0, "text": "30", "client_id": "a", "newest": newest, "option.way": "public"}
    answer = Desk(sana).post(f"/tickets/{ticket.pk}/messages/", {**typed, "option.public_ok": "yes"}, part=True)
    assert "Me first" in answer.content.decode() and 'name="option.public_ok"' in answer.content.decode()


def test_reviews_are_asked_about_as_well(sana: Agent) -> None:
    channel = open_channel("api", webhook_url="https://shop.example/", public="yes")
    ticket = ticket_on(channel, "shopper", f"channel:{channel.pk}", public=True)
    adapter = adapter_for("api")
    panel = adapter.composer_panel(ticket, channel, sana)
    assert panel is not None and panel.context["everybody"] == "ask"
    with pytest.raises(Unconfirmed):
        reply.reply(ticket, by=sana, text="Sorry", options={"public": "ask"})
    reply.reply(ticket, by=sana, text="Sorry", options={"public": "ask", "public_ok": "yes"})
    panel = adapter.composer_panel(ticket, channel, sana)
    assert panel is not None and panel.context["everybody"] == "yes", "asked once"


@pytest.mark.parametrize("kind", ["facebook", "api"])
def test_nothing_goes_out_in_public_unasked(kind: str, sana: Agent) -> None:
    """Neither by the API, nor as one answer to many, nor by itself: even where somebody has spoken there."""
    if kind == "facebook":
        ticket = comment_on(open_channel("facebook", page_id="1"))
        yes: dict[str, Any] = {"way": "public", "public_ok": True}
    else:
        channel = open_channel("api", webhook_url="https://shop.example/", public="yes")
        ticket, yes = ticket_on(channel, "shopper", f"channel:{channel.pk}", public=True), {"public": "yes"}
    reply.reply(ticket, by=sana, text="By hand", options=yes)
    path, said = f"/tickets/{ticket.pk}/messages/", {"kind": "reply", "text": "By API"}
    answer = Api(sana).post(path, said)
    assert (answer.status_code, answer.json()["type"].rpartition("-")[2]) == (422, "public")
    problem = question(open_channel("email"), "All is down", Party("email", "ops@example.com", "Ops"))
    links.link(ticket, problem, "incident", by=sana)
    job = incidents.update(problem, by=sana, text="By job", solve=True, client_id="a")
    assert (job.changed, job.failed) == (0, 1) and "Everybody" in job.items.get().error
    with pytest.raises(ActionError):
        reply.reply(ticket, by=None, text="By itself", automatic=True)
    assert Api(sana).post(path, {**said, "options": yes}).status_code == 201
    assert [one.text for one in Message.objects.filter(direction="out").order_by("pk")] == ["By hand", "By API"]


# Templates -----------------------------------------------------------------------------------------------------------


def on_whatsapp() -> Ticket:
    channel = open_channel("whatsapp")
    channel.condition = {
        "templates": [templates.kept(TEMPLATE), {"name": "other", "language": "en", "body": "{{1}} {{2}} {{3}} {{4}}"}],
        "templates_left": [templates.left(PICTURE)],
    }
    channel.save()
    ticket = ticket_on(channel)
    Reach.objects.create(
        channel=channel, identity=Identity.objects.get(value="+923001234567"), last_in_at=timezone.now()
    )
    return ticket


def test_of_a_template_its_own_fields_are_shown_and_what_it_says(sana: Agent) -> None:
    desk, ticket = Desk(sana), on_whatsapp()
    html = desk.get(f"/tickets/{ticket.pk}/").content.decode()
    assert "option.template" in html and "option.1" not in html
    assert "look (en): it begins with a picture" in html, "what cannot be sent says why"
    html = desk.get(f"/tickets/{ticket.pk}/way/?option.template=order|en&option.2=Ana", part=True).content.decode()
    assert [f'name="option.{place}"' in html for place in range(1, 6)] == [True] * 4 + [False]
    assert 'data-slot="2" data-shown="{{1}}" data-filled dir="auto">Ana</b>' in html
    assert 'data-slot="4" data-shown="{{1}}" dir="auto">{{1}}</b>' in html
    assert 'placeholder="1042"' in html and 'placeholder="today"' in html
    assert "<script" not in html.partition('id="whatsapp-templates"')[2] and "style=" not in html


def test_a_value_that_is_missing_marks_its_field(sana: Agent) -> None:
    desk, ticket = Desk(sana), on_whatsapp()
    typed = {"kind": "reply", "version": 0, "client_id": "a", "option.template": "order|en", "option.1": "1042"}
    path = f"/tickets/{ticket.pk}/messages/"
    html = desk.post(path, {**typed, "option.3": "today"}, part=True).content.decode()
    assert 'data-field="option.2"' in html and "needs a value for" in html
    whole = desk.post(path, typed).content.decode()
    assert 'name="option.1" value="1042"' in whole, "without a script its fields come with the refusal"
    assert not Message.objects.filter(direction="out").exists()
    desk.post(path, typed | {"option.2": "Ana", "option.3": "today", "option.4": "x"}, part=True)
    assert Message.objects.get(direction="out").text == "Order 1042\nHello Ana, it comes today."


def test_a_draft_keeps_its_template(sana: Agent) -> None:
    desk, ticket = Desk(sana), on_whatsapp()
    page, path = f"/tickets/{ticket.pk}/", f"/tickets/{ticket.pk}/draft/"
    chosen, filled = 'value="order|en" selected', 'name="option.2" value="Ana"'
    said = {"option.template": "order|en", "option.2": "Ana"}
    written = {"kind": "reply", "text": "", "client_id": "a", **said}
    more = {"option.3": " ", "option.public_ok": "yes", "option.x y": "z"}
    assert desk.post(path, {**written, **more, "version": 0}).json() == {"version": 1}
    assert Draft.objects.get().recipients == said, "nothing empty, unknown, or agreed to"
    told = desk.get(path).json()
    assert (told["options"], told["people"]) == (said, {})
    for address in (page, f"{page}changes/"):
        html = desk.get(address, part=True).content.decode()
        assert chosen in html and filled in html
    way = f"{page}way/?channel={ticket.channel_id}&option.template="
    assert filled not in desk.get(way, part=True).content.decode(), "somebody chose none"
    # What there is no more is left out; what is left of the draft stays.
    channel = Channel.objects.get(kind="whatsapp")
    Channel.objects.update(condition={"templates": channel.condition["templates"][1:]})
    html = desk.get(page).content.decode()
    assert chosen not in html and "option.2" not in html and "option.template" in html
    Channel.objects.update(condition=channel.condition)
    desk.post(f"{page}messages/", {**written, "version": 1, "option.1": "1", "option.3": "x", "option.4": "y"})
    assert Message.objects.filter(direction="out").exists() and not Draft.objects.exists()
    assert filled not in desk.get(page).content.decode()
    assert desk.post(path, {**written, "client_id": "b", "version": 0}).json() == {"version": 1}
    assert desk.post(path, {"kind": "reply", "client_id": "b", "version": 1}).json() == {"version": 0}
    assert not Draft.objects.exists(), "discarded"


def test_the_draft_of_a_new_ticket_keeps_its_template(sana: Agent) -> None:
    desk = Desk(sana)
    on_whatsapp()
    written = {"client_id": "a", "channel": "whatsapp", "option.template": "order|en", "option.1": "1042"}
    assert desk.post("/tickets/new/draft/", {**written, "version": 0}).json() == {"version": 1}
    html = desk.get("/tickets/new/").content.decode()
    assert 'value="order|en" selected' in html and 'name="option.1" value="1042"' in html
    html = desk.post("/tickets/new/", {**written, "option.1": "7"}).content.decode()
    assert 'name="option.1" value="7"' in html, "what was just typed is newer"


def test_options_of_another_channel_are_none_of_this_one(sana: Agent) -> None:
    ticket = on_whatsapp()
    second = open_channel("api", webhook_url="https://shop.example/")
    drafts.save(
        sana,
        ticket,
        {"kind": "reply", "client_id": "a", "channel_id": second.pk, "recipients": {"option.template": "order|en"}},
        version=0,
    )
    assert 'value="order|en" selected' not in Desk(sana).get(f"/tickets/{ticket.pk}/").content.decode()


def test_a_draft_that_everybody_would_read_is_asked_about_again(sana: Agent) -> None:
    channel = open_channel("api", webhook_url="https://shop.example/", public="yes")
    ticket = ticket_on(channel, "shopper", f"channel:{channel.pk}", public=True)
    desk, path = Desk(sana), f"/tickets/{ticket.pk}/"
    written = {"kind": "reply", "text": "Sorry", "client_id": "a", "version": 0}
    asked = {"option.public": "ask", "option.public_ok": "yes"}
    assert desk.post(f"{path}draft/", {**written, **asked}).json() == {"version": 1}
    html = desk.get(path).content.decode()
    assert 'name="option.public" value="ask" data-public checked' in html and "public_ok" not in html
    html = desk.post(f"{path}messages/", {**written, "option.public": "ask"}, part=True).content.decode()
    assert 'name="option.public_ok"' in html and not Message.objects.filter(direction="out").exists()
    desk.post(f"{path}draft/", {**written, "version": 1, "option.public": "no"})
    html = desk.get(path).content.decode()
    assert 'value="no" checked' in html and "data-public checked" not in html


def test_a_late_answer_of_a_person_stays_chosen(sana: Agent) -> None:
    channel = open_channel("facebook", page_id="1", human_agent=True)
    ticket = ticket_on(channel, "8880001", "page:1")
    who = Identity.objects.get(value="8880001")
    began = timezone.now() - timedelta(days=2)
    Reach.objects.create(channel=channel, identity=who, last_in_at=began, closes_at=began + timedelta(days=1))
    desk, path = Desk(sana), f"/tickets/{ticket.pk}/"
    assert 'value="human_agent">' in desk.get(path).content.decode()
    written = {"kind": "reply", "text": "Sorry", "client_id": "a", "version": 0, "option.way": "human_agent"}
    desk.post(f"{path}draft/", written)
    assert 'value="human_agent" checked>' in desk.get(path).content.decode()


def test_no_file_goes_with_a_template(sana: Agent) -> None:
    ticket = on_whatsapp()
    options = {"template": "order|en", "1": "a", "2": "b", "3": "c", "4": "d"}
    with pytest.raises(ActionError, match="goes alone"):
        reply.reply(ticket, by=sana, options=options, attachments=[file(sana, "a.png", "image/png")])


def test_why_a_template_cannot_be_sent() -> None:
    body = {"type": "BODY", "text": "Hi"}
    for more, why in (
        ({"type": "HEADER", "format": "VIDEO"}, "media"),
        ({"type": "BUTTONS", "buttons": [{"type": "COPY_CODE"}]}, "buttons"),
        ({"type": "CAROUSEL"}, "part"),
    ):
        found = templates.left({"name": "x", "language": "en", "components": [body, more]})
        assert found is not None and found["why"] == why and templates.why_not(found)
    assert templates.left({"name": "x", "language": "en", "components": [body]}) is None
    assert templates.left({"name": "x", "language": "en", "status": "REJECTED", "components": []}) is None
