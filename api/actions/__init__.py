"""Writes of what the API keeps: tokens and webhooks, one way for pages, API and shell."""
