from django.db import migrations, models
from django.db.models import Q

from inbox.migrating import BuildIndex


class Migration(migrations.Migration):
    """Which visitors are one user of the site is looked up when somebody comes."""

    atomic = False
    dependencies = [
        ("channels_chat", "0006_keys_of_visitors"),
    ]

    operations = [
        BuildIndex(
            model_name="visitor",
            index=models.Index(condition=~Q(user=""), fields=["channel", "user"], name="visitor_user"),
        ),
    ]
