"""The pages below /settings/, one file a noun."""
