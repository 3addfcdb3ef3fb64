"""Surveys: whom they are asked, when, in which words, and what an answer means. Writes are in `reports.actions`."""
