"""The people and tickets of all tests, and their API."""

from tests.api.conftest import as_bilal, as_sana, as_zoya
from tests.cast import bilal, lena, omar, sana, support, team, ticket, zoya

__all__ = ["as_bilal", "as_sana", "as_zoya", "bilal", "lena", "omar", "sana", "support", "team", "ticket", "zoya"]
