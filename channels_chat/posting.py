"""What the settings' pages post, as the JSON that is checked. Names of inputs are the dotted paths of the settings:
`prechat.0.label.en`. Rows are added, taken away and moved by buttons whose value says so: `add prechat`, `up routes.2`.
"""

from __future__ import annotations

import copy
from collections.abc import Mapping, MutableMapping
from typing import Any

from django.utils.text import slugify

from channels_chat.proactive_shapes import CONDITIONS

MOST_DEPTH = 8
DO = "do"  # the name of the buttons


def unfold(data: Mapping[str, str]) -> dict[str, Any]:
    """Dotted names as nested objects; where all names are numbers, as a list in their order."""
    nested: dict[str, Any] = {}
    for name, value in data.items():
        *folders, leaf = name.split(".")
        if len(folders) > MOST_DEPTH:
            continue
        place: MutableMapping[str, Any] = nested
        for folder in folders:
            inner = place.setdefault(folder, {})
            if not isinstance(inner, dict):
                inner = place[folder] = {}
            place = inner
        place[leaf] = value
    return {name: _listed(value) for name, value in nested.items()}


def _listed(value: Any) -> Any:
    if not isinstance(value, dict):
        return value
    if value and all(name.isdecimal() and len(name) < 5 for name in value):
        return [_listed(value[name]) for name in sorted(value, key=int)]
    return {name: _listed(inner) for name, inner in value.items()}


def tidy(settings: dict[str, Any]) -> dict[str, Any]:
    """Posted settings without what a page has for its own sake: rows that nobody filled in, parts that do not belong to
    the chosen kind, short names that are made from the words beside them.
    """
    for name in ("prechat", "offline", "topics"):
        if name in settings:
            settings[name] = fields(settings[name])
    for form in _objects(settings.get("forms")):
        form["fields"] = fields(form.get("fields"))
    if "forms" in settings:
        settings["forms"] = _keyed(settings["forms"], "title")
    if "journeys" in settings:
        settings["journeys"] = [_journey(one) for one in _keyed(settings["journeys"], "name")]
    if isinstance(settings.get("languages"), list):
        settings["languages"] = [*dict.fromkeys(one for one in settings["languages"] if isinstance(one, str) and one)]
    if "hours" in settings:
        settings["hours"] = _hours(settings["hours"])
    if isinstance(settings.get("continuity"), dict):
        chosen = settings["continuity"].get("channel")
        if not chosen:
            settings["continuity"] = None
        elif chosen == "auto":
            del settings["continuity"]["channel"]
    if "routes" in settings:
        settings["routes"] = [one for one in _objects(settings["routes"]) if any(one.values())]
    return settings


def fields(rows: Any) -> list[dict[str, Any]]:
    """Fields of a form: options belong to choices alone."""
    found = _keyed(rows, "label")
    for one in found:
        if one.get("kind") != "choice":
            one.pop("options", None)
        if not one.get("required"):
            one.pop("required", None)
    return found


def invitation(given: dict[str, Any], taken: set[str]) -> dict[str, Any]:
    """One invitation, its conditions with the parts of their kind; a new one gets a short name that is not taken."""
    for name in ("all", "any"):
        given[name] = [_condition(one) for one in _objects(given.get(name)) if one.get("is")]
    return _named(given, "name", taken)


def _condition(given: dict[str, Any]) -> dict[str, Any]:
    parts = CONDITIONS.get(given["is"], ({}, ()))[0]
    kept = {name: value for name, value in given.items() if name in parts and value not in ("", None)}
    return {"is": given["is"], **({"not": True} if given.get("not") else {}), **kept}


def step(given: dict[str, Any], taken: set[str]) -> dict[str, Any]:
    """One step of the flow: it waits for what `waits` says; the parts of other waits are left out."""
    waits = given.pop("waits", "")
    kept = {name: given[name] for name in ("key", "say", "go") if given.get(name)}
    if waits == "buttons":
        kept["buttons"] = _keyed(given.get("buttons"), "label")
    elif waits == "ask":
        asked = {name: value for name, value in (given.get("ask") or {}).items() if value}
        if asked.get("kind") != "choice":
            asked.pop("options", None)
        kept["ask"] = asked
    elif waits == "helped":
        kept["helped"] = True
    return kept


def _journey(given: dict[str, Any]) -> dict[str, Any]:
    """`start.by` says whether a page or an event is meant."""
    for name in ("start", "done"):
        moment = given.get(name)
        if isinstance(moment, dict):
            by = "event" if moment.get("by") == "event" else "url"
            given[name] = {by: moment.get("what", "")} if "what" in moment else moment
    return given


def _hours(given: Any) -> Any:
    """None where the chat is always open; days without a span are closed."""
    if not isinstance(given, dict) or given.pop("when", "set") == "always":
        return None
    if isinstance(given.get("days"), list):
        given["days"] = [
            [_span(span) for span in day if _says(span)] if isinstance(day, list) else [] for day in given["days"]
        ]
    return given


def _span(given: Any) -> Any:
    """Inputs of times know no 24:00: what ends at 00:00 ends with its day."""
    if isinstance(given, list) and len(given) == 2 and given[0] and given[1] == "00:00":
        return [given[0], "24:00"]
    return given


def _keyed(rows: Any, words: str) -> list[dict[str, Any]]:
    """The rows that say something, each with a short name."""
    found: list[dict[str, Any]] = []
    taken: set[str] = {str(one.get("key")) for one in _objects(rows)}
    for one in _objects(rows):
        if one.get("key") or _says(one.get(words)):
            found.append(_named(one, words, taken))
    return found


def _named(given: dict[str, Any], words: str, taken: set[str]) -> dict[str, Any]:
    if not given.get("key"):
        said = given.get(words)
        texts = [said] if isinstance(said, str) else list(said.values()) if isinstance(said, dict) else []
        base = next((slug for one in texts if (slug := slugify(str(one))[:36].strip("-_"))), "") or words
        given["key"] = next(one for one in (base, *(f"{base}-{n}" for n in range(2, 1000))) if one not in taken)
        taken.add(given["key"])
    return given


def _says(value: Any) -> bool:
    if isinstance(value, dict):
        return any(value.values())
    return any(value) if isinstance(value, list) else bool(value)


def _objects(value: Any) -> list[dict[str, Any]]:
    return [one for one in value if isinstance(one, dict)] if isinstance(value, list) else []


def change(draft: dict[str, Any], wanted: str) -> str:
    """Do what a button of a row says to a draft: `add`, `out`, `up` or `down`, and a path; `copy` has the four days
    after Monday be as Monday is, `again` only asks for the inputs of another kind. Returns the path of the row that the
    reader works on now.
    """
    verb, _space, path = wanted.partition(" ")
    if verb == "copy":
        days = _rows(draft, path)
        days[1:5] = [copy.deepcopy(days[0]) for _day in days[1:5]]
        return path
    folder = path if verb == "add" else path.rpartition(".")[0]
    if verb == "again":
        _anew(draft, path)
        return path
    rows = _rows(draft, folder)
    if verb == "add":
        rows.append({})
        return f"{folder}.{len(rows) - 1}"
    number = path.rpartition(".")[2]
    at = int(number) if number.isdecimal() and len(number) < 5 else len(rows)
    if at >= len(rows):
        return folder
    if verb == "out":
        del rows[at]
        return f"{folder}.{min(at, len(rows) - 1)}" if rows else folder
    to = at + {"up": -1, "down": 1}.get(verb, 0)
    if 0 <= to < len(rows):
        rows[at], rows[to] = rows[to], rows[at]
        return f"{folder}.{to}"
    return path


def _anew(draft: dict[str, Any], path: str) -> None:
    """A condition of another kind begins without the values of the one before."""
    *folders, at, name = path.split(".") if path.count(".") == 2 else ("", "", "")
    rows = draft.get(folders[0]) if folders else None
    if name == "is" and isinstance(rows, list) and at.isdecimal() and int(at) < len(rows):
        if isinstance(rows[int(at)], dict):
            rows[int(at)] = {one: value for one, value in rows[int(at)].items() if one in ("is", "not")}


def _rows(draft: dict[str, Any], path: str) -> list[Any]:
    """The list at this path of a draft, made where there is none."""
    folders = path.split(".")[: MOST_DEPTH + 1]
    place: Any = draft
    for at, folder in enumerate(folders):
        made: Any = [] if at == len(folders) - 1 else {}
        if isinstance(place, list):
            if not (folder.isdecimal() and int(folder) < len(place)):
                return []
            if not isinstance(place[int(folder)], type(made) if made == [] else list | dict):
                place[int(folder)] = made
            place = place[int(folder)]
        else:
            if not isinstance(place.get(folder), type(made) if made == [] else list | dict):
                place[folder] = made
            place = place[folder]
    return place if isinstance(place, list) else []
