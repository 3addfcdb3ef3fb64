"""Fields of an organisation's own on tickets, customers and companies; their values stand in `attributes`."""

from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.utils.translation import gettext_lazy as _


class FieldNoun(models.TextChoices):
    TICKET = "ticket", _("Tickets")
    CUSTOMER = "customer", _("Customers")
    ORGANISATION = "organisation", _("Organisations")


class FieldKind(models.TextChoices):
    TEXT = "text", _("Text")
    LONG = "long", _("Long text")
    NUMBER = "number", _("Number")
    DATE = "date", _("Date")
    CHECK = "check", _("Yes or no")
    CHOICE = "choice", _("One of a list")
    CHOICES = "choices", _("Several of a list")
    LINK = "link", _("Address on the web")


class Field(models.Model):
    """What an attribute is called, which values it takes, and whether a ticket is solved without it.

    Values in `attributes`: text and links as strings, numbers as numbers, dates as ISO 8601 strings, yes or no as a
    boolean, choices as a string or a list of strings.
    """

    noun = models.CharField(_("belongs to"), max_length=12, choices=FieldNoun, default=FieldNoun.TICKET)
    key = models.SlugField(_("key"), max_length=60)
    label = models.CharField(_("name"), max_length=80)
    help = models.CharField(_("help"), max_length=200, blank=True)
    kind = models.CharField(_("kind"), max_length=8, choices=FieldKind, default=FieldKind.TEXT)
    choices = ArrayField(models.CharField(max_length=120), default=list, blank=True)
    required = models.BooleanField(_("needed to solve"), default=False)
    searchable = models.BooleanField(_("found by search"), default=True)
    position = models.PositiveIntegerField(default=0)

    class Meta:
        verbose_name = _("field")
        verbose_name_plural = _("fields")
        ordering = ("noun", "position", "pk")
        constraints = (models.UniqueConstraint(fields=["noun", "key"], name="field_once"),)

    def __str__(self) -> str:
        return self.label
