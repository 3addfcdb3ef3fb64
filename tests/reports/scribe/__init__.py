"""Writes histories as the actions of `inbox` would have written them, without the database: rows and lines of the log.

Thousands of small histories are too many to be lived through. What stands here is what `inbox.actions` leave behind;
`test_scribe.py` lives through some of them and compares.
"""

from tests.reports.scribe.talks import Scribe
from tests.reports.scribe.tickets import DONE

__all__ = ["DONE", "Scribe"]
