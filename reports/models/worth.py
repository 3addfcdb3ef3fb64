"""What customers paid: rows of revenue, the sum of each customer's, and the files that rows are imported from."""

from django.conf import settings
from django.db import models
from django.db.models import F
from django.utils import timezone


class Revenue(models.Model):
    """What one customer paid at one time, in the smallest unit of its currency; less than zero is a refund.

    `source` names the system that told it, `reference` what it calls it: told again, it is the same row. Of an erased
    customer the amount stays, which is a figure; the reference goes.
    """

    id = models.BigAutoField(primary_key=True)
    source = models.CharField(max_length=40)
    reference = models.CharField(max_length=200)
    customer = models.ForeignKey("inbox.Customer", on_delete=models.CASCADE, related_name="+", db_index=False)
    at = models.DateTimeField()
    amount = models.BigIntegerField()
    currency = models.CharField(max_length=3)
    created_at = models.DateTimeField(default=timezone.now)

    class Meta:
        constraints = (models.UniqueConstraint(fields=["source", "reference"], name="revenue_once"),)
        indexes = (
            models.Index(fields=["customer", "at"], include=["amount"], name="revenue_of_customer"),
            models.Index(fields=["at"], include=["customer", "amount"], name="revenue_by_day"),
        )


class CustomerValue(models.Model):
    """The sum of a customer's revenue, by which lists are narrowed and put in order. Kept with each row of revenue."""

    customer = models.OneToOneField("inbox.Customer", on_delete=models.CASCADE, primary_key=True, related_name="worth")
    total = models.BigIntegerField()
    orders = models.PositiveIntegerField()
    first_at = models.DateTimeField()
    last_at = models.DateTimeField()

    class Meta:
        indexes = (models.Index(F("total").desc(), F("customer").desc(), name="value_largest_first"),)


class RevenueImport(models.Model):
    """A file of revenue: its lines wait in storage until they were imported, a day at most.

    `wrong` are the first lines that were refused, as [line, code], without a word of what they say.
    """

    agent = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="+")
    stored = models.CharField(max_length=100, blank=True)  # the file; none once it is read, or too old
    headings = models.JSONField(default=list)
    lines = models.PositiveIntegerField(default=0)
    mapping = models.JSONField(default=dict)  # what the agent chose: columns by what they say, source, order of dates
    job = models.OneToOneField("inbox.Job", on_delete=models.SET_NULL, null=True, related_name="+")
    added = models.PositiveIntegerField(default=0)
    known = models.PositiveIntegerField(default=0)  # were there already
    refused = models.PositiveIntegerField(default=0)
    wrong = models.JSONField(default=list)
    created_at = models.DateTimeField(default=timezone.now)
    finished_at = models.DateTimeField(null=True)
