import datetime

import django.db.models.functions.comparison
from django.contrib.postgres.operations import AddIndexConcurrently
from django.db import migrations, models


class Migration(migrations.Migration):
    atomic = False

    dependencies = [
        ('inbox', '0012_ticket_erased_at'),
    ]

    operations = [
        AddIndexConcurrently(
            model_name='ticket',
            index=models.Index(condition=models.Q(('merged_into__isnull', True), ('spam', False), ('trashed_at__isnull', True)), fields=['status', '-created_at', '-number'], name='ticket_by_created'),
        ),
        AddIndexConcurrently(
            model_name='ticket',
            index=models.Index(models.F('status'), django.db.models.functions.comparison.Coalesce('waiting_since', models.Value(datetime.datetime(9999, 12, 31, 0, 0, tzinfo=datetime.timezone.utc), output_field=models.DateTimeField())), models.F('number'), condition=models.Q(('merged_into__isnull', True), ('spam', False), ('trashed_at__isnull', True)), name='ticket_by_waiting'),
        ),
        AddIndexConcurrently(
            model_name='ticket',
            index=models.Index(models.F('status'), django.db.models.functions.comparison.Coalesce('due_at', models.Value(datetime.datetime(9999, 12, 31, 0, 0, tzinfo=datetime.timezone.utc), output_field=models.DateTimeField())), models.F('number'), condition=models.Q(('merged_into__isnull', True), ('spam', False), ('trashed_at__isnull', True)), name='ticket_by_due'),
        ),
        AddIndexConcurrently(
            model_name='ticket',
            index=models.Index(models.F('status'), models.OrderBy(models.Case(models.When(priority='low', then=models.Value(0)), models.When(priority='normal', then=models.Value(1)), models.When(priority='high', then=models.Value(2)), models.When(priority='urgent', then=models.Value(3)), default=models.Value(1), output_field=models.SmallIntegerField()), descending=True), models.OrderBy(models.F('last_message_at'), descending=True), models.OrderBy(models.F('number'), descending=True), condition=models.Q(('merged_into__isnull', True), ('spam', False), ('trashed_at__isnull', True)), name='ticket_by_priority'),
        ),
        AddIndexConcurrently(
            model_name='ticket',
            index=models.Index(condition=models.Q(('merged_into__isnull', True), ('spam', False), ('trashed_at__isnull', True), ('status', 'open')), fields=['customer'], name='ticket_open_of_customer'),
        ),
    ]
