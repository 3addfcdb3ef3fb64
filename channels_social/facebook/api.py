"""What a page can do with comments (Graph API)."""

from __future__ import annotations

from channels_social import graph, meta_send, reading
from channels_social.messenger import Profile

API = "Facebook"


class Comments:
    """Comments under a page's posts. All raise DeliveryError."""

    def __init__(self, api: graph.Graph) -> None:
        self.api = api

    def answer(self, comment: str, root: str, text: str) -> str:
        """Two levels are shown: an answer stands below the first comment of its thread."""
        return meta_send.identified(self.api.post(f"{root}/comments", {"message": text}), API)

    def hide(self, comment: str, hidden: bool) -> None:
        self.api.post(comment, {"is_hidden": hidden}, repeatable=True)

    def like(self, comment: str, liked: bool) -> None:
        if liked:
            self.api.post(f"{comment}/likes", repeatable=True)
        else:
            self.api.delete(f"{comment}/likes")

    def remove(self, comment: str) -> None:
        self.api.delete(comment)

    def post(self, post: str) -> dict[str, str]:
        told = meta_send.asked_post(self.api, post, "message,permalink_url", "full_picture")
        return meta_send.post_of(told.get("message"), told.get("permalink_url"), told.get("full_picture"))


def profile_of(api: graph.Graph, person: str) -> Profile:
    """What somebody calls themselves, and their picture; nothing where they hide it. Raises DeliveryError."""
    told = meta_send.profile(api, person, "first_name,last_name,profile_pic")
    name = reading.name_of(told.get("first_name"), told.get("last_name"))
    return Profile(name, reading.text(told.get("profile_pic"), 2000) or None)
