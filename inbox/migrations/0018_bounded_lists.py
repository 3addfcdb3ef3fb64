import django.db.models.deletion
from django.conf import settings
from django.db import migrations, models

from inbox.migrating import BuildIndex, DropOwnIndex


class Migration(migrations.Migration):
    atomic = False  # without a lock on tables that may hold millions of rows

    dependencies = [
        ("inbox", "0017_draft_macros"),
    ]

    operations = [
        BuildIndex(
            "ticket",
            models.Index(
                fields=["organisation", "-last_message_at", "-number"],
                name="ticket_of_organisation",
                condition=models.Q(organisation__isnull=False),
            ),
        ),
        BuildIndex(
            "customer",
            models.Index(
                models.F("organisation"),
                models.F("last_seen_at").desc(nulls_last=True),
                models.F("id").desc(),
                name="customer_of_organisation",
                condition=models.Q(organisation__isnull=False),
            ),
        ),
        BuildIndex(
            "message",
            models.Index(
                fields=["customer", "id"], name="message_of_customer", condition=models.Q(customer__isnull=False)
            ),
        ),
        BuildIndex("mention", models.Index(fields=["agent", "-created_at"], name="mention_newest")),
        BuildIndex(
            "ticketfollower", models.Index(fields=["agent", "-created_at"], name="ticket_follower_newest")
        ),
        BuildIndex(
            "ticket",
            models.Index(
                fields=["-last_message_at", "-number"],
                name="ticket_put_away",
                condition=models.Q(spam=False, merged_into__isnull=True, trashed_at__isnull=True)
                & models.Q(status="open", snoozed_until__isnull=False),
            ),
        ),
        # No longer needed: the indexes above begin with these columns. Their foreign keys stay as they are.
        DropOwnIndex(
            model_name="ticket",
            name="organisation",
            field=models.ForeignKey(
                blank=True,
                db_index=False,
                null=True,
                on_delete=django.db.models.deletion.SET_NULL,
                related_name="tickets",
                to="inbox.organisation",
            ),
        ),
        DropOwnIndex(
            model_name="customer",
            name="organisation",
            field=models.ForeignKey(
                blank=True,
                db_index=False,
                null=True,
                on_delete=django.db.models.deletion.SET_NULL,
                related_name="customers",
                to="inbox.organisation",
            ),
        ),
        DropOwnIndex(
            model_name="mention",
            name="agent",
            field=models.ForeignKey(
                db_index=False,
                on_delete=django.db.models.deletion.CASCADE,
                related_name="mentions",
                to=settings.AUTH_USER_MODEL,
            ),
        ),
        DropOwnIndex(
            model_name="message",
            name="customer",
            field=models.ForeignKey(
                blank=True,
                db_index=False,
                null=True,
                on_delete=django.db.models.deletion.SET_NULL,
                related_name="messages",
                to="inbox.customer",
            ),
        ),
    ]
