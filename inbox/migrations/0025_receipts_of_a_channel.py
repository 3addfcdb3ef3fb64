from django.contrib.postgres.operations import AddIndexConcurrently
from django.db import migrations, models


class Migration(migrations.Migration):
    """Each channel's share of what waits; mail goes on coming in meanwhile."""

    atomic = False
    dependencies = [("inbox", "0024_messengers")]
    operations = [
        AddIndexConcurrently(
            "receipt",
            models.Index(
                condition=models.Q(("state", "new")),
                fields=["channel", "next_attempt_at", "id"],
                name="receipt_new_of",
            ),
        ),
    ]
