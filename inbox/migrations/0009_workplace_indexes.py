from django.contrib.postgres.indexes import GinIndex
from django.contrib.postgres.operations import AddIndexConcurrently, RemoveIndexConcurrently
from django.db import migrations, models


class Migration(migrations.Migration):
    atomic = False  # without a lock on tables that may hold millions of rows

    dependencies = [
        ("inbox", "0008_workplace"),
    ]

    operations = [
        RemoveIndexConcurrently(
            model_name='event',
            name='event_of_settings',
        ),
        RemoveIndexConcurrently(
            model_name='ticket',
            name='ticket_by_status',
        ),
        RemoveIndexConcurrently(
            model_name='ticket',
            name='ticket_by_assignee',
        ),
        RemoveIndexConcurrently(
            model_name='ticket',
            name='ticket_unassigned',
        ),
        RemoveIndexConcurrently(
            model_name='ticket',
            name='ticket_by_team',
        ),
        RemoveIndexConcurrently(
            model_name='ticket',
            name='ticket_by_channel',
        ),
        RemoveIndexConcurrently(
            model_name='ticket',
            name='ticket_spam',
        ),
        AddIndexConcurrently(
            model_name='event',
            index=models.Index(condition=models.Q(('ticket__isnull', True), models.Q(('kind__in', ('customer_card_changed', 'customer_changed', 'customer_created', 'customer_event_added', 'customer_note_added', 'customer_note_changed', 'customer_note_deleted', 'customers_told_apart', 'identity_added', 'identity_retired', 'organisation_changed', 'organisation_created')), _negated=True)), fields=['-id'], name='event_of_settings'),
        ),
        AddIndexConcurrently(
            model_name='ticket',
            index=models.Index(condition=models.Q(('merged_into__isnull', True), ('spam', False), ('trashed_at__isnull', True)), fields=['status', '-last_message_at', '-number'], name='ticket_by_status'),
        ),
        AddIndexConcurrently(
            model_name='ticket',
            index=models.Index(condition=models.Q(('merged_into__isnull', True), ('spam', False), ('trashed_at__isnull', True), ('assignee__isnull', False)), fields=['assignee', 'status', '-last_message_at', '-number'], name='ticket_by_assignee'),
        ),
        AddIndexConcurrently(
            model_name='ticket',
            index=models.Index(condition=models.Q(('merged_into__isnull', True), ('spam', False), ('trashed_at__isnull', True), ('assignee__isnull', True), ('status', 'open')), fields=['-last_message_at', '-number'], name='ticket_unassigned'),
        ),
        AddIndexConcurrently(
            model_name='ticket',
            index=models.Index(condition=models.Q(('merged_into__isnull', True), ('spam', False), ('trashed_at__isnull', True), ('team__isnull', False)), fields=['team', 'status', '-last_message_at', '-number'], name='ticket_by_team'),
        ),
        AddIndexConcurrently(
            model_name='ticket',
            index=models.Index(condition=models.Q(('merged_into__isnull', True), ('spam', False), ('trashed_at__isnull', True)), fields=['channel', 'status', '-last_message_at', '-number'], name='ticket_by_channel'),
        ),
        AddIndexConcurrently(
            model_name='ticket',
            index=models.Index(condition=models.Q(('spam', True), ('trashed_at__isnull', True)), fields=['-last_message_at', '-number'], name='ticket_spam'),
        ),
        AddIndexConcurrently(
            model_name='ticket',
            index=models.Index(condition=models.Q(('trashed_at__isnull', False)), fields=['-last_message_at', '-number'], name='ticket_trash'),
        ),
        AddIndexConcurrently(
            model_name='ticket',
            index=GinIndex(condition=models.Q(('attributes', {}), _negated=True), fields=['attributes'], name='ticket_attributes', opclasses=['jsonb_path_ops']),
        ),
        AddIndexConcurrently(
            model_name='message',
            index=models.Index(condition=models.Q(('side__isnull', False)), fields=['side', 'id'], name='message_of_side'),
        ),
    ]
