"""What an Instagram account is told of comments (the fields `comments` and `live_comments`), as plain values.

Nobody tells when a comment is changed or deleted there.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from django.utils.translation import gettext as _

from channels_social import reading
from channels_social.meta_events import Account, Table, comment_id
from inbox.adapters import Ignore, Inbound, Parsed
from lib import language

FIELDS = {"comments", "live_comments"}


def comment(change: Table, account: Account, at: datetime) -> Sequence[Parsed]:
    """One change of the account. Raises Ignore for what is no comment, and ValueError for a comment of nobody."""
    value, field = reading.table(change.get("value")), reading.text(change.get("field"), 40)
    identifier = comment_id(value)
    if field not in FIELDS or not identifier:
        raise Ignore(_("Instagram tells of %(what)s, which is no comment.") % {"what": field or "?"})
    author = reading.table(value.get("from"))
    ours = reading.text(author.get("id"), 100) == account.own
    who = account.person(author.get("id"), reading.text(author.get("username"), 100), comments=True)
    if who is None:
        raise ValueError(_("Instagram does not say who commented: the token needs the permission to manage comments."))
    parent = reading.text(value.get("parent_id"), 200)
    root = (account.root_of(parent) or parent) if parent else identifier
    thread = f"comment:{root}"
    to = account.talks_to(thread) if ours else None
    text, post = reading.text(value.get("text")), reading.table(value.get("media"))
    payload = {
        "public": True,
        "post": {"id": reading.text(post.get("id"), 200)},
        "comment_id": identifier,
        "thread": root,
    }
    if field == "live_comments" or post.get("media_product_type") == "LIVE":
        payload["live"] = True  # it takes no answer in public
    return [
        Inbound(
            key=identifier,
            scope=account.keys,
            sender=None if ours else who,
            to=(to,) if to is not None else (),
            text=text,
            visible_text=text,
            external_id=identifier,
            language=language.detect(text),
            at=at,
            in_reply_to=parent,
            thread_key=thread,
            payload=payload,
            echo=ours,
        )
    ]
