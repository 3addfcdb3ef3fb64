import django.db.models.deletion
import django.utils.timezone
from django.conf import settings
from django.db import migrations, models


class Migration(migrations.Migration):

    dependencies = [
        ('inbox', '0005_audit_index'),
    ]

    operations = [
        migrations.CreateModel(
            name='CustomerMerge',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('at', models.DateTimeField(default=django.utils.timezone.now)),
                ('undone_at', models.DateTimeField(blank=True, null=True)),
                ('moved', models.JSONField(default=dict)),
                ('before', models.JSONField(default=dict)),
            ],
        ),
        migrations.AddField(
            model_name='customer',
            name='erased_at',
            field=models.DateTimeField(blank=True, null=True),
        ),
        migrations.AddField(
            model_name='message',
            name='send_at',
            field=models.DateTimeField(blank=True, null=True),
        ),
        migrations.AlterField(
            model_name='engagement',
            name='kind',
            field=models.CharField(choices=[('chat', 'Chat'), ('call', 'Call'), ('visit', 'Visit'), ('meeting', 'Meeting'), ('letter', 'Letter'), ('other', 'Something else')], max_length=10),
        ),
        migrations.AlterField(
            model_name='message',
            name='state',
            field=models.CharField(blank=True, choices=[('queued', 'Queued'), ('sending', 'Sending'), ('sent', 'Sent'), ('delivered', 'Delivered'), ('read', 'Read'), ('failed', 'Failed'), ('unknown', 'Not known'), ('cancelled', 'Not sent')], max_length=10),
        ),
        migrations.AddField(
            model_name='customermerge',
            name='by',
            field=models.ForeignKey(blank=True, null=True, on_delete=django.db.models.deletion.SET_NULL, related_name='+', to=settings.AUTH_USER_MODEL),
        ),
        migrations.AddField(
            model_name='customermerge',
            name='into',
            field=models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='+', to='inbox.customer'),
        ),
        migrations.AddField(
            model_name='customermerge',
            name='source',
            field=models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='merges', to='inbox.customer'),
        ),
        migrations.AddIndex(
            model_name='customermerge',
            index=models.Index(fields=['at'], name='customer_merge_recent'),
        ),
    ]
