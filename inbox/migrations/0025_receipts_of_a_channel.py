from django.db import migrations, models

from inbox.migrating import BuildIndex


class Migration(migrations.Migration):
    """Each channel's share of what waits; mail goes on coming in meanwhile."""

    atomic = False
    dependencies = [("inbox", "0024_messengers")]
    operations = [
        BuildIndex(
            "receipt",
            models.Index(
                condition=models.Q(("state", "new")),
                fields=["channel", "next_attempt_at", "id"],
                name="receipt_new_of",
            ),
        ),
    ]
