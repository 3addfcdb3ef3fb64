"""What the pages of figures show: what was asked for, each card and chart, in words and as drawings.

Figures come from `reports.engine` alone: a page computes none of its own, so that card, table, file and API agree.
"""
