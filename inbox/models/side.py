"""Side conversations: with a third party, inside a ticket; the customer never sees them."""

from django.conf import settings
from django.db import models
from django.utils import timezone
from django.utils.translation import gettext_lazy as _


class SideConversation(models.Model):
    """Messages of a ticket that carry its id in `side` are its own: none of them reaches the customer."""

    ticket = models.ForeignKey("inbox.Ticket", on_delete=models.CASCADE, related_name="sides")
    channel = models.ForeignKey("inbox.Channel", on_delete=models.PROTECT, related_name="+")
    subject = models.CharField(_("subject"), max_length=500, blank=True)
    forwards = models.ForeignKey(
        "inbox.Message", on_delete=models.SET_NULL, null=True, blank=True, related_name="+"
    )  # the message it began with, where it is a forward
    created_by = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.SET_NULL, null=True, related_name="+")
    created_at = models.DateTimeField(default=timezone.now)
    last_message_at = models.DateTimeField(default=timezone.now)
    answered = models.BooleanField(default=False)  # the third party wrote last
    closed_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        verbose_name = _("side conversation")
        verbose_name_plural = _("side conversations")

    def __str__(self) -> str:
        return self.subject
