"""What a comment answers is found by its index, however much was ever said."""

import pytest
from django.db import connection

from inbox import timeline
from inbox.models import Message


@pytest.mark.django_db
def test_what_is_answered_is_found_by_the_name_that_its_platform_gave_it() -> None:
    statement, values = timeline._found(Message.objects.conversation()).query.sql_with_params()
    with connection.cursor() as cursor:
        cursor.execute("SET LOCAL enable_seqscan = off")  # which is the cheapest way through a table of nothing
        cursor.execute(f"EXPLAIN {statement}", values)
        plan = "\n".join(line for (line,) in cursor.fetchall())
    assert "message_external_id" in plan
