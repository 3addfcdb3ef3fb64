"""An independent check of the figures: plain Python over the raw rows and the log, one ticket after the other.

It is written from what the figures mean (docs/kpis.md), knows nothing of `reports`, and is as slow as it is simple: it
reads every row and counts on its fingers. Where it and the engine differ, one of the two is wrong.
"""

from tests.reports.oracle.asking import FIGURES, Asked, figure, grouped
from tests.reports.oracle.cases import Book
from tests.reports.oracle.rows import Rows

__all__ = ["FIGURES", "Asked", "Book", "Rows", "figure", "grouped"]
