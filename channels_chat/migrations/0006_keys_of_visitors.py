import django.db.models.deletion
import django.utils.timezone
from django.db import migrations, models

from inbox.migrating import BOUND_LOCKS


class Migration(migrations.Migration):

    dependencies = [
        ("channels_chat", "0005_transcripts_to_send"),
    ]

    operations = [
        BOUND_LOCKS,
        migrations.CreateModel(
            name="VisitorKey",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("digest", models.CharField(max_length=64, unique=True)),
                ("created_at", models.DateTimeField(default=django.utils.timezone.now)),
                ("visitor", models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name="keys", to="channels_chat.visitor")),
            ],
            options={"verbose_name": "session key", "verbose_name_plural": "session keys"},
        ),
    ]
