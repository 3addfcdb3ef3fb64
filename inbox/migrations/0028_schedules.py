from datetime import UTC, datetime

import django.utils.timezone
from django.db import migrations, models

from inbox.migrating import BOUND_LOCKS

ALWAYS = datetime(1970, 1, 1, tzinfo=UTC)


def write_down(apps, schema_editor):
    """Hours that are there already hold for all that is past: nobody wrote down since when."""
    version = apps.get_model("inbox", "ScheduleVersion")
    found = []
    for channel in apps.get_model("inbox", "Channel").objects.select_related("brand"):
        own = channel.settings.get("hours") if channel.kind == "chat" else None
        hours = own or (channel.brand.schedule if channel.brand else None)
        if hours:
            found.append(version(of="channel", whose=channel.pk, hours=hours, since=ALWAYS))
    version.objects.bulk_create(found)


class Migration(migrations.Migration):
    """The columns have their defaults in the database: no row is written anew, what still runs from before goes on."""

    dependencies = [("inbox", "0027_pictures_of_customers")]
    operations = [
        BOUND_LOCKS,
        migrations.AddField(
            model_name="team",
            name="schedule",
            field=models.JSONField(blank=True, db_default={}, default=dict),
        ),
        migrations.AddField(
            model_name="channel",
            name="schedule",
            field=models.JSONField(blank=True, db_default={}, default=dict),
        ),
        migrations.CreateModel(
            name="ScheduleVersion",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                (
                    "of",
                    models.CharField(
                        choices=[
                            ("organisation", "the organisation"),
                            ("team", "a team"),
                            ("channel", "a channel: its own hours, else its brand's"),
                        ],
                        max_length=12,
                    ),
                ),
                ("whose", models.BigIntegerField(null=True)),
                ("hours", models.JSONField(null=True)),
                ("since", models.DateTimeField(default=django.utils.timezone.now)),
            ],
            options={
                "ordering": ("since", "pk"),
                "indexes": [models.Index(fields=["of", "whose", "since"], name="schedule_of")],
            },
        ),
        migrations.RunPython(write_down, migrations.RunPython.noop),
    ]
