"""Whom we do not want to hear from."""

from django.conf import settings
from django.db import models
from django.utils import timezone
from django.utils.translation import gettext_lazy as _


class BlockKind(models.TextChoices):
    ADDRESS = "address", _("Address")
    DOMAIN = "domain", _("Domain")
    VISITOR = "visitor", _("Visitor")


class Block(models.Model):
    """What a blocked sender writes is kept as spam, where it can be looked at and released; it wakes nobody.

    `identity_kind` is the kind of identity ("email", "telegram"…), empty for a domain. A domain covers its subdomains.
    `scope` is that of the identity (`Party.scope`): user 7 of one site is not user 7 of another. Empty: wherever.
    """

    kind = models.CharField(_("kind"), max_length=8, choices=BlockKind)
    identity_kind = models.CharField(max_length=30, blank=True)
    scope = models.CharField(max_length=100, blank=True, default="")
    value = models.CharField(_("value"), max_length=320)
    by = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.SET_NULL, null=True, blank=True, related_name="+")
    ticket = models.ForeignKey("inbox.Ticket", on_delete=models.SET_NULL, null=True, blank=True, related_name="+")
    created_at = models.DateTimeField(default=timezone.now)
    last_hit_at = models.DateTimeField(null=True, blank=True)
    hits = models.PositiveIntegerField(default=0)

    class Meta:
        verbose_name = _("block")
        verbose_name_plural = _("blocks")
        constraints = (models.UniqueConstraint(fields=["kind", "identity_kind", "scope", "value"], name="block_once"),)

    def __str__(self) -> str:
        return self.value
