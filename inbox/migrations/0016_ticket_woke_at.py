from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ('inbox', '0015_notification_kinds'),
    ]

    operations = [
        migrations.AddField(
            model_name='ticket',
            name='woke_at',
            field=models.DateTimeField(blank=True, null=True),
        ),
    ]
