from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ('inbox', '0010_customer_indexes'),
    ]

    operations = [
        migrations.AddField(
            model_name='ticket',
            name='erased_at',
            field=models.DateTimeField(blank=True, null=True),
        ),
    ]
