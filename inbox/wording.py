"""Events of a ticket in words, and reasons that were written down."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from django.db.models import BigIntegerField, F, OuterRef, QuerySet, Subquery
from django.db.models.expressions import RawSQL
from django.db.models.functions import Cast
from django.utils import timezone
from django.utils.dateparse import parse_datetime
from django.utils.formats import date_format
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from inbox.models import ActorKind, Event, Macro, Priority, Status, Ticket

SHOWN = (
    "status_changed", "assigned", "priority_changed", "tags_changed", "subject_changed", "spam_changed", "snoozed",
    "merged", "merged_from", "message_moved", "message_retried", "participant_confirmed", "follow_up_of",
    "unmerged", "unmerged_from", "split", "split_from", "message_scheduled", "message_cancelled", "ticket_erased",
    "link_added", "link_removed", "requester_changed", "participant_added", "participant_removed", "fields_changed",
    "trashed", "restored", "macro_applied", "not_solved",
)  # fmt: skip


def retold(reason: str) -> str:
    """A reason that was written down in the deployment's language, in the reader's, where it is one of ours."""
    return _(reason) if reason else ""  # the empty text stands for the catalogue's own header


# Words of other apps for events of theirs: with the names of agents by id.
Words = Callable[[Event, Mapping[int, str]], str]
_words: dict[str, Words] = {}


def register(kind: str, words: Words) -> None:
    """Let events of this kind stand in the timeline, with these words; empty words leave one out."""
    _words[kind] = words


# The log keeps ids, since tags are renamed.
TAG_NAMES = """array_remove(ARRAY(
    SELECT (SELECT name FROM inbox_tag WHERE id = one::bigint) FROM jsonb_array_elements_text(
        CASE WHEN inbox_event.kind = 'tags_changed' THEN inbox_event.data -> %s END
    ) AS one
), NULL)"""

FIELD_NAMES = {
    "type": gettext_lazy("Type"),
    "severity": gettext_lazy("Severity"),
    "topic": gettext_lazy("Topic"),
    "due_at": gettext_lazy("Due"),
    "language": gettext_lazy("Language"),
    "external_id": gettext_lazy("External ID"),
    "organisation": gettext_lazy("Organisation"),
}


def shown(ticket: Ticket) -> QuerySet[Event, Event]:
    """The ticket's events that there are words for, the newest first, with the names that these take."""
    # A macro of one's own is nobody else's business: those that others have, too, are called by their names.
    applied = Macro.objects.filter(owner=None).annotate(applied=Cast(OuterRef("data__macro"), BigIntegerField()))
    return (
        Event.objects.filter(ticket=ticket, kind__in=[*SHOWN, *_words])
        .order_by("-pk")
        .annotate(
            macro=Subquery(applied.filter(pk=F("applied")).values("name")[:1]),
            tagged=RawSQL(TAG_NAMES, ["added"]),  # noqa: S611 - our own words
            untagged=RawSQL(TAG_NAMES, ["removed"]),  # noqa: S611
        )
    )


def started(event: Event, words: str, names: dict[int, str]) -> str:
    """The line with who did it in front."""
    if event.actor_kind == ActorKind.AGENT:
        return _("%(who)s: %(what)s") % {"who": names.get(event.actor_id or 0, _("Somebody")), "what": words}
    if event.data.get("echo"):
        return _("Answered in the app, %(what)s") % {"what": words}
    if event.actor_kind == ActorKind.CUSTOMER and event.kind in _words:
        return _("The customer: %(what)s") % {"what": words}
    if event.actor_kind == ActorKind.CUSTOMER:
        return _("The customer wrote, %(what)s") % {"what": words}
    return words[:1].upper() + words[1:]


def sentence(event: Event, names: dict[int, str]) -> str:
    """What happened, without who did it; empty where there is nothing to say."""
    data = event.data
    if event.kind in _words:
        return _words[event.kind](event, names)
    match event.kind:
        case "status_changed":
            return _("now %(status)s") % {"status": _label(Status, data.get("to"))}
        case "assigned":
            return _assigned(event, names)
        case "priority_changed":
            return _("priority %(priority)s") % {"priority": _label(Priority, data.get("to"))}
        case "tags_changed":
            return "" if event.data.get("renamed") else _tags(event)  # of the tag, not of the ticket
        case "subject_changed":
            return _("changed the subject")
        case "spam_changed":
            if data.get("reason") == "blocked":
                return _("and is blocked, so this is kept as spam")
            return _("marked as spam") if data.get("spam") else _("not spam after all")
        case "trashed":
            return _("put into the trash")
        case "restored":
            return _("taken out of the trash")
        case "snoozed":
            until = parse_datetime(data["until"]) if data.get("until") else None
            if until is None:
                return _("back from snooze")
            return _("snoozed until %(time)s") % {"time": date_format(timezone.localtime(until), "DATETIME_FORMAT")}
        case "merged":
            return _("merged into #%(number)s") % {"number": data.get("into")}
        case "merged_from":
            return _("merged #%(number)s into this ticket") % {"number": data.get("source")}
        case "message_moved" if data.get("split"):
            return ""  # one line tells of the whole split
        case "message_moved":
            if data.get("to") == event.ticket_id:
                return _("moved a message here from #%(number)s") % {"number": data.get("from")}
            return _("moved a message to #%(number)s") % {"number": data.get("to")}
        case "message_retried":
            return _("sent a message again")
        case "participant_confirmed":
            return _("confirmed a sender")
        case "unmerged":
            return _("taken out of #%(number)s again") % {"number": data.get("from")}
        case "unmerged_from":
            return _("took #%(number)s out of this ticket again") % {"number": data.get("source")}
        case "split":
            return _("split messages off into #%(number)s") % {"number": data.get("into")}
        case "split_from":
            return _("split off from #%(number)s") % {"number": data.get("source")}
        case "message_scheduled":
            at = parse_datetime(data["send_at"])
            if data.get("quiet") and at:
                return _("a reply waits for the end of the customer’s quiet hours, %(time)s") % {
                    "time": date_format(timezone.localtime(at), "DATETIME_FORMAT")
                }
            return _("a reply is to leave %(time)s") % {
                "time": date_format(timezone.localtime(at), "DATETIME_FORMAT") if at else ""
            }
        case "message_cancelled":
            if not data.get("overtaken"):
                return _("took a reply back")
            return {
                "closed": _("a reply was not sent: the ticket was closed first"),
                "put_away": _("a reply was not sent: the ticket was put away first"),
                "opted_out": _("a reply was not sent: the customer wants nothing this way"),
                "writer": _("a reply was not sent: whoever wrote it may not answer any more"),
            }.get(data.get("reason", ""), _("a reply was not sent: the customer wrote first"))
        case "not_solved":
            return _("not solved: fields that must say something are empty")
        case "link_added":
            return _("linked to #%(number)s") % {"number": data.get("target") or data.get("source")}
        case "link_removed":
            return _("no longer linked to #%(number)s") % {"number": data.get("target") or data.get("source")}
        case "requester_changed":
            return _("changed the requester")
        case "participant_added":
            return _("added somebody in copy")
        case "participant_removed":
            return _("took somebody out of the conversation")
        case "fields_changed":
            named = [str(FIELD_NAMES[name]) for name in data.get("fields", ()) if name in FIELD_NAMES]
            return _("changed: %(names)s") % {"names": ", ".join(named)} if named else _("changed properties")
        case "macro_applied":
            name = getattr(event, "macro", None)
            return _("applied the macro “%(name)s”") % {"name": name} if name else _("applied a macro")
        case "ticket_erased":
            return _("erased what was said here")
        case "follow_up_of":
            return _("a follow-up of #%(number)s") % {"number": data.get("of")}
    return ""


def _label(choices: type[Status] | type[Priority], value: str | None) -> str:
    return str(choices(value).label) if value in choices.values else str(value)


def _tags(event: Event) -> str:
    added, removed = getattr(event, "tagged", []), getattr(event, "untagged", [])
    said = [
        _("tagged %(tags)s") % {"tags": _(", ").join(added)} if added else "",
        _("untagged %(tags)s") % {"tags": _(", ").join(removed)} if removed else "",
    ]
    return _(", ").join(filter(None, said)) or _("changed the tags")  # which nobody knows any more


def _assigned(event: Event, names: dict[int, str]) -> str:
    data = event.data
    if data.get("from") != data.get("to"):
        to = data.get("to")
        if to is None:
            return _("gave the ticket back")
        if event.actor_kind == ActorKind.AGENT and to == event.actor_id:
            return _("took the ticket")
        return _("given to %(name)s") % {"name": names.get(to, _("Somebody"))}
    if data.get("team_from") != data.get("team_to"):
        return _("moved to another team") if data.get("team_to") else _("taken from its team")
    return ""
