"""Django's PostgreSQL for the web process: whoever has waited for a connection in vain does not wait again at once.

A request asks the database from several places (its session, the line in the log, the page that says it failed); while
the database is away each would wait for the whole of the pool's time-out.
"""

import time
from typing import Any

from django.db.backends.postgresql import base
from psycopg_pool import PoolTimeout

REMEMBERED = 2.0  # seconds; every request has a thread, and with it a wrapper, of its own


class DatabaseWrapper(base.DatabaseWrapper):
    refused = ""
    refused_at = float("-inf")

    def get_new_connection(self, conn_params: dict[str, Any]) -> Any:
        """A connection of the pool. Raises PoolTimeout, which Django turns into its OperationalError."""
        if time.monotonic() - self.refused_at < REMEMBERED:
            raise PoolTimeout(self.refused)
        try:
            return super().get_new_connection(conn_params)
        except PoolTimeout as error:
            self.refused, self.refused_at = str(error), time.monotonic()
            raise
