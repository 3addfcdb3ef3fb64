"""Asking: measures of one source in one query, and all of these in one round trip."""

from __future__ import annotations

from collections.abc import Iterable
from itertools import islice
from typing import Any

from reports.engine import groups
from reports.engine.asking import Query, run
from reports.engine.figures import Figure, Group, ratio
from reports.engine.groups import Key
from reports.engine.measures import ALL, Measure, Own, Ratio, Summed
from reports.engine.question import Question
from reports.engine.sources import Source

Counted = dict[Key, dict[str, Figure]]


def figure(key: str, question: Question) -> Figure:
    return figures([key], question)[key]


def figures(keys: Iterable[str], question: Question) -> dict[str, Figure]:
    """Each of these measures over the whole period. Raises KeyError for a key that is none."""
    keys = list(keys)
    found = _counted([ALL[key] for key in keys], question, None)[None]
    return {key: found[key] for key in keys}


def looked(
    keys: Iterable[str], question: Question, key: str, step: str
) -> tuple[dict[str, Figure], Figure, list[float | None]]:
    """What a card needs: these measures over the period; `key` over the one before, briefly; its values by `step`."""
    asked = [ALL[one] for one in keys], [ALL[key]], [ALL[key]]
    # A share of things counted is known when its steps are: those are not looked through twice.
    summed = [one for one in asked[1] if type(one) is Ratio and one.source.at]
    now = _queries([one for one in asked[0] if one not in summed], question, None)
    before = _queries(asked[1], question.before(), None, brief=True)
    trend = _queries(asked[2], question, step, brief=True)
    read = iter(run([*now, *before, *trend]))
    figures = _together(asked[0], question, None, islice(read, len(now))).get(None, {})
    was = _together(asked[1], question.before(), None, islice(read, len(before)))[None][key]
    found = _together(asked[2], question, step, read)
    if summed:
        figures[key] = _sum([one[key] for one in found.values()])
    return figures, was, [found[one][key].value if one in found else None for one in groups.all_keys(question, step)]


def _sum(steps: list[Figure]) -> Figure:
    """The share of all steps together."""
    top, bottom = sum(int(one.numerator or 0) for one in steps), sum(int(one.denominator or 0) for one in steps)
    return ratio(steps[0].key, top, bottom, sum(one.provisional for one in steps))


def grouped(keys: Iterable[str], question: Question, by: str, *, brief: bool = False) -> list[Group]:
    """The same, broken down: all days, weeks, months or hours there are; of the rest, those with something in them.

    Where a measure has no such breakdown its figures are empty. `brief`: values are enough, as for a trend.
    """
    keys = list(keys)
    if not groups.is_known(by):
        raise ValueError(f"no figures by {by}")
    measures = [ALL[key] for key in keys]
    found = _counted(measures, question, by, brief=brief)
    here = list(dict.fromkeys([*groups.all_keys(question, by), *found]))
    names = groups.labels(here, by)
    if by in groups.TIMES:
        here.sort(key=lambda key: (key is None, key))
    else:
        here.sort(key=lambda key: (key is None, names[key].casefold()))
    empty = {one.key: _none(one, question, by) for one in measures}
    return [Group(key, names[key], {**empty, **found.get(key, {})}) for key in here]


def _none(one: Measure, question: Question, by: str) -> Figure:
    """Of a group in which nothing was counted; nothing at all where a state has no such moments."""
    if isinstance(one, Summed) and (one.source.at or by not in groups.TIMES):
        return one.figure(question, dict.fromkeys(one.columns(question)))
    return Figure(one.key, one.unit)


def _counted(measures: list[Measure], question: Question, by: str | None, *, brief: bool = False) -> Counted:
    return _together(measures, question, by, run(_queries(measures, question, by, brief=brief)))


def _together(measures: list[Measure], question: Question, by: str | None, read: Iterable[Counted]) -> Counted:
    """What was read, beside the measures that are counted in a way of their own."""
    found: Counted = {}
    of_their_own = ({key: {one.key: made} for key, made in one.compute(question, by).items()}
                    for one in measures if isinstance(one, Own))  # fmt: skip
    for part in (*read, *of_their_own):
        for key, made in part.items():
            found.setdefault(key, {}).update(made)
    return found


def _queries(
    measures: list[Measure], question: Question, by: str | None, *, brief: bool = False
) -> list[Query[Counted]]:
    """One for each source, and what states need that have no moment."""
    found: list[Query[Counted]] = []
    sources: dict[Source, list[Summed]] = {}
    for one in measures:
        if isinstance(one, Summed):
            if by is None or by not in groups.TIMES or one.source.at:
                sources.setdefault(one.source, []).append(one)
            elif query := one.over_time(question, by, brief=brief):
                found.append(query)
    return found + [_query(source, of_it, question, by, brief) for source, of_it in sources.items()]


def _query(source: Source, measures: list[Summed], question: Question, by: str | None, brief: bool) -> Query[Counted]:
    asked = {(one.key, name): sql for one in measures for name, sql in one.columns(question).items()
             if not (brief and name in one.spare())}  # fmt: skip
    columns = {f"{key}__{name}": sql for (key, name), sql in asked.items()}
    selected = ", ".join(f"{sql} AS {name}" for name, sql in columns.items())
    params = question.params()
    if by in groups.STRETCHES:
        # Each day by itself, by a range of the index: nothing is sorted, and no row asks in which day it lies.
        params.update(groups.stretches(question, by))
        outer, _group = counted_rows(source, question, None, "part.begins", "part.finishes")
        sql = f"SELECT part.key, one.* FROM {groups.PARTS} CROSS JOIN LATERAL (SELECT {selected} {outer}) one"  # noqa: S608
    else:
        if by == "hour_of_week":
            params.update(groups.hours(question))
        outer, group = counted_rows(source, question, by)
        sql = f"SELECT NULL, {selected} {outer}" if by is None else f"SELECT {group}, {selected} {outer} GROUP BY 1"

    def read(rows: list[tuple[Any, ...]]) -> Counted:
        found: Counted = {}
        for value, *values in rows:
            row = dict(zip(columns, values, strict=True))
            key = None if by is None else groups.key_of(value, by)
            found[key] = {
                one.key: one.figure(question, {name: row.get(f"{one.key}__{name}") for name in one.columns(question)})
                for one in measures
            }
        return found

    return Query(sql, params, read)


def counted_rows(
    source: Source, question: Question, by: str | None, starts: str = "%(starts)s", ends: str = "%(ends)s"
) -> tuple[str, str]:
    """SQL from FROM on of the rows that are counted, as `f`; and what groups them."""
    group = "NULL::int" if by is None else groups.expression(source, by)
    beside = "" if by is None else groups.joins(by)
    rows = f"FROM {source.table} f{beside} WHERE {source.conditions(question, starts, ends)}"
    if not source.inner:
        return rows, group
    return f"FROM ({source.inner.format(g=group, rows=rows)}) f", "f.g"
