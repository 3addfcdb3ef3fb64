"""Dates and times as templates write them, for Django (FORMAT_MODULE_PATH). Scripts write them the same (times.js)."""
