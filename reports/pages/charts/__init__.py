"""Charts as SVG, drawn on the server with `svg.py`: shapes with class names alone, so that our style sheets colour them
in both themes and in print, and the content policy lets them through.

They have no viewBox where they carry words: x goes in per cent and y in pixels, so that words keep their size at every
width. Time runs from left to right in every language, as in Urdu newspapers; what stands around a chart is mirrored.

What draws them is loaded with the first: that takes a quarter of a second, and most processes never draw.
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from reports.pages.charts import plots as plots
    from reports.pages.charts import trend as trend


def __getattr__(name: str) -> Any:
    if name not in {"plots", "trend"}:
        raise AttributeError(name)
    return import_module(f"{__name__}.{name}")
