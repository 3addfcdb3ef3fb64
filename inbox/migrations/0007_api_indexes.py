import django.db.models.deletion
from django.conf import settings
from django.contrib.postgres.indexes import GinIndex
from django.contrib.postgres.operations import AddIndexConcurrently
from django.db import migrations, models

# Each of these begins with what a list is filtered by, and goes on in the order that lists come in.
LISTS = {
    "ticket_status_updated": ["status"],
    "ticket_priority_updated": ["status", "priority"],
    "ticket_assignee_updated": ["assignee", "status"],
    "ticket_team_updated": ["team", "status"],
    "ticket_channel_updated": ["channel", "status"],
}


class Migration(migrations.Migration):
    atomic = False  # without a lock on tables that may hold millions of rows

    dependencies = [
        ("inbox", "0006_api_customers_and_scheduling"),
    ]

    operations = [
        AddIndexConcurrently(
            model_name="message",
            index=models.Index(
                condition=models.Q(("next_attempt_at__isnull", True), ("state", "queued")),
                fields=["send_at"],
                name="message_scheduled",
            ),
        ),
        AddIndexConcurrently(
            model_name="organisation", index=GinIndex(fields=["domains"], name="organisation_domains")
        ),
        *(
            AddIndexConcurrently("ticket", models.Index(fields=[*fields, "-updated_at", "-number"], name=name))
            for name, fields in LISTS.items()
        ),
        AddIndexConcurrently(
            "ticket",
            models.Index(
                fields=["-updated_at", "-number"],
                name="ticket_spam_updated",
                condition=models.Q(("spam", True)),
            ),
        ),
        # Their own indexes are no longer needed: those above begin with them.
        migrations.AlterField(
            model_name="ticket",
            name="assignee",
            field=models.ForeignKey(
                blank=True,
                db_index=False,
                null=True,
                on_delete=django.db.models.deletion.SET_NULL,
                related_name="tickets",
                to=settings.AUTH_USER_MODEL,
            ),
        ),
        migrations.AlterField(
            model_name="ticket",
            name="channel",
            field=models.ForeignKey(
                db_index=False,
                on_delete=django.db.models.deletion.PROTECT,
                related_name="tickets",
                to="inbox.channel",
            ),
        ),
        migrations.AlterField(
            model_name="ticket",
            name="team",
            field=models.ForeignKey(
                blank=True,
                db_index=False,
                null=True,
                on_delete=django.db.models.deletion.SET_NULL,
                related_name="tickets",
                to="inbox.team",
            ),
        ),
    ]
