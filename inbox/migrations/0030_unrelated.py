from django.db import migrations, models

from inbox.migrating import BOUND_LOCKS


class Migration(migrations.Migration):
    """One more kind of link, which only Python knows of: the database is asked nothing."""

    dependencies = [("inbox", "0029_import_jobs")]
    operations = [
        BOUND_LOCKS,
        migrations.AlterField(
            model_name="ticketlink",
            name="kind",
            field=models.CharField(
                choices=[
                    ("follow_up", "Follow-up"),
                    ("duplicate", "Duplicate"),
                    ("incident", "Incident of a problem"),
                    ("child", "Child"),
                    ("unrelated", "Another matter"),
                    ("merged", "Merged"),
                ],
                max_length=10,
            ),
        ),
    ]
