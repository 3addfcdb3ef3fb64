import django.contrib.postgres.fields
import django.db.models.deletion
import django.utils.timezone
from django.conf import settings
from django.db import migrations, models


class Migration(migrations.Migration):

    dependencies = [
        ('api', '0001_initial'),
        ('inbox', '0001_initial'),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
        migrations.CreateModel(
            name='Webhook',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('name', models.CharField(max_length=120, verbose_name='name')),
                ('url', models.CharField(max_length=2000, verbose_name='address')),
                ('description', models.CharField(blank=True, max_length=500, verbose_name='description')),
                ('events', django.contrib.postgres.fields.ArrayField(base_field=models.CharField(max_length=40), default=list, size=None)),
                ('sealed', models.TextField(editable=False)),
                ('active', models.BooleanField(default=True, verbose_name='on')),
                ('since', models.DateTimeField(default=django.utils.timezone.now)),
                ('failing_since', models.DateTimeField(blank=True, null=True)),
                ('failures', models.PositiveIntegerField(default=0)),
                ('last_error', models.TextField(blank=True)),
                ('held_until', models.DateTimeField(blank=True, null=True)),
                ('disabled_at', models.DateTimeField(blank=True, null=True)),
                ('disabled_reason', models.CharField(blank=True, choices=[('failing', 'Everything sent to it failed for five days.'), ('gone', 'Its receiver answered 410 Gone: it wants nothing more.'), ('owner', 'Whoever it acts for may not send events to other systems any more.')], max_length=10)),
                ('created_at', models.DateTimeField(default=django.utils.timezone.now)),
                ('channels', models.ManyToManyField(blank=True, related_name='+', to='inbox.channel')),
                ('owner', models.ForeignKey(null=True, on_delete=django.db.models.deletion.SET_NULL, related_name='webhooks', to=settings.AUTH_USER_MODEL)),
                ('teams', models.ManyToManyField(blank=True, related_name='+', to='inbox.team')),
            ],
            options={
                'verbose_name': 'webhook',
                'verbose_name_plural': 'webhooks',
                'ordering': ('name', 'pk'),
            },
        ),
        migrations.CreateModel(
            name='WebhookDelivery',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('event_id', models.BigIntegerField(null=True)),
                ('message_id', models.CharField(max_length=40, unique=True)),
                ('kind', models.CharField(max_length=40)),
                ('payload', models.TextField(blank=True)),
                ('state', models.CharField(choices=[('queued', 'Waiting'), ('sending', 'Under way'), ('delivered', 'Delivered'), ('failed', 'Failed')], default='queued', max_length=10)),
                ('attempts', models.PositiveSmallIntegerField(default=0)),
                ('next_attempt_at', models.DateTimeField(default=django.utils.timezone.now)),
                ('lease_until', models.DateTimeField(blank=True, null=True)),
                ('headers', models.JSONField(blank=True, default=dict)),
                ('status', models.PositiveSmallIntegerField(blank=True, null=True)),
                ('response', models.TextField(blank=True)),
                ('error', models.TextField(blank=True)),
                ('duration_ms', models.PositiveIntegerField(blank=True, null=True)),
                ('created_at', models.DateTimeField(default=django.utils.timezone.now)),
                ('attempted_at', models.DateTimeField(blank=True, null=True)),
                ('done_at', models.DateTimeField(blank=True, null=True)),
                ('webhook', models.ForeignKey(db_index=False, on_delete=django.db.models.deletion.CASCADE, related_name='deliveries', to='api.webhook')),
            ],
            options={
                'verbose_name': 'delivery',
                'verbose_name_plural': 'deliveries',
                'indexes': [models.Index(condition=models.Q(('state', 'queued')), fields=['webhook', 'next_attempt_at', 'id'], name='webhook_delivery_due'), models.Index(condition=models.Q(('state', 'sending')), fields=['webhook'], name='webhook_delivery_sending'), models.Index(fields=['webhook', '-id'], name='webhook_delivery_list'), models.Index(fields=['created_at'], name='webhook_delivery_by_age'), models.Index(fields=['event_id'], name='webhook_delivery_of_event')],
                'constraints': [models.UniqueConstraint(fields=('webhook', 'event_id'), name='webhook_event_once')],
            },
        ),
    ]
