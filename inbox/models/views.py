"""Macros and saved views: what agents keep to work faster."""

from django.conf import settings
from django.db import models
from django.utils.translation import gettext_lazy as _


class Macro(models.Model):
    """A canned reply plus actions, with variables."""

    name = models.CharField(_("name"), max_length=120)
    language = models.CharField(_("language"), max_length=10, blank=True)
    text = models.TextField(_("text"), blank=True)
    html = models.TextField(blank=True)
    actions = models.JSONField(default=list, blank=True)
    team = models.ForeignKey("inbox.Team", on_delete=models.CASCADE, null=True, blank=True)
    owner = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.CASCADE, null=True, blank=True)

    class Meta:
        verbose_name = _("macro")
        verbose_name_plural = _("macros")
        ordering = ("name",)

    def __str__(self) -> str:
        return self.name


class SavedView(models.Model):
    """A saved filter of the list of tickets, or of customers."""

    noun = models.CharField(
        max_length=10, default="tickets", choices=[("tickets", _("Tickets")), ("customers", _("Customers"))]
    )
    name = models.CharField(_("name"), max_length=120)
    query = models.JSONField(default=dict)
    team = models.ForeignKey("inbox.Team", on_delete=models.CASCADE, null=True, blank=True)
    owner = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.CASCADE, null=True, blank=True)
    position = models.PositiveIntegerField(default=0)

    class Meta:
        verbose_name = _("saved view")
        verbose_name_plural = _("saved views")
        ordering = ("position", "name")

    def __str__(self) -> str:
        return self.name
