"""Search over all tickets: `numbers` for programs, `find` for screens. How it works: docs/search.md."""

from inbox.search.finding import MOST, Results, TooSlow, find, numbers, people
from inbox.search.query import Query, parse

__all__ = ["MOST", "Query", "Results", "TooSlow", "find", "numbers", "parse", "people"]
