"""Charts as SVG, drawn on the server with `svg.py`: shapes with class names alone, so that our style sheets colour them
in both themes and in print, and the content policy lets them through.

They have no viewBox where they carry words: x goes in per cent and y in pixels, so that words keep their size at every
width. Time runs from left to right in every language, as in Urdu newspapers; what stands around a chart is mirrored.
"""
