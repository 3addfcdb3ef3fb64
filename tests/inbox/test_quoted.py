"""What a comment answers is found by its index, however much was ever said."""

import pytest
from django.db import connection

from inbox import timeline
from inbox.models import Channel, Message
from tests.cast import question


@pytest.mark.django_db
def test_what_is_answered_is_found_by_the_name_that_its_platform_gave_it(desk: Channel) -> None:
    ticket = question(desk, "A cup")
    common = {
        "ticket": ticket,
        "first_ticket": ticket,
        "channel": desk,
        "customer": ticket.customer,
        "direction": "in",
        "text": "Hello",
    }
    Message.objects.bulk_create(Message(**common, external_id=f"c{n}", in_reply_to=f"c{n // 2}") for n in range(2000))
    statement, values = timeline._found(Message.objects.conversation()).query.sql_with_params()
    with connection.cursor() as cursor:
        cursor.execute("ANALYZE inbox_message")
        cursor.execute(f"EXPLAIN {statement}", values)
        plan = "\n".join(line for (line,) in cursor.fetchall())
    assert "message_external_id" in plan
