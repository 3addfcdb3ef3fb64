"""The emulators of Facebook's pages (Messenger, comments) and of Instagram, over real HTTP."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from datetime import timedelta
from typing import Any

import pytest
import requests
from django.utils import timezone

from sandbox.phones import acts, chats, core, facebook, graph, hooks, instagram, messenger
from sandbox.phones.models import Account, Line, Media, Person, Told
from tests.sandbox.far_end import PNG, FarEnd, far_end

pytestmark = pytest.mark.django_db(transaction=True)
PAGE, IG, SECRET = "1029384756", "178414001", "s3cr3t_app"
PAGE_FIELDS = (
    "messages,message_echoes,message_deliveries,message_reads,message_reactions,message_edits,messaging_postbacks,"
    "messaging_referrals,feed"
)
IG_FIELDS = "messages,message_reactions,message_edit,messaging_seen,messaging_postbacks,comments,live_comments"
Ask = Callable[..., Any]


@pytest.fixture
def end() -> Iterator[FarEnd]:
    with far_end() as made:
        yield made


def _account(platform: str, external_id: str, live_server: Any, end: FarEnd, fields: str) -> Account:
    return Account.objects.create(
        platform=platform,
        external_id=external_id,
        name="Rabta Shop",
        secrets={"token": f"token-{platform}", "app_secret": SECRET},
        settings={
            "app_id": "15177764",
            "username": "rabta.shop",
            "origin": live_server.url,
            "webhook_url": f"{end.url}/hook",
            "subscribed_fields": fields.split(","),
        },
    )


@pytest.fixture
def page(live_server: Any, end: FarEnd) -> Account:
    return _account("facebook", PAGE, live_server, end, PAGE_FIELDS)


@pytest.fixture
def ig(live_server: Any, end: FarEnd) -> Account:
    return _account("instagram", IG, live_server, end, IG_FIELDS)


@pytest.fixture
def ask(live_server: Any) -> Ask:
    """A call: account, method and path, and what is sent as JSON; the answer's JSON, errors as their code/subcode."""

    def do(account: Account, method: str, path: str, sent: Any = None, **query: str) -> Any:
        answer = requests.request(
            method,
            f"{live_server.url}/sandbox/phones/graph/v26.0/{path}",
            params=query,
            json=sent,
            headers={"Authorization": f"Bearer {account.secrets['token']}"},
            timeout=5,
        )
        found = answer.json()
        if "error" in found:
            assert answer.status_code >= 400 and found["error"]["fbtrace_id"]
            return found["error"]["code"], found["error"].get("error_subcode", 0)
        return found

    return do


def told(account: Account, end: FarEnd) -> list[dict[str, Any]]:
    """What came by webhook since last time: events of chats, or values of changes; signatures checked."""
    end.got.clear()
    core.push(account)
    found: list[dict[str, Any]] = []
    for content, headers in end.got:
        assert headers["X-Hub-Signature-256"] == hooks.signature(SECRET, content)
        body = json.loads(content)
        assert body["object"] == {"facebook": "page", "instagram": "instagram"}[account.platform]
        for entry in body["entry"]:
            assert entry["id"] == account.external_id and len(entry.get("messaging", [])) <= 1
            found += entry.get("messaging", []) + entry.get("standby", [])
            found += [change["value"] for change in entry.get("changes", [])]
    return found


def say(ask: Ask, account: Account, person: Person, text: str, **more: Any) -> Any:
    sent = {"recipient": {"id": person.external_id}, "messaging_type": "RESPONSE", "message": {"text": text}}
    return ask(account, "POST", "me/messages", {**sent, **more})


def test_a_chat_with_a_page(page: Account, end: FarEnd, ask: Ask) -> None:
    ana = messenger.meet(page, "Ana Silva")
    asked = messenger.text(page, ana, "Do you ship to Porto? 😀")
    (event,) = told(page, end)
    assert event["sender"] == {"id": ana.external_id} and event["recipient"] == {"id": PAGE}
    assert event["timestamp"] == chats.millis(asked.at)
    assert event["message"] == {"mid": asked.external_id, "text": "Do you ship to Porto? 😀"}
    assert b"\\ud83d\\ude00" in end.got[0][0]

    message = {"text": "Yes", "metadata": "msg-77"}
    sent = say(ask, page, ana, "", message=message, reply_to={"mid": asked.external_id})
    assert sent["recipient_id"] == ana.external_id
    echo, delivered = told(page, end)
    assert echo["sender"] == {"id": PAGE} and echo["message"] == {
        "mid": sent["message_id"],
        "is_echo": True,
        "app_id": 15177764,
        "metadata": "msg-77",
        "text": "Yes",
        "reply_to": {"mid": asked.external_id},
    }
    watermark = {"mids": [sent["message_id"]], "watermark": echo["timestamp"]}
    assert delivered["delivery"] == watermark and "timestamp" not in delivered
    line = Line.objects.get(external_id=sent["message_id"])
    messenger.read(page, ana)
    messenger.react(page, ana, line, "❤️")
    messenger.react(page, ana, line, "")
    messenger.edit(page, ana, asked, "Do you ship to Faro?")
    messenger.postback(page, ana, "Start", "GET_STARTED", ref="r1")
    messenger.referral(page, ana, "r2")
    messenger.text(page, ana, "that one", reply_to=line.external_id)
    messenger.attach(page, ana, [("image", PNG, "image/png", "a.png"), ("image", PNG, "image/png", "b.png")])
    messenger.answer_in_app(page, ana, "From the inbox")
    messenger.unsend(page, ana, asked)
    read, love, unlove, edited, started, referred, replied, pictures, inbox, _ = told(page, end)
    assert read["read"]["watermark"] >= echo["timestamp"]
    mid = line.external_id
    assert love["reaction"] == {"mid": mid, "action": "react", "reaction": "love", "emoji": "❤️"}
    assert unlove["reaction"]["action"] == "unreact"
    assert edited["message_edit"] == {"mid": asked.external_id, "text": "Do you ship to Faro?", "num_edit": 1}
    assert started["postback"]["payload"] == "GET_STARTED" and started["postback"]["referral"]["ref"] == "r1"
    assert referred["referral"]["ref"] == "r2"
    assert replied["message"]["reply_to"] == {"mid": mid, "is_self_reply": False}
    first, _second = pictures["message"]["attachments"]
    assert first["type"] == "image" and requests.get(first["payload"]["url"], timeout=5).content == PNG
    assert inbox["message"]["app_id"] == 263902037430900 and inbox["message"]["text"] == "From the inbox"


def test_what_may_be_sent_and_when(page: Account, end: FarEnd, ask: Ask, live_server: Any) -> None:
    ana = messenger.meet(page, "Ana Silva")
    assert say(ask, page, ana, "Unasked") == (10, 2018278)
    messenger.text(page, ana, "Hello")
    assert "message_id" in say(ask, page, ana, "x" * 1999) and say(ask, page, ana, "x" * 2000) == (100, 0)
    assert ask(page, "POST", f"{PAGE}/messages", {"recipient": {"id": "1"}, "message": {"text": "x"}}) == (100, 2018001)
    assert ask(page, "POST", f"{PAGE}/messages", {"message": {"text": "x"}}) == (100, 0)
    malformed = {"attachment": {"type": "image", "payload": ["a.png"]}}
    assert say(ask, page, ana, "", message=malformed) == (100, 0)
    tagged = {"messaging_type": "MESSAGE_TAG", "tag": "HUMAN_AGENT"}
    assert say(ask, page, ana, "x", **{**tagged, "tag": "ACCOUNT_UPDATE"}) == (100, 0)
    chats.grow_old(page, chats.DAY)
    assert say(ask, page, ana, "x") == (10, 2018278) and "message_id" in say(ask, page, ana, "x", **tagged)
    chats.arrange(page, missing_permissions=["human_agent"])
    assert say(ask, page, ana, "x", **tagged) == (10, 0)
    chats.arrange(page, missing_permissions=["pages_messaging"])
    assert say(ask, page, ana, "x") == (10, 0)
    chats.arrange(page, missing_permissions=None)
    chats.grow_old(page, timedelta(days=6))
    assert say(ask, page, ana, "x", **tagged) == (10, 2018278)
    line = messenger.text(page, ana, "Again")
    assert ask(page, "POST", f"{PAGE}/messages", {"recipient": {"id": ana.external_id}, "sender_action": "typing_on"})
    react = {"message_id": line.external_id, "reaction": "😊"}
    body = {"recipient": {"id": ana.external_id}, "sender_action": "react", "payload": react}
    assert ask(page, "POST", f"{PAGE}/messages", body) == {"recipient_id": ana.external_id}
    line.refresh_from_db()
    ana.refresh_from_db()
    assert line.reactions == {"us": "😊"} and ana.attributes["typing_until"]

    def attach(kind: str, **payload: str) -> Any:
        return say(ask, page, ana, "", message={"attachment": {"type": kind, "payload": payload}})

    end.files["/big.png"] = ("image/png", b"x" * (25 * 1024 * 1024 + 1))
    assert "message_id" in attach("image", url=f"{end.url}/a.png")
    assert attach("image", url=f"{end.url}/gone.png") == (100, 2018008)
    assert attach("image", url=f"{end.url}/big.png") == (100, 2018109)
    assert attach("hologram", url=f"{end.url}/a.png") == (100, 2018047)
    assert attach("video", url=f"{end.url}/a.png") == (100, 2018047)
    form = {
        "recipient": json.dumps({"id": ana.external_id}),
        "message": json.dumps({"attachment": {"type": "file", "payload": {}}}),
        "access_token": "token-facebook",
    }
    files = {"filedata": ("inv.pdf", b"%PDF", "application/pdf")}
    url = f"{live_server.url}/sandbox/phones/graph/{PAGE}/messages"
    sent = requests.post(url, data=form, files=files, timeout=5).json()
    line = Line.objects.get(external_id=sent["message_id"])
    assert Media.objects.get(external_id=line.payload["media"][0]).name == "inv.pdf"
    messenger.block(page, ana)
    assert say(ask, page, ana, "x") == (551, 1545041)
    messenger.block(page, ana, False)
    messenger.hand_over(page, ana)
    assert say(ask, page, ana, "x") == (10, 2018300)
    assert ask(page, "POST", f"{PAGE}/take_thread_control", {"recipient": {"id": ana.external_id}})["success"]
    assert "message_id" in say(ask, page, ana, "x")


def test_quick_replies_and_buttons_are_pressed(page: Account, end: FarEnd, ask: Ask) -> None:
    ana = messenger.meet(page, "Ana Silva")
    messenger.text(page, ana, "Hello")
    quick = [{"content_type": "text", "title": "Yes", "payload": "Y"}]
    first = say(ask, page, ana, "", message={"text": "Well?", "quick_replies": quick})
    buttons = [{"type": "postback", "title": "Refund", "payload": "R"}]
    template = {"type": "template", "payload": {"template_type": "button", "text": "Which?", "buttons": buttons}}
    second = say(ask, page, ana, "", message={"attachment": template})
    told(page, end)
    messenger.press(page, ana, Line.objects.get(external_id=first["message_id"]), "Y")
    messenger.press(page, ana, Line.objects.get(external_id=second["message_id"]), "R")
    replied, pressed = told(page, end)
    assert replied["message"]["quick_reply"] == {"payload": "Y"} and replied["message"]["text"] == "Yes"
    assert (pressed["postback"]["title"], pressed["postback"]["payload"]) == ("Refund", "R")


def test_who_is_told_of_what(page: Account, end: FarEnd, ask: Ask) -> None:
    ana = messenger.meet(page, "Ana Silva")
    chats.arrange(page, subscribed_fields=[])
    messenger.text(page, ana, "Lost")
    assert told(page, end) == [] and ask(page, "GET", f"{PAGE}/subscribed_apps") == {"data": []}
    path = f"{PAGE}/subscribed_apps"
    assert ask(page, "POST", path) == (100, 0)
    assert ask(page, "POST", path, subscribed_fields="messages,nonsense") == (100, 0)
    assert ask(page, "POST", path, subscribed_fields="messages,standby") == {"success": True}
    assert ask(page, "GET", path)["data"][0]["subscribed_fields"] == ["messages", "standby"]
    messenger.text(page, ana, "Told")
    say(ask, page, ana, "No echo was asked for")
    assert [event["message"]["text"] for event in told(page, end)] == ["Told"]
    messenger.hand_over(page, ana)
    messenger.text(page, ana, "To the other app")
    assert told(page, end)[0]["message"]["text"] == "To the other app" and b'"standby":[' in end.got[0][0]
    assert ask(page, "DELETE", path) == {"success": True}
    with pytest.raises(graph.GraphError):
        graph.subscribe(page, f"{end.url}/hook", "wrong")
    graph.subscribe(page, f"{end.url}/hook", "verify-me")


def test_who_cannot_be_told_for_an_hour_is_unsubscribed(page: Account, end: FarEnd) -> None:
    ana = messenger.meet(page, "Ana Silva")
    end.status = 500
    messenger.text(page, ana, "Hello")
    facebook.comment(page, ana, facebook.post(page, "New shoes"), "Price?")
    core.push(page)
    Told.objects.update(at=timezone.now() - timedelta(hours=1), next_at=timezone.now())
    core.push(page)
    page.refresh_from_db()
    assert page.settings["subscribed_fields"] == []
    assert list(Told.objects.order_by("pk").values_list("state", flat=True)) == ["gone", "waiting", "waiting"]
    Told.objects.update(at=timezone.now() - timedelta(hours=36), next_at=timezone.now())
    core.push(page)
    assert not Told.objects.filter(state="waiting").exists()


def test_who_is_told_may_call_before_answering(page: Account, end: FarEnd, ask: Ask) -> None:
    ana = messenger.meet(page, "Ana Silva")
    found: list[Any] = []
    page.faults = [{"method": "GET account", "status": 500}]  # a call that a fault is for writes the account
    page.save()
    end.on_post = lambda: found.append(ask(page, "GET", ana.external_id, fields="first_name"))
    messenger.text(page, ana, "Hello")
    assert core.push(page) == 1 and found == [{"first_name": "Ana", "id": ana.external_id}]
    assert Told.objects.get().state == "told"


def test_profiles_and_tokens(page: Account, ig: Account, ask: Ask) -> None:
    ana, bo = messenger.meet(page, "Ana Silva"), messenger.meet(ig, "Bo Berg")
    assert ask(page, "GET", "me", fields="id,name") == {"id": PAGE, "name": "Rabta Shop"}
    assert ask(ig, "GET", "me", fields="user_id,username")["username"] == "rabta.shop"
    found = ask(page, "GET", ana.external_id, fields="first_name,last_name,profile_pic")
    assert (found["first_name"], found["last_name"]) == ("Ana", "Silva")
    chats.remember(ana, hides_profile=True)
    assert ask(page, "GET", ana.external_id) == {}
    chats.remember(ana, hides_profile="error")
    assert ask(page, "GET", ana.external_id) == (100, 2018218)
    assert ask(page, "GET", bo.external_id) == (100, 33)  # of another account
    assert ask(ig, "GET", bo.external_id) == (230, 0)
    messenger.text(ig, bo, "Hello")
    assert ask(ig, "GET", bo.external_id, fields="name,username")["username"] == "bo.berg"
    page.secrets["user_token"] = "of-a-person"
    page.save()
    query = {"access_token": "of-a-person"}
    assert ask(page, "GET", "me/accounts", **query)["data"][0]["access_token"] == "token-facebook"
    assert ask(ig, "GET", "refresh_access_token", grant_type="ig_refresh_token")["access_token"] == "token-instagram"
    chats.arrange(page, token_state="app_removed")
    assert ask(page, "GET", "me") == (190, 458)
    chats.arrange(page, token_state=None)
    page.refresh_from_db()
    page.faults = [{"method": "POST messages", "status": 400, "body": {"error": {"code": 613, "fbtrace_id": "A"}}}]
    page.save()
    assert say(ask, page, ana, "x")[0] == 613 and say(ask, page, ana, "x") == (10, 2018278)


def test_comments_on_a_page(page: Account, end: FarEnd, ask: Ask) -> None:
    ana = messenger.meet(page, "Ana Silva")
    post = facebook.post(page, "New shoes")
    price = facebook.comment(page, ana, post, "Price?")
    more = facebook.comment(page, ana, price, "And size?")
    _posted, first, second = told(page, end)
    assert first["item"] == "comment" and first["verb"] == "add" and first["message"] == "Price?"
    assert first["parent_id"] == first["post_id"] == post.external_id and second["parent_id"] == price.external_id
    assert first["from"]["name"] == "Ana Silva" and first["from"]["id"] != ana.external_id

    answer = ask(page, "POST", f"{price.external_id}/comments", {"message": "30"})["id"]
    (ours,) = told(page, end)
    assert ours["from"]["id"] == PAGE and ours["comment_id"] == answer and ours["parent_id"] == price.external_id
    assert ask(page, "POST", f"{price.external_id}/comments", {"message": "x" * 8001}) == (100, 0)
    listed = ask(page, "GET", f"{post.external_id}/comments", filter="stream", fields="id,from{id,name}")
    assert listed["data"][0]["from"]["name"] == "Ana Silva"
    assert [one["id"] for one in listed["data"]] == [price.external_id, more.external_id, answer]
    assert len(ask(page, "GET", f"{post.external_id}/comments")["data"]) == 1
    assert ask(page, "GET", f"{PAGE}/posts")["data"][0]["message"] == "New shoes"

    assert ask(page, "POST", price.external_id, is_hidden="true") == {"success": True}
    assert ask(page, "GET", price.external_id, fields="is_hidden,message")["is_hidden"]
    assert ask(page, "POST", f"{price.external_id}/likes") == {"success": True}
    assert ask(page, "GET", price.external_id, fields="user_likes,like_count")["like_count"] == 1
    assert ask(page, "DELETE", f"{price.external_id}/likes") == {"success": True}
    facebook.edit(page, ana, more, "And the size?")
    facebook.like(page, ana, post)
    facebook.remove(page, ana, more)
    assert [one["verb"] for one in told(page, end)] == ["hide", "edited", "add", "remove"]
    assert ask(page, "GET", more.external_id) == (100, 33)

    private = {"recipient": {"comment_id": price.external_id}, "message": {"text": "We answer you here"}}
    assert ask(page, "POST", f"{PAGE}/messages", private)["recipient_id"] == ana.external_id
    assert ask(page, "POST", f"{PAGE}/messages", private) == (10900, 0)
    assert say(ask, page, ana, "The window is open only once she answers") == (10, 2018278)
    late = facebook.comment(page, ana, post, "Late")
    chats.grow_old(page, timedelta(days=7, seconds=1))
    private["recipient"] = {"comment_id": late.external_id}
    assert ask(page, "POST", f"{PAGE}/messages", private) == (10, 2018278)
    assert ask(page, "DELETE", late.external_id) == {"success": True}
    assert ask(page, "DELETE", late.external_id) == (100, 33)
    chats.arrange(page, missing_permissions=["pages_manage_engagement"])
    assert ask(page, "POST", f"{price.external_id}/comments", {"message": "x"}) == (200, 0)


def test_a_chat_on_instagram(ig: Account, end: FarEnd, ask: Ask) -> None:
    ana = messenger.meet(ig, "Ana Silva")
    asked = messenger.text(ig, ana, "Do you ship?")
    sent = say(ask, ig, ana, "é" * 500)
    assert say(ask, ig, ana, "é" * 501) == (100, 0)
    assert say(ask, ig, ana, "", message={"attachment": {"type": "file", "payload": {}}}) == (100, 2018047)
    _first, echo = told(ig, end)
    assert echo["message"]["is_echo"] and echo["message"]["mid"] == sent["message_id"]
    line = Line.objects.get(external_id=sent["message_id"])
    messenger.read(ig, ana)
    messenger.react(ig, ana, line, "❤️")
    messenger.react(ig, ana, line, "")
    messenger.edit(ig, ana, asked, "Do you ship to Faro?")
    messenger.unsend(ig, ana, asked)
    messenger.story_reply(ig, ana, "nice", "https://lookaside/s")
    messenger.story_mention(ig, ana, PNG, "image/png")
    messenger.unsupported(ig, ana)
    messenger.answer_in_app(ig, ana, "From the app")
    read, love, unlove, edited, gone, story, mention, unsupported, inbox = told(ig, end)
    assert read["read"] == {"mid": sent["message_id"]} and love["reaction"]["reaction"] == "love"
    assert unlove["reaction"] == {"mid": line.external_id, "action": "unreact"}
    assert edited["message_edit"]["num_edit"] == 1
    assert gone["message"] == {"mid": asked.external_id, "is_deleted": True}
    assert story["message"]["reply_to"]["story"]["url"] == "https://lookaside/s"
    assert mention["message"]["attachments"][0]["type"] == "story_mention"
    assert unsupported["message"]["is_unsupported"] and inbox["message"]["is_echo"]
    chats.grow_old(ig, chats.DAY)
    assert say(ask, ig, ana, "x") == (10, 2534022)
    assert "message_id" in say(ask, ig, ana, "x", messaging_type="MESSAGE_TAG", tag="HUMAN_AGENT")


def test_comments_on_instagram(ig: Account, end: FarEnd, ask: Ask) -> None:
    ana = messenger.meet(ig, "Ana Silva")
    post = instagram.post(ig, "New shoes")
    price = instagram.comment(ig, ana, post, "Price?")
    (first,) = told(ig, end)
    assert first == {
        "id": price.external_id,
        "text": "Price?",
        "from": {"id": ana.external_id, "username": "ana.silva"},
        "media": {"id": post.external_id, "media_product_type": "FEED"},
    }
    answer = ask(ig, "POST", f"{price.external_id}/replies", {"message": "30"})["id"]
    below = ask(ig, "POST", f"{answer}/replies", {"message": "for both"})["id"]
    assert [one["parent_id"] for one in told(ig, end)] == [price.external_id] * 2  # two levels and no more
    for wrong in ("x" * 301, "http://a.example http://b.example", "#a #b #c #d #e", ""):
        assert ask(ig, "POST", f"{price.external_id}/replies", {"message": wrong}) == (100, 0)
    assert [one["id"] for one in ask(ig, "GET", f"{post.external_id}/comments")["data"]] == [price.external_id]
    assert [one["id"] for one in ask(ig, "GET", f"{price.external_id}/replies")["data"]] == [below, answer]
    assert ask(ig, "GET", f"{IG}/media", fields="id,caption")["data"][0]["caption"] == "New shoes"
    assert ask(ig, "POST", price.external_id, hide="true") == {"success": True}
    assert ask(ig, "POST", f"{price.external_id}/replies", {"message": "x"}) == (100, 0)
    private = {"recipient": {"comment_id": price.external_id}, "message": {"text": "We answer you here"}}
    assert ask(ig, "POST", f"{IG}/messages", private)["recipient_id"] == ana.external_id
    assert ask(ig, "DELETE", price.external_id) == {"success": True}
    live = instagram.post(ig, "Live", live=True)
    shout = instagram.comment(ig, ana, live, "Hi!")
    assert told(ig, end)[-1]["media"]["media_product_type"] == "LIVE"
    assert ask(ig, "POST", f"{shout.external_id}/replies", {"message": "x"}) == (100, 0)
    instagram.end_live(ig, live)
    private["recipient"] = {"comment_id": shout.external_id}
    assert ask(ig, "POST", f"{IG}/messages", private) == (100, 0)


def test_the_page_of_people_can_do_every_act(page: Account, ig: Account, live_server: Any, end: FarEnd) -> None:
    whatsapp = _account("whatsapp", "106", live_server, end, "messages")
    platforms = acts.load()
    for account in (page, ig, whatsapp):
        platform = platforms[account.platform]
        person = platform.meet(account, "Ana Silva", "+351910000001")
        posts: dict[str, Callable[[Account, str], Line]] = {"facebook": facebook.post, "instagram": instagram.post}
        post = posts.get(account.platform)
        public = None
        if post is not None:
            public = platform.act("comment").do(account, person, acts.Given("Price?", line=post(account, "New shoes")))
        for act in platform.acts:
            line = messenger.text(page, person, "Hello") if account is page else None
            line = line or Line.objects.create(account=account, person=person, external_id=act.name, text="Hello")
            line = public if public is not None and not act.fits(line) else line
            line.payload["buttons"] = [["A", "a"]]
            files = (acts.Upload("a.png", "image/png", PNG),) if {"file"} & (act.takes | act.needs) else ()
            choice = act.choices[0][0] if act.choices else "a"
            act.do(account, person, acts.Given("+351910000002", files, line, choice))
            if act.name == "block":
                with pytest.raises(acts.Cannot):
                    platform.acts[0].do(account, person, acts.Given("Blocked"))
        assert platform.opened is not None
        platform.opened(account, person)
        for trouble in platform.troubles:
            if trouble.do is not None:
                trouble.do(account)
            assert trouble.do is not None or trouble.fault
    assert Told.objects.filter(account=whatsapp).exists()
