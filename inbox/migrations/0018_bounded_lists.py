import django.db.models.deletion
from django.conf import settings
from django.contrib.postgres.operations import AddIndexConcurrently
from django.db import migrations, models


class Migration(migrations.Migration):
    atomic = False  # without a lock on tables that may hold millions of rows

    dependencies = [
        ("inbox", "0017_draft_macros"),
    ]

    operations = [
        AddIndexConcurrently(
            "ticket",
            models.Index(
                fields=["organisation", "-last_message_at", "-number"],
                name="ticket_of_organisation",
                condition=models.Q(organisation__isnull=False),
            ),
        ),
        AddIndexConcurrently(
            "customer",
            models.Index(
                models.F("organisation"),
                models.F("last_seen_at").desc(nulls_last=True),
                models.F("id").desc(),
                name="customer_of_organisation",
                condition=models.Q(organisation__isnull=False),
            ),
        ),
        AddIndexConcurrently(
            "message",
            models.Index(
                fields=["customer", "id"], name="message_of_customer", condition=models.Q(customer__isnull=False)
            ),
        ),
        AddIndexConcurrently("mention", models.Index(fields=["agent", "-created_at"], name="mention_newest")),
        AddIndexConcurrently(
            "ticketfollower", models.Index(fields=["agent", "-created_at"], name="ticket_follower_newest")
        ),
        AddIndexConcurrently(
            "ticket",
            models.Index(
                fields=["-last_message_at", "-number"],
                name="ticket_put_away",
                condition=models.Q(spam=False, merged_into__isnull=True, trashed_at__isnull=True)
                & models.Q(status="open", snoozed_until__isnull=False),
            ),
        ),
        # Their own indexes are no longer needed: those above begin with them.
        migrations.AlterField(
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
        migrations.AlterField(
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
        migrations.AlterField(
            model_name="mention",
            name="agent",
            field=models.ForeignKey(
                db_index=False,
                on_delete=django.db.models.deletion.CASCADE,
                related_name="mentions",
                to=settings.AUTH_USER_MODEL,
            ),
        ),
        migrations.AlterField(
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
