from django.db import migrations, models


def keep_that_there_are_filters(apps, schema_editor):
    """Whoever had a filter keeps it; there are a handful of webhooks."""
    Webhook = apps.get_model("api", "Webhook")
    Webhook.objects.filter(channels__isnull=False).update(by_channel=True)
    Webhook.objects.filter(teams__isnull=False).update(by_team=True)


class Migration(migrations.Migration):

    dependencies = [
        ("api", "0003_idempotency_by_token"),
    ]

    operations = [
        migrations.AddField("webhook", "by_channel", models.BooleanField(default=False)),
        migrations.AddField("webhook", "by_team", models.BooleanField(default=False)),
        migrations.AlterField(
            "webhook",
            "disabled_reason",
            models.CharField(
                blank=True,
                choices=[
                    ("failing", "Everything sent to it failed for five days."),
                    ("gone", "Its receiver answered 410 Gone: it wants nothing more."),
                    ("owner", "Whoever it acts for may not send events to other systems any more."),
                    ("filter", "It was limited to channels or teams that are gone. Choose others, or none."),
                ],
                max_length=10,
            ),
        ),
        migrations.RunPython(keep_that_there_are_filters, migrations.RunPython.noop),
    ]
