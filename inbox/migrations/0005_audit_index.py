"""The audit log reads events without a ticket, newest first: few of many, so an index of their own.

Made beside running work: the log is one of the big tables.
"""

from django.contrib.postgres.operations import AddIndexConcurrently
from django.db import migrations, models


class Migration(migrations.Migration):
    atomic = False

    dependencies = [("inbox", "0004_people")]

    operations = [
        AddIndexConcurrently(
            "event",
            models.Index(
                condition=models.Q(
                    ("ticket__isnull", True),
                    models.Q(
                        (
                            "kind__in",
                            (
                                "customer_changed",
                                "customer_created",
                                "customer_event_added",
                                "identity_added",
                                "identity_retired",
                                "organisation_changed",
                                "organisation_created",
                            ),
                        ),
                        _negated=True,
                    ),
                ),
                fields=["-id"],
                name="event_of_settings",
            ),
        ),
    ]
