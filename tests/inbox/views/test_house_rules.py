"""What templates and scripts must never hold, how large they may grow, and that every sentence exists in Urdu."""

from __future__ import annotations

import gzip
import re
from pathlib import Path

import django_htmx
import polib
import pytest
from django.conf import settings

from inbox import context
from inbox.icons import ICONS, sprite

INBOX = Path(settings.BASE_DIR) / "inbox"
TEMPLATES = sorted(
    path for app in ("inbox", "channels_email") for path in (INBOX.parent / app / "templates").rglob("*.html")
)
SCRIPTS = sorted((INBOX / "static").rglob("*.js"))
SHEETS = sorted((INBOX / "static").rglob("*.css"))
MAIL = "message_html.html"  # stands in a frame of its own, under a policy of its own

BANNED = {
    "a script in an attribute": r"\son[a-z]+=",
    "hx-on, which needs eval": r"\b(data-)?hx-on",
    "js: values, which need eval": r"""=["']\s*(js|javascript):""",
    "a trigger filter, which needs eval": r"""hx-trigger=["'][^"']*\[""",
    "an inline style": r"\sstyle=",
    "an inline style sheet": r"<style\b",
    "an inline script": r"<script(?![^>]*\bsrc=)",
}


@pytest.mark.parametrize("path", TEMPLATES, ids=lambda path: path.name)
def test_templates_fit_the_policy(path: Path) -> None:
    text = path.read_text()
    if path.name == MAIL:
        return
    for what, pattern in BANNED.items():
        assert not re.search(pattern, text), f"{path.name} has {what}"


def test_no_field_takes_the_place_of_a_method_of_its_form() -> None:
    """A field called `remove` is what `form.remove` gives, and whoever takes the form out of the page fails."""
    field = re.compile(r"""<(?:input|button|select|textarea)\b[^>]*\sname=["']([^"'{}]+)""")
    names = {name for path in TEMPLATES for name in field.findall(path.read_text())}
    assert "subject" in names
    assert not names & {"remove", "submit", "reset", "matches", "closest", "append", "before", "after", "contains",
                        "children", "attributes", "parentNode", "isConnected", "dataset", "id", "nodeName"}  # fmt: skip


@pytest.mark.parametrize("path", TEMPLATES, ids=lambda path: path.name)
def test_forms_work_without_scripts(path: Path) -> None:
    for form in re.findall(r"<form\b.*?</form>", path.read_text(), re.DOTALL):
        if 'method="post"' in form:
            assert "{% csrf_token %}" in form, f"a form in {path.name} has no token"
            assert "action=" in form, f"a form in {path.name} goes nowhere without scripts"


@pytest.mark.parametrize("path", SCRIPTS, ids=lambda path: path.name)
def test_scripts_are_small_and_need_no_eval(path: Path) -> None:
    text = path.read_text()
    assert len(text.splitlines()) <= 150
    assert not re.search(r"\beval\(|new Function|setTimeout\(\s*[\"'`]|document\.write", text)


def test_the_first_load_is_light() -> None:
    assert len(set(context.SCRIPTS)) == len(context.SCRIPTS)
    theirs = Path(django_htmx.__file__).parent / "static" / "django_htmx"
    files = [*SCRIPTS, theirs / "htmx-4.min.js", theirs / "ext" / "hx-ws-4.min.js"]
    assert sum(len(gzip.compress(file.read_bytes())) for file in files) < 120_000
    assert sum(len(gzip.compress(file.read_bytes())) for file in SHEETS) < 40_000


@pytest.mark.parametrize("path", SHEETS, ids=lambda path: path.name)
def test_sheets_mirror_by_themselves(path: Path) -> None:
    for physical in (r"\b(margin|padding|border)-(left|right)\b", r"[{;]\s*(left|right)\s*:"):
        assert not re.search(physical, path.read_text()), f"{path.name} names a side of the screen"


def test_every_icon_has_its_drawing() -> None:
    named = {name for path in TEMPLATES for name in re.findall(r"""{% icon ["']([\w-]+)""", path.read_text())}
    assert named <= set(ICONS)
    drawn = set(re.findall(r'<symbol id="([\w-]+)" viewBox="0 0 24 24"><', sprite()))
    assert drawn == set(ICONS)


def test_every_sentence_is_there_in_urdu() -> None:
    catalogue = polib.pofile(str(Path(settings.LOCALE_PATHS[0]) / "ur" / "LC_MESSAGES" / "django.po"))
    assert len(catalogue) > 300
    assert [entry.msgid for entry in catalogue if not entry.translated() or entry.fuzzy] == []
    marks = re.compile(r"%\(\w+\)[sd]")
    for entry in catalogue:
        # The form for one thing need not say its number; the form for many names all that the original may name.
        *one, many = entry.msgstr_plural.values() or [entry.msgstr]
        named = set(marks.findall(entry.msgid_plural or entry.msgid))
        assert set(marks.findall(many)) == named, entry.msgid
        assert all(set(marks.findall(said)) <= named for said in one), entry.msgid


def test_every_sentence_of_the_templates_is_in_the_catalogue() -> None:
    catalogue = polib.pofile(str(Path(settings.LOCALE_PATHS[0]) / "ur" / "LC_MESSAGES" / "django.po"))
    known = {entry.msgid for entry in catalogue}
    said = {
        text
        for path in TEMPLATES
        for _quote, text in re.findall(r"""\{%\s*translate\s+(["'])(.*?)\1""", path.read_text())
    }
    assert said - known == set()
