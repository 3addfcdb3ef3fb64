"""A Facebook page: Messenger conversations, and comments under its posts."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

import requests
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from channels_social import errors, graph, meta_send, reading
from channels_social.facebook import api, parsing
from channels_social.facebook.settings import FacebookSettings
from channels_social.messenger import Profile
from channels_social.meta import MetaAdapter
from channels_social.meta_events import Account, Table
from channels_social.meta_send import MB
from inbox.adapters import Parsed, register
from inbox.counting import Limit
from inbox.models import Channel


@register
class FacebookAdapter(MetaAdapter):
    kind = "facebook"
    icon = "facebook"
    label = gettext_lazy("Facebook page")
    identity_kind = "facebook"
    limit = Limit(1999)
    connect_label = gettext_lazy("Connect a Facebook page")
    own_setting = "page_id"
    prefix = "page"
    rules = meta_send.Rules(
        object="page",
        platform="Facebook",
        attachments=dict.fromkeys(("image", "audio", "video", "file"), 25 * MB),
        comment=8000,
        messages=(
            "messages", "message_echoes", "message_deliveries", "message_reads", "message_reactions", "message_edits",
            "messaging_postbacks", "messaging_referrals",
        ),
        comments=("feed",),
        permissions={
            "": ("pages_manage_metadata",),
            "messages": ("pages_messaging",),
            "comments": ("pages_read_engagement", "pages_manage_engagement"),
        },
    )  # fmt: skip

    def settings_form(self, data: Mapping[str, Any] | None = None, channel: Channel | None = None) -> FacebookSettings:
        return FacebookSettings(data, channel)

    def commenters(self, channel: Channel) -> str:
        """Whoever comments is known by another id than whoever writes to the page."""
        return f"feed:{self.own(channel)}"

    def api_of(self, channel: Channel, session: requests.Session) -> graph.Graph:
        kept = channel.secrets
        return graph.Graph(
            session,
            graph.base_of(channel),
            str(kept.get("token", "")),
            str(kept.get("app_secret", "")),
            self.rules.platform,
            meta_send.classify(self.rules.platform),
        )

    def read_comment(self, change: Table, account: Account, at: datetime) -> Sequence[Parsed]:
        return parsing.comment(change, account, at)

    def comments(self, found: graph.Graph) -> meta_send.Comments:
        return api.Comments(found)

    def told_of(self, found: graph.Graph, person: str) -> Profile:
        return api.profile_of(found, person)

    def who(self, found: graph.Graph, channel: Channel) -> dict[str, Any]:
        told = found.get("me", fields="id,name")
        if reading.text(told.get("id"), 40) != self.own(channel):
            raise errors.auth(_("This token is not this page's: Meta has one for each page of a person."))
        return {"name": reading.text(told.get("name"), 200)}
