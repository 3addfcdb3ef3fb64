from django.db import migrations, models

from inbox.migrating import BOUND_LOCKS


class Migration(migrations.Migration):
    dependencies = [
        ('inbox', '0011_draft_newest'),
    ]

    operations = [
        BOUND_LOCKS,
        migrations.AddField(
            model_name='ticket',
            name='erased_at',
            field=models.DateTimeField(blank=True, null=True),
        ),
    ]
