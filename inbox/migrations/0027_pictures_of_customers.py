import django.db.models.deletion
import django.utils.timezone
from django.db import migrations, models

from inbox.migrating import BOUND_LOCKS


class Migration(migrations.Migration):
    """The column has its default in the database: no row is written anew, and what still runs from before goes on."""

    dependencies = [("inbox", "0025_receipts_of_a_channel")]
    operations = [
        BOUND_LOCKS,
        migrations.AddField(
            model_name="customer",
            name="picture",
            field=models.CharField(blank=True, db_default="", default="", max_length=200),
        ),
        migrations.CreateModel(
            name="Picture",
            fields=[
                (
                    "identity",
                    models.OneToOneField(
                        on_delete=django.db.models.deletion.CASCADE,
                        primary_key=True,
                        related_name="picture",
                        serialize=False,
                        to="inbox.identity",
                    ),
                ),
                ("stored", models.CharField(blank=True, max_length=200)),
                ("source", models.CharField(blank=True, max_length=2000)),
                ("changed_at", models.DateTimeField(blank=True, null=True)),
                ("due_at", models.DateTimeField(default=django.utils.timezone.now)),
            ],
            options={
                "indexes": [
                    models.Index(
                        condition=models.Q(("stored", ""), _negated=True), fields=["stored"], name="picture_stored"
                    )
                ],
            },
        ),
    ]
