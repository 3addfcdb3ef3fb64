"""The chat channel. Its far side is Rabta itself: what is stored has arrived."""

from django.utils.translation import gettext_lazy as _

from inbox.adapters import Adapter, register


@register
class ChatAdapter(Adapter):
    kind = "chat"
    label = _("Live chat")
    icon = "message"
    identity_kind = "chat"
    live = True
