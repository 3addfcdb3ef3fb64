import django.db.models.deletion
from django.db import migrations, models


class Migration(migrations.Migration):
    """Keys of before go: they live for a day, and nobody knows with which token they came."""

    dependencies = [
        ('api', '0002_webhooks'),
    ]

    operations = [
        migrations.RunSQL("DELETE FROM api_idempotencykey", "DELETE FROM api_idempotencykey"),
        migrations.RemoveConstraint(model_name='idempotencykey', name='idempotency_key_once'),
        migrations.RemoveField(model_name='idempotencykey', name='agent'),
        migrations.AddField(
            model_name='idempotencykey',
            name='token',
            field=models.ForeignKey(default=None, on_delete=django.db.models.deletion.CASCADE, related_name='+', to='api.apitoken'),
            preserve_default=False,
        ),
        migrations.AddConstraint(
            model_name='idempotencykey',
            constraint=models.UniqueConstraint(fields=('token', 'key'), name='idempotency_key_once'),
        ),
    ]
