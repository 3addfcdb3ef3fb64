"""Settings of a chat channel: every part is checked, what is wrong is named by its path, hostile input is refused."""

from __future__ import annotations

import json
from io import StringIO
from typing import Any

import pytest
from django.core.exceptions import ValidationError
from django.core.management import call_command
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from channels_chat import config, parts, posting
from channels_chat.forms import SECRET, SETTINGS, ChatSettings
from inbox.actions import channels
from inbox.models import Channel, Event, Team

pytestmark = pytest.mark.django_db

WEEK = [[["09:00", "13:00"], ["14:00", "18:00"]]] * 5 + [[], []]
GOOD: dict[str, Any] = {
    "name": "Karvaan shop",
    "origins": ["https://shop.example", "https://*.karvaan.example", "http://localhost:8000"],
    "languages": ["en", "ur"],
    "position": "start",
    "colour": "#0f766e",
    "theme": "dark",
    "texts": {"en": {"title": "Talk to us"}, "ur": {"title": "ہم سے بات کریں"}, "pt-BR": {"title": "Fale conosco"}},
    "hours": {"zone": "Asia/Karachi", "days": WEEK},
    "prechat": [
        {"key": "name", "kind": "text", "label": {"en": "Name"}},
        {"key": "size", "kind": "choice", "label": {"en": "Size"}, "options": ["S", "L"], "required": True},
    ],
    "topics": [{"key": "delivery", "label": {"en": "Delivery"}}],
    "offline": [{"key": "email", "kind": "email", "label": {"en": "E-mail"}, "required": True}],
    "forms": [
        {
            "key": "address",
            "title": {"en": "Address"},
            "fields": [{"key": "street", "kind": "area", "label": {"en": "Street"}}],
        }
    ],
    "consent": True,
    "files": True,
    "file_mb": 25,
    "preview": True,
    "transcript": False,
    "rating": True,
    "visitors": False,
    "queue": {"offer": 20, "most_wait": 120},
    "journeys": [{"key": "checkout", "start": {"url": "*/checkout*"}, "done": {"event": "paid"}, "stalled": 60}],
    "invitations": [
        {
            "key": "cart",
            "text": {"en": "Questions?"},
            "all": [{"is": "url", "value": "*/cart*"}, {"is": "attribute", "key": "plan", "op": "!=", "value": "free"}],
            "any": [{"is": "exit"}, {"is": "stalled", "value": "checkout", "not": True}],
            "holdout": 10,
            "goal": "checkout",
        }
    ],
    "flow": {"on": True, "steps": [{"key": "hello", "say": {"en": "Hello!"}, "go": "@human"}]},
}


def wrong(**changes: Any) -> dict[str, Any]:
    form = ChatSettings({**GOOD, **changes})
    return {} if form.is_valid() else {name: [str(one) for one in texts] for name, texts in form.errors.items()}


def test_good_settings_are_kept_as_they_are_and_read() -> None:
    form = ChatSettings(GOOD)
    assert form.is_valid(), form.errors
    kept = dict(form.cleaned_data)
    assert len(kept.pop(SECRET)) == 64
    assert kept == GOOD
    read = config.read(kept)
    assert (read.file_mb, read.queue.offer, read.queue.close) == (25, 20, config.Queue().close)
    assert ChatSettings({}).is_valid()


@pytest.mark.parametrize(
    ("changes", "path"),
    [
        ({"no_such_setting": 1}, "no_such_setting"),
        ({"queue": {"offers": 3}}, "queue.offers"),
        ({"queue": {"offer": 4}}, "queue.offer"),
        ({"queue": {"offer": True}}, "queue.offer"),
        ({"queue": {"offer": float("nan")}}, "queue.offer"),
        ({"queue": {"offer": 10**40}}, "queue.offer"),
        ({"queue": {"offer": "9" * 5000}}, "queue.offer"),
        ({"queue": [30]}, "queue"),
        ({"colour": "teal"}, "colour"),
        ({"colour": '#0f766e"><script>'}, "colour"),
        ({"theme": "pink"}, "theme"),
        ({"theme": ["dark"]}, "theme"),
        ({"position": 1}, "position"),
        ({"file_mb": 26}, "file_mb"),
        ({"file_mb": 0}, "file_mb"),
        ({"files": "maybe"}, "files"),
        ({"files": 1}, "files"),
        ({"origins": ["shop.example"]}, "origins.0"),
        ({"origins": ["https://shop.example/path"]}, "origins.0"),
        ({"origins": ["https://*"]}, "origins.0"),
        ({"origins": ["https://*.example"]}, "origins.0"),
        ({"origins": ["https://a.*.example"]}, "origins.0"),
        ({"origins": ["https://shop.example:99999"]}, "origins.0"),
        ({"origins": ["javascript://shop.example"]}, "origins.0"),
        ({"origins": ["https://shop.example@evil.example"]}, "origins.0"),
        ({"origins": [None]}, "origins.0"),
        ({"origins": "https://shop.example/x\nhttps://b.example"}, "origins.0"),
        ({"languages": ["english!"]}, "languages.0"),
        ({"texts": {"en": {"titel": "x"}}}, "texts.en.titel"),
        ({"texts": {"../en": {"title": "x"}}}, "texts.../en"),
        ({"texts": {"en": {"title": ["x"]}}}, "texts.en.title"),
        ({"texts": {"en": {"title": "x" * 5000}}}, "texts.en.title"),
        ({"texts": {"en": {"title": "\ud800"}}}, "texts.en.title"),
        ({"hours": {"zone": "Mars/Olympus", "days": WEEK}}, "hours.zone"),
        ({"hours": {"zone": ["UTC"], "days": WEEK}}, "hours.zone"),
        ({"hours": {"zone": "UTC"}}, "hours.days"),
        ({"hours": {"zone": "UTC", "days": WEEK[:6]}}, "hours.days"),
        ({"hours": {"zone": "UTC", "days": [[["17:00", "09:00"]], *WEEK[1:]]}}, "hours.days.0.0"),
        ({"hours": {"zone": "UTC", "days": [[["9", "17:00"]], *WEEK[1:]]}}, "hours.days.0.0"),
        ({"hours": {"zone": "UTC", "days": [[["09:00", "12:00"], ["11:00", "13:00"]], *WEEK[1:]]}}, "hours.days.0"),
        ({"prechat": [{"key": "a", "label": {"en": "A"}}] * 2}, "prechat.1.key"),
        ({"prechat": [{"key": "a b", "label": {"en": "A"}}]}, "prechat.0.key"),
        ({"prechat": [{"key": "a"}]}, "prechat.0.label"),
        ({"prechat": [{"key": "a", "label": {"en": "A"}, "kind": "password"}]}, "prechat.0.kind"),
        ({"prechat": [{"key": "a", "label": {"en": "A"}, "kind": "choice", "options": ["x"]}]}, "prechat.0.options"),
        ({"prechat": [{"key": "a", "label": {"en": "A"}, "options": ["x", "y"]}]}, "prechat.0.options"),
        ({"prechat": [{"key": "email", "label": {"en": "A"}}]}, "prechat.0.kind"),
        ({"prechat": {"key": "a"}}, "prechat"),
        ({"topics": [{"key": "a", "label": {"en": "A"}, "colour": "red"}]}, "topics.0.colour"),
        ({"topics": [{"key": "a", "label": {"en": "A"}}] * 40}, "topics"),
        ({"forms": [{"key": "a", "title": {"en": "A"}}]}, "forms.0.fields"),
        ({"routes": [{"team": "nobody"}]}, "routes.0.team"),
        ({"routes": [{"team": "care", "topic": "weather"}]}, "routes.0.topic"),
        ({"routes": [{"page": "*/x"}]}, "routes.0.team"),
        ({"continuity": {"channel": "nowhere"}}, "continuity.channel"),
        ({"continuity": {"channel": "nowhere", "after": 1}}, "continuity.after"),
        ({"journeys": [{"key": "a", "start": {"url": "*"}, "done": {}}]}, "journeys.0.done"),
        ({"journeys": [{"key": "a", "start": {"url": "*", "event": "x"}, "done": {"url": "*"}}]}, "journeys.0.start"),
        ({"invitations": [{"key": "a", "text": {"en": "x"}}]}, "invitations.0"),
        ({"invitations": [{"key": "a", "all": [{"is": "exit"}]}]}, "invitations.0.text"),
        ({"invitations": [{"key": "a", "text": {"en": "x"}, "all": [{"is": "moon"}]}]}, "invitations.0.all.0.is"),
        ({"invitations": [{"key": "a", "text": {"en": "x"}, "all": [{"is": []}]}]}, "invitations.0.all.0.is"),
        (
            {"invitations": [{"key": "a", "text": {"en": "x"}, "all": [{"is": "time", "value": "soon"}]}]},
            "invitations.0.all.0.value",
        ),
        (
            {"invitations": [{"key": "a", "text": {"en": "x"}, "any": [{"is": "exit", "value": 3}]}]},
            "invitations.0.any.0.value",
        ),
        (
            {"invitations": [{"key": "a", "text": {"en": "x"}, "all": [{"is": "event", "value": "cart", "key": "n"}]}]},
            "invitations.0.all.0.than",
        ),
        (
            {"invitations": [{"key": "a", "text": {"en": "x"}, "all": [{"is": "exit"}], "holdout": 91}]},
            "invitations.0.holdout",
        ),
        (
            {"invitations": [{"key": "a", "text": {"en": "x"}, "all": [{"is": "exit"}], "goal": "moon"}]},
            "invitations.0.goal",
        ),
        (
            {"invitations": [{"key": "a", "text": {"en": "x"}, "all": [{"is": "stalled", "value": "moon"}]}]},
            "invitations.0.all.0.value",
        ),
        ({"flow": {"on": True}}, "flow"),
        ({"flow": {"steps": [{"key": "a", "say": {"en": "x"}, "go": "moon"}]}}, "flow"),
        ({"flow": {"steps": [{"key": "A!", "say": {"en": "x"}}]}}, "flow.steps.0.key"),
        (
            {"flow": {"steps": [{"key": "a", "say": {"en": "x"}, "buttons": [{"key": "b"}]}]}},
            "flow.steps.0.buttons.0.label",
        ),
        ({"identity_secret": "short"}, "identity_secret"),
    ],
)  # fmt: skip
def test_what_is_wrong_is_named_by_its_path(changes: dict[str, Any], path: str) -> None:
    Team.objects.create(slug="care", name="Care")
    found = wrong(**changes)
    assert path in found, found
    assert json.dumps(found).encode()  # fit to be answered


def test_markup_and_direction_marks_are_text() -> None:
    said = '<script>alert(1)</script> "quotes" {{ braces }}\n\u202eآداب'
    form = ChatSettings({"texts": {"en": {"greeting": said + "\x00"}}})
    assert form.is_valid()
    assert form.cleaned_data["texts"]["en"]["greeting"] == said


def test_origins_are_kept_as_browsers_write_them() -> None:
    given = ["HTTPS://Shop.Example/", "https://shop.example:443", "http://لاہور.example:8080", "https://shop.example"]
    form = ChatSettings({"origins": given})
    assert form.is_valid(), form.errors
    assert form.cleaned_data["origins"] == ["https://shop.example", "http://xn--mgbu9cr81d.example:8080"]


def test_huge_and_deep_json_is_refused_soon_and_shortly() -> None:
    deep: Any = "x"
    for _ in range(500):
        deep = {"all": [deep]}
    found = wrong(invitations=[deep], texts={f"l{n}": {} for n in range(5000)}, **{f"x{n}": n for n in range(20_000)})
    assert 1 < len(found) <= 60
    found = wrong(topics=[{}] * 200_000, prechat="x" * 10_000_000)
    assert set(found) == {"topics", "prechat"}
    label = {f"x{chr(97 + n)}": "x" * 200 for n in range(20)}
    many = [
        {"key": f"f{n}", "label": label, "kind": "choice", "options": [f"{m}".rjust(120, "x") for m in range(50)]}
        for n in range(12)
    ]
    forms = [{"key": f"k{n}", "title": {"en": "x"}, "fields": many} for n in range(20)]
    assert "__all__" in wrong(forms=forms)


NAMES = st.sampled_from([*SETTINGS, "key", "is", "en", "days"]) | st.text(max_size=5)
JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=20),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(NAMES, inner, max_size=5),
    max_leaves=20,
)


@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.dictionaries(st.sampled_from([*SETTINGS]) | st.text(max_size=8), JSON, max_size=6))
def test_whatever_is_given_is_kept_whole_or_refused(given: dict[str, Any]) -> None:
    form = ChatSettings(given)
    if form.is_valid():
        again = ChatSettings(form.cleaned_data)
        assert again.is_valid()
        assert again.cleaned_data == form.cleaned_data
        assert set(given) <= set(SETTINGS)
        config.read(form.cleaned_data)
    else:
        assert form.errors


@settings(max_examples=100, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    st.dictionaries(st.from_regex(r"[a-z]{1,9}(\.([0-9]{1,2}|[a-z]{2,5})){0,5}", fullmatch=True), st.text(max_size=9)),
    st.from_regex(r"(add|up|down|out|copy|fly) ?[a-z]{0,8}(\.([0-9]{1,2}|[a-z]{2,5})){0,4}", fullmatch=True),
)
def test_whatever_is_posted_is_read(data: dict[str, str], wanted: str) -> None:
    draft = posting.unfold(data)
    posting.change(draft, wanted)
    ChatSettings(parts.Part(posting.tidy(draft))).is_valid()


def test_a_posted_page_says_the_same_as_its_json() -> None:
    page = {
        "hours.when": "set", "hours.zone": "UTC", "hours.days.0": "", "hours.days.0.0.0": "09:00",
        "hours.days.0.0.1": "17:00", "hours.days.0.1.0": "", "hours.days.0.1.1": "",
        **{f"hours.days.{n}": "" for n in range(1, 7)},
        "prechat.0.key": "", "prechat.0.label.en": "Your size", "prechat.0.label.ur": "", "prechat.0.kind": "choice",
        "prechat.0.options": "S\r\nL", "prechat.0.required": "on",
        "prechat.1.key": "", "prechat.1.label.en": "", "prechat.1.kind": "text", "prechat.1.options": "",
        "files": "", "languages.0": "en", "languages.1": "", "queue.offer": " 20 ", "continuity.channel": "",
        "continuity.after": "60", "journeys.0.name": "Check out", "journeys.0.start.by": "url",
        "journeys.0.start.what": "*/checkout*", "journeys.0.done.by": "event", "journeys.0.done.what": "paid",
    }  # fmt: skip
    form = ChatSettings(parts.Part(posting.tidy(posting.unfold(page))))
    assert form.is_valid(), form.errors
    kept = dict(form.cleaned_data)
    del kept[SECRET]
    assert kept == {
        "hours": {"zone": "UTC", "days": [[["09:00", "17:00"]], [], [], [], [], [], []]},
        "prechat": [
            {
                "key": "your-size",
                "kind": "choice",
                "label": {"en": "Your size"},
                "required": True,
                "options": ["S", "L"],
            }
        ],
        "files": False,
        "languages": ["en"],
        "queue": {"offer": 20},
        "journeys": [
            {"key": "check-out", "name": "Check out", "start": {"url": "*/checkout*"}, "done": {"event": "paid"}}
        ],
    }


def test_a_part_leaves_the_others_as_they_are_and_the_secret_too() -> None:
    channel = channels.create("chat", "shop", GOOD, by=None)
    secret = channel.secrets[SECRET]
    assert SECRET not in channel.settings
    channels.update(channel, settings=parts.Part({"colour": "#123456", "consent": False, "hours": None}), by=None)
    channels.update(channel, settings=parts.Inside("flow", {"on": False}), by=None)
    cart = {**GOOD["invitations"][0], "on": False}
    channels.update(channel, settings=parts.Listed("invitations", parts.put("cart", cart)), by=None)
    channels.update(channel, settings=parts.Listed("journeys", parts.move("checkout", -1)), by=None)
    channel.refresh_from_db()
    expected = {**GOOD, "colour": "#123456", "consent": False, "invitations": [cart]}
    del expected["hours"]
    expected["flow"] = {**GOOD["flow"], "on": False}
    assert channel.settings == expected
    assert channel.secrets == {SECRET: secret}
    told = [event.data["fields"] for event in Event.objects.filter(kind="channel_changed").order_by("pk")]
    assert told == [["colour", "consent", "hours.days", "hours.zone"], ["flow.on"], ["invitations"]]
    with pytest.raises(ValidationError) as refused:
        channels.update(channel, settings=parts.Part({"journeys": []}), by=None)
        channels.update(channel, settings=parts.Part({"invitations": [cart]}), by=None)
    assert "invitations.0.goal" in refused.value.message_dict


def test_a_new_secret_takes_the_old_ones_place_and_no_event_tells_it() -> None:
    channel = channels.create("chat", "shop", {}, by=None)
    channels.update(channel, settings=parts.Part({SECRET: "n" * 40}), by=None)
    channel.refresh_from_db()
    assert channel.secrets == {SECRET: "n" * 40}
    assert channel.settings == {}
    assert "nnnn" not in json.dumps(list(Event.objects.values_list("data", flat=True)))


def test_the_shell_makes_one_and_says_what_is_wrong() -> None:
    out = StringIO()
    call_command("createchannel", "chat", "shop", "--settings", json.dumps(GOOD), stdout=out)
    channel = Channel.objects.get(slug="shop")
    assert channel.name == "Karvaan shop"
    assert channel.secrets[SECRET] not in out.getvalue()
    with pytest.raises(Exception, match=r"queue\.offer: Between 5 and 600"):
        call_command("createchannel", "chat", "other", "--settings", '{"queue": {"offer": 1}}')
