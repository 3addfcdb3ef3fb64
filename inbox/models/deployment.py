"""What the whole deployment remembers."""

from typing import Any

from django.db import models


class Setting(models.Model):
    """A choice or secret of the whole deployment, by key; secrets are sealed by whoever keeps them."""

    key = models.CharField(max_length=60, primary_key=True)
    value: Any = models.JSONField()

    def __str__(self) -> str:
        return self.key
