"""Moving mail that was taken in to the folder that `imap.move_to` names.

It comes after the commit, and looks anew each time at what still lies in the folder up to the cursor: whatever a lost
connection or a full disk left behind is moved at the next poll. Mail whose bytes we do not have stays.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, Any

from django.db import transaction
from django.db.models import QuerySet
from django.utils.translation import gettext as _
from imapclient.exceptions import IMAPClientAbortError, IMAPClientError

from channels_email import fetching
from channels_email.fetching import UNREAD, Source
from channels_email.models import MovedMails
from channels_email.words import said
from inbox.models import Channel, Receipt

if TYPE_CHECKING:
    from channels_email.imap import GuardedIMAPClient

AT_ONCE = 500  # UIDs in one command: its line stays within what servers take (RFC 7162 4 speaks of 8192 octets)
WINDOW = 50_000


class Mover:
    """Moves for one channel; the folder it moves from is open for writing."""

    def __init__(self, channel: Channel, target: str) -> None:
        self.channel = channel
        self.target = target

    def move(self, client: GuardedIMAPClient, source: Source, upto: int, exists: int) -> str:
        """Move what lies in `source` up to this UID; returns what stands in the way, empty when nothing does.

        Every mail up to there must have been committed. Lost connections pass through.
        """
        try:
            self._settle(client, source)
            stay: set[int] | None = None
            for uids in _lying(client, upto, exists):
                stay = self._without_bytes(source) if stay is None else stay
                wanted = [uid for uid in uids if uid not in stay]
                for first in range(0, len(wanted), AT_ONCE):
                    self._move(client, wanted[first : first + AT_ONCE])
        except IMAPClientAbortError:
            raise
        except IMAPClientError as error:
            return said(str(error))
        return ""

    def _move(self, client: GuardedIMAPClient, uids: Sequence[int]) -> None:
        if not client.has_capability("MOVE") and not client.has_capability("UIDPLUS"):
            # EXPUNGE alone would also remove what others have marked.
            raise IMAPClientError(_("The server knows neither MOVE nor UIDPLUS."))
        status = client.folder_status(self.target, ["UIDVALIDITY", "UIDNEXT"])
        begun, _made = self._there(int(status[b"UIDVALIDITY"])).get_or_create(
            first=int(status[b"UIDNEXT"]), last=None, defaults=self._place(int(status[b"UIDVALIDITY"]))
        )
        client.copied()  # forget what an earlier command said
        if client.has_capability("MOVE"):
            client.move(uids, self.target)
        else:
            client.copy(uids, self.target)
            client.add_flags(uids, [b"\\Deleted"], silent=True)
            client.uid_expunge(uids)
        uidvalidity, there = client.copied()
        if there:  # else it is found out at the next poll
            self._remember(begun, uidvalidity, there)

    def _settle(self, client: GuardedIMAPClient, source: Source) -> None:
        """Find what a move brought to its target whose answer got lost: mails there that we have receipts of."""
        lost = list(MovedMails.objects.filter(channel=self.channel, folder=self.target, last=None))
        if not lost:
            return
        validity = int(client.select_folder(self.target, readonly=True)[b"UIDVALIDITY"])
        for begun in lost:
            uids = [uid for uid in client.search(["UID", f"{begun.first}:*"]) if uid >= begun.first]
            ours: list[int] = []
            for at in range(0, len(uids) if begun.uidvalidity == validity else 0, AT_ONCE):
                headers = fetching.headers(client, uids[at : at + AT_ONCE])
                ids = {message_id for message_id, _date in headers.values() if message_id}
                known = Receipt.objects.filter(channel=self.channel, key__in=ids)
                keys = set(known.values_list("key", flat=True))
                ours += [uid for uid, header in headers.items() if header[0] in keys]
            self._remember(begun, validity, ours)
        client.select_folder(str(source["folder"]))

    def _there(self, uidvalidity: int) -> QuerySet[MovedMails]:
        return MovedMails.objects.filter(**self._place(uidvalidity))

    def _place(self, uidvalidity: int) -> dict[str, Any]:
        return {"channel": self.channel, "folder": self.target, "uidvalidity": uidvalidity}

    def _remember(self, begun: MovedMails, uidvalidity: int, uids: Sequence[int]) -> None:
        with transaction.atomic():
            begun.delete()
            there = self._there(uidvalidity)
            for first, last in runs(uids):
                if not there.filter(last=first - 1).update(last=last):
                    there.get_or_create(first=first, defaults={**self._place(uidvalidity), "last": last})

    def _without_bytes(self, source: Source) -> set[int]:
        """UIDs of mails that the server did not give when they were there: to be fetched again at their place."""
        rows = Receipt.objects.filter(channel=self.channel, external_id__gte=UNREAD, size=0)
        metas = rows.filter(external_id__startswith=UNREAD).values_list("meta", flat=True)
        here = (source["folder"], source["uidvalidity"])
        return {int(meta["uid"]) for meta in metas if (meta.get("folder"), meta.get("uidvalidity")) == here}


def _lying(client: GuardedIMAPClient, upto: int, exists: int) -> Iterator[list[int]]:
    """UIDs in the open folder up to this one; what somebody has marked as deleted is left to them."""
    step = upto if exists <= WINDOW else WINDOW
    for start in range(1, upto + 1, max(step, 1)):
        if uids := client.search(["UID", f"{start}:{min(start + step - 1, upto)}", "UNDELETED"]):
            yield sorted(uids)


def runs(uids: Sequence[int]) -> list[tuple[int, int]]:
    """(first, last) of each run of consecutive numbers."""
    found: list[tuple[int, int]] = []
    for uid in sorted(set(uids)):
        if found and found[-1][1] == uid - 1:
            found[-1] = (found[-1][0], uid)
        else:
            found.append((uid, uid))
    return found


def warnings(channel: Channel) -> list[str]:
    """What the last poll could not move, for people."""
    reading = channel.settings.get("imap") or {}
    target = reading.get("move_to", "")
    if not target:
        return []
    words = _(
        "mail that was taken in cannot be moved from %(folder)s to %(target)s. It stays where it is, and moving it is "
        "tried again. (%(said)s)"
    )
    return [
        words % {"folder": folder, "target": target, "said": channel.cursor[folder]["not_moved"]}
        for folder in reading.get("folders") or ["INBOX"]
        if (channel.cursor.get(folder) or {}).get("not_moved")
    ]
