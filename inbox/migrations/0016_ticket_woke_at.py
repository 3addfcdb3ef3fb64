from django.db import migrations, models

from inbox.migrating import BOUND_LOCKS


class Migration(migrations.Migration):
    dependencies = [
        ('inbox', '0015_notification_kinds'),
    ]

    operations = [
        BOUND_LOCKS,
        migrations.AddField(
            model_name='ticket',
            name='woke_at',
            field=models.DateTimeField(blank=True, null=True),
        ),
    ]
