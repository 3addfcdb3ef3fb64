from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ('inbox', '0011_draft_newest'),
    ]

    operations = [
        migrations.AddField(
            model_name='ticket',
            name='erased_at',
            field=models.DateTimeField(blank=True, null=True),
        ),
    ]
