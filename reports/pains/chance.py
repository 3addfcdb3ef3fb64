"""Is this week more than chance? Two counts over known stretches of time are compared exactly.

If tickets come as a Poisson process at one and the same rate, then of all those of both stretches each lies in this
week with the probability `share` = its time ÷ all time, whatever the rate: their number is binomial. The p of two sides
is twice that of the smaller tail (Przyborowski and Wilenski 1940), at most 1. Where many names are looked at, some are
rare by chance; Benjamini and Hochberg (1995) bound the share of false ones among those that are called out.
"""

from __future__ import annotations

from collections.abc import Sequence
from math import exp, lgamma, log

FALSE_SHARE = 0.05  # of those called out, on average


def tail(k: int, n: int, share: float) -> float:
    """The probability of `k` or more of `n`, each with the probability `share` (strictly between 0 and 1)."""
    if k <= 0:
        return 1.0
    if k > n:
        return 0.0
    if k <= n * share:  # the other side is the shorter way, and both are exact
        return 1.0 - tail(n - k + 1, n, 1.0 - share)
    chance = exp(lgamma(n + 1) - lgamma(k + 1) - lgamma(n - k + 1) + k * log(share) + (n - k) * log(1.0 - share))
    odds, total = share / (1.0 - share), 0.0
    for at in range(k, n + 1):  # beyond the mean each term is less than the one before: few of them matter
        total += chance
        chance *= (n - at) / (at + 1) * odds
        if chance < total * 1e-17:
            break
    return min(total, 1.0)


def p_value(now: int, before: int, share: float) -> float:
    """Of two sides: that a week differs so much, or more, from the stretch before, if nothing has changed."""
    n = now + before
    if not n:
        return 1.0
    above, below = tail(now, n, share), tail(before, n, 1.0 - share)  # as many now or more; or fewer
    return min(1.0, 2.0 * min(above, below))


def adjusted(values: Sequence[float]) -> list[float]:
    """The p-values after Benjamini and Hochberg, in the order given: those up to 0.05 are called out."""
    order = sorted(range(len(values)), key=lambda at: values[at], reverse=True)
    found, least = [1.0] * len(values), 1.0
    for place, at in enumerate(order):
        least = min(least, values[at] * (len(values) / (len(values) - place)))
        found[at] = least
    return found
