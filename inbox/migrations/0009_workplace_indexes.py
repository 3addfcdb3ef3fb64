from django.contrib.postgres.indexes import GinIndex
from django.contrib.postgres.operations import AddIndexConcurrently
from django.db import migrations, models
from django.db.models import Q

from inbox.migrating import ReplaceIndex

BEFORE = Q(merged_into__isnull=True, spam=False)
CURRENT = Q(merged_into__isnull=True, spam=False, trashed_at__isnull=True)
NEWEST = ["-last_message_at", "-number"]
# What the lists are read from: name, columns before the order, what else its rows must be.
LISTS = (
    ("ticket_by_status", ["status"], Q()),
    ("ticket_by_assignee", ["assignee", "status"], Q(assignee__isnull=False)),
    ("ticket_unassigned", [], Q(assignee__isnull=True, status="open")),
    ("ticket_by_team", ["team", "status"], Q(team__isnull=False)),
    ("ticket_by_channel", ["channel", "status"], Q()),
)
OF_CUSTOMERS_BEFORE = (
    "customer_changed",
    "customer_created",
    "customer_event_added",
    "identity_added",
    "identity_retired",
    "organisation_changed",
    "organisation_created",
)
OF_CUSTOMERS = (
    "customer_card_changed",
    "customer_changed",
    "customer_created",
    "customer_event_added",
    "customer_note_added",
    "customer_note_changed",
    "customer_note_deleted",
    "customers_told_apart",
    "identity_added",
    "identity_retired",
    "organisation_changed",
    "organisation_created",
)


def of_settings(but: tuple[str, ...]) -> models.Index:
    condition = Q(ticket__isnull=True) & ~Q(kind__in=but)
    return models.Index(fields=["-id"], condition=condition, name="event_of_settings")


class Migration(migrations.Migration):
    atomic = False  # without a lock on tables that may hold millions of rows

    dependencies = [
        ("inbox", "0008_workplace"),
    ]

    operations = [
        ReplaceIndex("event", of_settings(OF_CUSTOMERS_BEFORE), of_settings(OF_CUSTOMERS)),
        *(
            ReplaceIndex(
                "ticket",
                models.Index(fields=[*fields, *NEWEST], name=name, condition=BEFORE & more),
                models.Index(fields=[*fields, *NEWEST], name=name, condition=CURRENT & more),
            )
            for name, fields, more in LISTS
        ),
        ReplaceIndex(
            "ticket",
            models.Index(fields=NEWEST, name="ticket_spam", condition=Q(spam=True)),
            models.Index(fields=NEWEST, name="ticket_spam", condition=Q(spam=True, trashed_at__isnull=True)),
        ),
        AddIndexConcurrently(
            "ticket", models.Index(fields=NEWEST, name="ticket_trash", condition=Q(trashed_at__isnull=False))
        ),
        AddIndexConcurrently(
            "ticket",
            GinIndex(
                fields=["attributes"],
                opclasses=["jsonb_path_ops"],
                name="ticket_attributes",
                condition=~Q(attributes={}),
            ),
        ),
        AddIndexConcurrently(
            "message",
            models.Index(fields=["side", "id"], name="message_of_side", condition=Q(side__isnull=False)),
        ),
    ]
