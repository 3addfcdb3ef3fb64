"""Holidays of countries, from the package `holidays`: which days of a year are public holidays there, by name.

Dates that follow the moon are estimates until somebody has seen it; the package says so in their names.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import date
from functools import cache, lru_cache
from types import MappingProxyType

NOTHING: Mapping[date, str] = MappingProxyType({})
WORDS = re.compile(r"(?<=[a-z])(?<!Mc)(?=[A-Z])")
SMALL = re.compile(r"(?<= )(And|Da|Of|The)(?= )")


@cache
def countries() -> Mapping[str, str]:
    """English names of the countries whose holidays are known, by their two letters (ISO 3166-1), in order of names."""
    import holidays  # here and below: it takes long to load, and few processes ask

    found = {
        code: SMALL.sub(lambda word: word[0].lower(), WORDS.sub(" ", name))
        for name, code, *_more in holidays.registry.COUNTRIES.values()
    }
    return MappingProxyType(dict(sorted(found.items(), key=lambda one: one[1])))


@cache
def regions(country: str) -> Mapping[str, str]:
    """Names of the parts of a country with holidays of their own, by code; the code itself where it has no other."""
    if country not in countries():
        return MappingProxyType({})
    import holidays

    known = getattr(holidays, country)
    names: dict[str, str] = {}
    for name, code in known.subdivisions_aliases.items():
        names.setdefault(code, name)
    found = {code: names.get(code, code) for code in known.subdivisions}
    return MappingProxyType(dict(sorted(found.items(), key=lambda one: one[1])))


@lru_cache(maxsize=4096)
def of_year(country: str, region: str, year: int) -> Mapping[date, str]:
    """The public holidays of a year by their dates. A region that is not known has its country's, and no country that
    is not known has any: what was chosen once stays readable.
    """
    if country not in countries():
        return NOTHING
    import holidays

    part = region if region in regions(country) else None
    return MappingProxyType(dict(holidays.country_holidays(country, subdiv=part, years=year, language="en_US")))


def between(country: str, region: str, start: date, until: date) -> list[tuple[date, str]]:
    """The holidays within [start, until), in order."""
    years = range(start.year, until.year + 1)
    found = [one for year in years for one in of_year(country, region, year).items() if start <= one[0] < until]
    return sorted(found)
