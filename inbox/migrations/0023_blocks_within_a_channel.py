from django.db import migrations, models

from inbox.migrating import BOUND_LOCKS

# Visitors of a site were blocked on every site: what is known of where goes on there alone.
WHERE_THEY_WROTE = """
UPDATE inbox_block SET scope = 'channel:' || ticket.channel_id
FROM inbox_ticket ticket JOIN inbox_channel channel ON channel.id = ticket.channel_id
WHERE inbox_block.ticket_id = ticket.number AND inbox_block.kind = 'visitor' AND inbox_block.identity_kind = 'chat'
  AND channel.kind = 'chat'
"""


class Migration(migrations.Migration):

    dependencies = [
        ("inbox", "0022_chat_notifications"),
    ]

    operations = [
        BOUND_LOCKS,
        migrations.RemoveConstraint(
            model_name="block",
            name="block_once",
        ),
        migrations.AddField(
            model_name="block",
            name="scope",
            field=models.CharField(blank=True, default="", max_length=100),
        ),
        migrations.RunSQL(WHERE_THEY_WROTE, migrations.RunSQL.noop),
        migrations.AddConstraint(
            model_name="block",
            constraint=models.UniqueConstraint(
                fields=("kind", "identity_kind", "scope", "value"), name="block_once"
            ),
        ),
    ]
