from django.db import migrations, models


class Migration(migrations.Migration):

    dependencies = [
        ('inbox', '0030_unrelated'),
        ('reports', '0002_figures'),
    ]

    operations = [
        migrations.RemoveIndex(
            model_name='responsefact',
            name='response_when',
        ),
        migrations.RemoveIndex(
            model_name='spanfact',
            name='span_starts',
        ),
        migrations.RemoveIndex(
            model_name='ticketfact',
            name='fact_ours_only',
        ),
        migrations.RemoveIndex(
            model_name='trafficfact',
            name='traffic_when',
        ),
        migrations.AddField(
            model_name='responsefact',
            name='first_total',
            field=models.BigIntegerField(null=True),
        ),
        migrations.AddField(
            model_name='ticketfact',
            name='ours_at',
            field=models.DateTimeField(null=True),
        ),
        migrations.AddField(
            model_name='trafficfact',
            name='priority',
            field=models.CharField(default='', max_length=10),
        ),
        migrations.AddIndex(
            model_name='responsefact',
            index=models.Index(fields=['answered_at'], include=('seconds', 'business', 'first', 'first_seconds', 'first_business', 'first_total', 'priority', 'ticket', 'channel_id', 'team_id', 'agent_id', 'imported'), name='response_when'),
        ),
        migrations.AddIndex(
            model_name='spanfact',
            index=models.Index(fields=['started_at'], include=('state', 'priority', 'ticket', 'channel_id', 'team_id', 'agent_id', 'imported'), name='span_starts'),
        ),
        migrations.AddIndex(
            model_name='ticketfact',
            index=models.Index(condition=models.Q(('ours_at__isnull', False)), fields=['ours_at'], name='fact_ours_only'),
        ),
        migrations.AddIndex(
            model_name='trafficfact',
            index=models.Index(fields=['quarter'], include=('kind', 'count', 'ticket', 'channel_id', 'team_id', 'agent_id', 'imported', 'priority'), name='traffic_when'),
        ),
    ]
