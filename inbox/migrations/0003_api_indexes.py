from django.contrib.postgres.operations import AddIndexConcurrently
from django.db import migrations, models


class Migration(migrations.Migration):
    atomic = False  # without a lock on tables that may hold millions of rows

    dependencies = [
        ("inbox", "0003_api_customers_and_scheduling"),
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
    ]
