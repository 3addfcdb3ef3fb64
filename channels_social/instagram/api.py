"""What an Instagram account can do with comments, and with its own token (Graph API with Instagram Login)."""

from __future__ import annotations

from datetime import timedelta

from django.utils import timezone
from django.utils.translation import gettext as _

from channels_social import errors, graph, meta_send, reading
from channels_social.messenger import Profile

API = "Instagram"


class Comments:
    """Comments under the account's posts. All raise DeliveryError."""

    def __init__(self, api: graph.Graph) -> None:
        self.api = api

    def answer(self, comment: str, root: str, text: str) -> str:
        """Below the comment itself: Instagram puts it in its thread."""
        return meta_send.identified(self.api.post(f"{comment}/replies", {"message": text}), API)

    def hide(self, comment: str, hidden: bool) -> None:
        self.api.post(comment, {"hide": hidden}, repeatable=True)

    def like(self, comment: str, liked: bool) -> None:
        raise errors.permanent(_("Instagram lets no app like a comment."))

    def remove(self, comment: str) -> None:
        self.api.delete(comment)

    def post(self, post: str) -> dict[str, str]:
        """Of a film the picture is its first one."""
        told = meta_send.asked_post(self.api, post, "caption,permalink", "media_type,media_url,thumbnail_url")
        film = told.get("media_type") == "VIDEO"
        picture = told.get("thumbnail_url") or ("" if film else told.get("media_url"))
        return meta_send.post_of(told.get("caption"), told.get("permalink"), picture)


def profile_of(api: graph.Graph, person: str) -> Profile:
    """What somebody calls themselves, and their picture; nothing where they hide it. Raises DeliveryError.

    Source: User Profile API, where `profile_pic` "can be null", and its address ends after some days.
    """
    told = meta_send.profile(api, person, "name,username,profile_pic")
    name = reading.name_of(told.get("name")) or reading.text(told.get("username"), 100)
    hidden = not told
    return Profile(name, reading.text(told.get("profile_pic"), 2000) or (None if hidden else ""))


def refreshed(api: graph.Graph) -> tuple[str, str | None]:
    """The account's token for another sixty days, and when that ends. Raises DeliveryError."""
    told = api.get("refresh_access_token", grant_type="ig_refresh_token")
    seconds = reading.number(told.get("expires_in"))
    ends = (timezone.now() + timedelta(seconds=min(seconds, 10**9))).isoformat() if seconds else None
    return reading.text(told.get("access_token"), 1000) or api.token, ends
