"""The API's pages below /settings/."""
