import uuid

import django.db.models.deletion
import django.utils.timezone
from django.db import migrations, models

from inbox.migrating import BOUND_LOCKS


class Migration(migrations.Migration):

    dependencies = [
        ("channels_chat", "0004_no_index_of_what_is_written_often"),
    ]

    operations = [
        BOUND_LOCKS,
        migrations.CreateModel(
            name="Transcript",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("address", models.CharField(max_length=320)),
                ("upto", models.BigIntegerField()),
                ("word", models.UUIDField(default=uuid.uuid4, editable=False)),
                ("tries", models.PositiveSmallIntegerField(default=0)),
                ("next_at", models.DateTimeField(default=django.utils.timezone.now)),
                ("created_at", models.DateTimeField(default=django.utils.timezone.now)),
                ("chat", models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name="transcripts", to="channels_chat.chat")),
            ],
        ),
    ]
