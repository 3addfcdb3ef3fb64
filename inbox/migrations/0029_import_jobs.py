from django.db import migrations, models

from inbox.migrating import BOUND_LOCKS


class Migration(migrations.Migration):
    """One more kind of job, which only Python knows of: the database is asked nothing."""

    dependencies = [("inbox", "0028_schedules")]
    operations = [
        BOUND_LOCKS,
        migrations.AlterField(
            model_name="job",
            name="kind",
            field=models.CharField(
                choices=[
                    ("bulk", "Change of many tickets"),
                    ("undo", "Undo of a change of many tickets"),
                    ("export", "Export"),
                    ("answer", "Answer to all incidents"),
                    ("import", "Import"),
                ],
                max_length=8,
            ),
        ),
    ]
