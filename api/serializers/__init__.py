"""The JSON shapes of the API (its promise: docs/api.md), one file a noun. Names ending in `In` are what is taken."""
