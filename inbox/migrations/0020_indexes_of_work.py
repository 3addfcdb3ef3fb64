import django.contrib.postgres.indexes
from django.db import migrations, models
from django.db.models.functions import Upper

from inbox.migrating import BuildIndex

CURRENT = models.Q(spam=False, merged_into__isnull=True, trashed_at__isnull=True)
AT_WORK = CURRENT & models.Q(status__in=("open", "pending", "on_hold"))


class Migration(migrations.Migration):
    atomic = False  # without a lock on tables that may hold millions of rows

    dependencies = [
        ("inbox", "0019_answer_jobs"),
    ]

    operations = [
        BuildIndex(
            "ticket",
            models.Index(
                fields=["status", "assignee"],
                include=["priority", "team", "channel", "also_channels", "snoozed_until", "number"],
                name="ticket_count_of_assignee",
                condition=AT_WORK,
            ),
        ),
        BuildIndex(
            "ticket",
            models.Index(
                fields=["status", "team", "channel"],
                include=["priority", "assignee", "also_channels", "snoozed_until", "number"],
                name="ticket_count_of_team",
                condition=AT_WORK,
            ),
        ),
        BuildIndex(
            "ticket",
            models.Index(
                Upper("topic"),
                models.F("status"),
                models.OrderBy(models.F("last_message_at"), descending=True),
                models.OrderBy(models.F("number"), descending=True),
                name="ticket_by_topic",
                condition=CURRENT & ~models.Q(topic=""),
            ),
        ),
        BuildIndex(
            "ticket",
            django.contrib.postgres.indexes.GinIndex(
                fields=["tags"], name="ticket_tags_at_work", condition=AT_WORK & ~models.Q(tags=[])
            ),
        ),
        BuildIndex(
            "ticket",
            django.contrib.postgres.indexes.GinIndex(
                fields=["attributes"],
                opclasses=["jsonb_path_ops"],
                name="ticket_attributes_at_work",
                condition=AT_WORK & ~models.Q(attributes={}),
            ),
        ),
    ]
