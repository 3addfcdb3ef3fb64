"""The resources of the API, one file a noun. Every view: find through access, validate, call one action, answer."""
