"""Small pieces that several nouns share."""

from django.db import models
from django.utils.translation import gettext_lazy as _


class Stage(models.TextChoices):
    LEAD = "lead", _("Lead")
    CUSTOMER = "customer", _("Customer")
    FORMER = "former", _("Former customer")


class CurrentTransaction(models.Func):
    """The id of the running transaction as bigint: what tells followers of the log which events are safe to read."""

    template = "((pg_current_xact_id())::text)::bigint"
    output_field = models.BigIntegerField()
