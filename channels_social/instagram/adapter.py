"""An Instagram account of a business: direct messages, and comments under its posts."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any

import requests
from django.conf import settings
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from channels_social import errors, graph, meta_send, reading
from channels_social.instagram import api, parsing
from channels_social.instagram.settings import InstagramSettings
from channels_social.messenger import Profile
from channels_social.meta import MetaAdapter
from channels_social.meta_events import Account, Table
from channels_social.meta_send import MB
from inbox.adapters import DeliveryError, Parsed, register
from inbox.counting import Limit
from inbox.models import Channel

REFRESH_BEFORE = timedelta(days=45)  # of a token that is good for sixty


@register
class InstagramAdapter(MetaAdapter):
    kind = "instagram"
    icon = "instagram"
    label = gettext_lazy("Instagram")
    identity_kind = "instagram"
    limit = Limit(1000, "bytes")
    connect_label = gettext_lazy("Connect an Instagram account")
    own_setting = "ig_id"
    prefix = "ig"
    rules = meta_send.Rules(
        object="instagram",
        platform="Instagram",
        attachments={"image": 8 * MB, "audio": 25 * MB, "video": 25 * MB},
        comment=300,
        messages=(
            "messages", "message_reactions", "message_edit", "messaging_seen", "messaging_postbacks",
            "messaging_referral",
        ),
        comments=("comments", "live_comments"),
        permissions={},
        likes=False,
        comment_urls=1,
        comment_tags=4,
    )  # fmt: skip

    def settings_form(self, data: Mapping[str, Any] | None = None, channel: Channel | None = None) -> InstagramSettings:
        return InstagramSettings(data, channel)

    def api_of(self, channel: Channel, session: requests.Session) -> graph.Graph:
        kept = channel.secrets
        return graph.Graph(
            session,
            graph.base_of(channel, settings.INSTAGRAM_API_URL),
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
        told = found.get("me", fields="user_id,username,name")
        told = next(iter(reading.rows(told.get("data"))), told)  # as the documentation shows it
        own, scoped = reading.text(told.get("user_id"), 40), reading.text(told.get("id"), 40)
        if own and own != self.own(channel) == scoped:
            # The account has it for this app alone: nothing that we are told of bears it.
            raise errors.auth(_("News of this account bear another number, %(number)s: enter that.") % {"number": own})
        if self.own(channel) != (own or scoped):
            raise errors.auth(_("This token is another Instagram account's."))
        return {"name": reading.text(told.get("username"), 100) or reading.text(told.get("name"), 200)}

    def token_of(self, found: graph.Graph, channel: Channel) -> dict[str, Any]:
        """It is good for sixty days, and can be made good again: done long before, and the new one kept."""
        known = self._knows(channel, found.token)
        ends = graph.expires_at(channel) if known else None
        if ends is not None and ends - timezone.now() > REFRESH_BEFORE:
            return {}
        try:
            token, expires_at = api.refreshed(found)
        except DeliveryError as error:
            if error.permanent or error.fault == "auth":
                # Younger than a day: it is good all the same, for we have just been let in with it.
                return {} if known else {"expires_at": None, "_expires_at": ""}
            raise
        if token != found.token:
            channel.secrets = {**channel.secrets, "token": token}
            channel.save(update_fields=["credentials"])
            found.token = token
        return {"expires_at": expires_at, "_expires_at": expires_at, "_expires_of": graph.digest(token)}

    def _knows(self, channel: Channel, token: str) -> bool:
        """Whether what is known of a token's end is about this one, and not about one that it was given for."""
        return channel.condition.get("_expires_of", "") in {"", graph.digest(token)}
