from django.db import migrations

from inbox.migrating import BOUND_LOCKS


class Migration(migrations.Migration):

    dependencies = [
        ("inbox", "0020_indexes_of_work"),
    ]

    operations = [
        BOUND_LOCKS,
        # An index answers alone for pages that a vacuum has seen since they changed: so often that few others are left.
        migrations.RunSQL(
            "ALTER TABLE inbox_ticket SET"
            " (autovacuum_vacuum_scale_factor = 0.01, autovacuum_vacuum_insert_scale_factor = 0.01)",
            "ALTER TABLE inbox_ticket RESET (autovacuum_vacuum_scale_factor, autovacuum_vacuum_insert_scale_factor)",
        ),
    ]
