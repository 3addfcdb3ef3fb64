"""What can be done on Facebook from the page where one plays its people."""

from __future__ import annotations

from django.utils.translation import gettext_lazy as _

from sandbox.phones import acts, facebook, messenger
from sandbox.phones.acts import Act, Given
from sandbox.phones.messenger_acts import CHAT, LINE, TEXT, TROUBLES, in_public, line_of, opened, own_comment
from sandbox.phones.models import Account, Line, Person


def _like(account: Account, person: Person, given: Given) -> Line:
    line = line_of(given)
    facebook.like(account, person, line, liked=person.external_id not in line.reactions)
    return line


acts.register(
    acts.Platform(
        key="facebook",
        meet=messenger.meet,
        opened=opened,
        acts=(
            *CHAT,
            Act(
                "comment",
                _("Comment"),
                lambda a, p, g: facebook.comment(a, p, line_of(g), g.text),
                needs=LINE | TEXT,
                fits=in_public,
            ),
            Act("like", _("Like"), _like, needs=LINE, fits=in_public),
            Act(
                "edit-comment",
                _("Edit"),
                lambda a, p, g: facebook.edit(a, p, line_of(g), g.text),
                needs=LINE | TEXT,
                fits=own_comment,
            ),
            Act(
                "remove-comment",
                _("Delete"),
                lambda a, p, g: facebook.remove(a, p, line_of(g)),
                needs=LINE,
                fits=own_comment,
            ),
            Act("post", _("Owner writes a post"), lambda a, p, g: facebook.post(a, g.text), needs=TEXT),
        ),
        troubles=TROUBLES,
    )
)
