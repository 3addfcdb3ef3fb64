"""What can be done on Instagram from the page where one plays its people."""

from __future__ import annotations

from django.utils.translation import gettext_lazy as _

from sandbox.phones import acts, faces, files, instagram, messenger
from sandbox.phones.acts import Act, Given
from sandbox.phones.messenger_acts import (
    CHAT,
    LINE,
    TEXT,
    TROUBLES,
    in_public,
    line_of,
    opened,
    own_comment,
    without_line,
)
from sandbox.phones.models import Account, Line, Person


def _story(account: Account, person: Person, given: Given) -> Line:
    story = files.keep(account, faces.draw(account.name), "image/png", "story.png")
    return messenger.story_reply(account, person, given.text, files.url_of(story))


def _mention(account: Account, person: Person, given: Given) -> Line:
    upload = given.files[0]
    return messenger.story_mention(account, person, upload.content, upload.content_type)


acts.register(
    acts.Platform(
        key="instagram",
        meet=messenger.meet,
        opened=opened,
        acts=(
            *CHAT,
            Act("story", _("Answer a story"), _story, needs=TEXT),
            Act("mention", _("Mention in a story"), _mention, needs=frozenset({"file"})),
            Act("unsupported", _("Send a poll"), without_line(messenger.unsupported)),
            Act(
                "comment",
                _("Comment"),
                lambda a, p, g: instagram.comment(a, p, line_of(g), g.text),
                needs=LINE | TEXT,
                fits=in_public,
            ),
            Act(
                "remove-comment",
                _("Delete"),
                lambda a, p, g: instagram.remove(a, p, line_of(g)),
                needs=LINE,
                fits=own_comment,
            ),
            Act("post", _("Owner writes a post"), lambda a, p, g: instagram.post(a, g.text), needs=TEXT),
        ),
        troubles=TROUBLES,
    )
)
