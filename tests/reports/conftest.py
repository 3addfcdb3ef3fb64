"""The people and tickets of tests/cast.py, for reports."""

from tests.cast import bilal, lena, omar, sana, support, team, ticket, zoya

__all__ = ["bilal", "lena", "omar", "sana", "support", "team", "ticket", "zoya"]
