"""Moving mail that was taken in to the folder that `imap.move_to` names.

It comes after the commit, and looks anew each time at what still lies in the folder up to the cursor: whatever a lost
connection or a full disk left behind is moved at the next poll. Mail whose bytes we do not have stays.

Where there is no MOVE, a mail is copied, then removed, and either may fail alone, even where the server says OK. So it
is tried whether mails can be marked at all, before one is copied (marked mails would be marked in the target, too);
what is about to be copied is written down; and what was copied and is still here is never copied again.
"""

from __future__ import annotations

import contextlib
import time
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from django.db import transaction
from django.db.models import QuerySet
from django.utils.translation import gettext as _
from imapclient.exceptions import IMAPClientAbortError, IMAPClientError

from channels_email import fetching
from channels_email.fetching import UNREAD, Source
from channels_email.models import MovedMails
from channels_email.servers import folder_name, folders_of
from channels_email.words import said
from inbox.models import Channel, Receipt

if TYPE_CHECKING:
    from channels_email.imap import GuardedIMAPClient

AT_ONCE = 500  # UIDs in one command: its line stays within what servers take (RFC 7162 4 speaks of 8192 octets)
MOST_SECONDS = 15.0  # of moving in one poll: nothing new is fetched meanwhile, and others wait for this worker, too
WINDOW = 50_000
DELETED = b"\\Deleted"

# What the cursor keeps of moving out of a folder. `not_moved` says in words what stands in the way. `moving` are mails
# that are still here and may lie in the target `to` already, from `first` on in its `uidvalidity`; when they are
# `copied`, they do, and have only to be removed here. `uids` is a sequence set.
State = dict[str, Any]
Look = tuple[str, str, int]


class NotRemoved(IMAPClientError):
    """Mails are in the target, and still here."""

    def __init__(self, uids: Sequence[int]) -> None:
        super().__init__(not_ours_to_remove())
        self.uids = uids


def not_ours_to_remove() -> str:
    """Why mail stays, where the server does not say why."""
    return _("The server lets this account remove no mail from this folder.")


class Mover:
    """Moves for one channel; the folder it moves from is open for writing."""

    def __init__(self, channel: Channel, target: str) -> None:
        self.channel = channel
        self.target = target
        self._moving: State = {}
        self._until: float | None = None

    def move(
        self, client: GuardedIMAPClient, source: Source, status: Mapping[bytes, Any], upto: int, state: State
    ) -> Iterator[State]:
        """Move what lies in `source` up to this UID. Yields the state to keep, to be committed before it goes on.

        Every mail up to there must have been committed. `status` is what SELECT said, `state` what was kept last.
        Lost connections pass through. What is not done in MOST_SECONDS, of all folders, is left to the next poll.
        """
        self._moving = state.get("moving") or {}
        try:
            self._settle(client, source)
            self._finish(client, source)
            if self._late():
                yield {name: state[name] for name in ("not_moved",) if name in state}
                return
            stay: set[int] | None = None
            for uids in _lying(client, upto, max(1, int(status.get(b"EXISTS", 1)))):
                if stay is None:
                    self._check(client, source, status)
                    stay = self._without_bytes(source)
                wanted = [uid for uid in uids if uid not in stay]
                for first in range(0, len(wanted), AT_ONCE):
                    self._until = self._until or time.monotonic() + MOST_SECONDS
                    yield from self._move(client, source, wanted[first : first + AT_ONCE])
                    if self._late():
                        return
        except IMAPClientAbortError:
            raise
        except IMAPClientError as error:
            if isinstance(error, NotRemoved):
                self._moving = self._copied(error.uids)
            yield {**self._state(), "not_moved": said(str(error))}

    def _late(self) -> bool:
        return self._until is not None and time.monotonic() > self._until

    def _state(self) -> State:
        return {"moving": self._moving} if self._moving else {}

    def _copied(self, uids: Sequence[int]) -> State:
        return {"to": self.target, "uids": sequence_set(uids), "copied": True}

    def _check(self, client: GuardedIMAPClient, source: Source, status: Mapping[bytes, Any]) -> None:
        """Raises where a mail would be copied and stay; a MOVE leaves it to the server."""
        if client.has_capability("MOVE"):
            return
        if not client.has_capability("UIDPLUS"):
            # EXPUNGE alone would also remove what others have marked.
            raise IMAPClientError(_("The server knows neither MOVE nor UIDPLUS."))
        if words := hindrance(client, str(source["folder"]), status):
            raise IMAPClientError(words)

    def _move(self, client: GuardedIMAPClient, source: Source, uids: Sequence[int]) -> Iterator[State]:
        """One command's worth."""
        status = client.folder_status(self.target, ["UIDVALIDITY", "UIDNEXT"])
        validity, first = int(status[b"UIDVALIDITY"]), int(status[b"UIDNEXT"])
        begins = {"to": self.target, "uids": sequence_set(uids), "uidvalidity": validity, "first": first}
        by_copy = not client.has_capability("MOVE")
        if by_copy:
            self._moving = begins
            yield self._state()
        try:
            if by_copy:
                _try_to_mark(client, uids[0])
            place = _place(self.channel, self.target, validity)
            begun, _made = self._there(validity).get_or_create(first=first, last=None, defaults=place)
            client.copied()  # forget what an earlier command said
            bring = client.copy if by_copy else client.move
            bring(uids, self.target)
        except IMAPClientAbortError:
            raise
        except IMAPClientError:
            self._moving = {}  # all or nothing (RFC 3501 6.4.7)
            raise
        uidvalidity, there = client.copied()
        if there:  # else it is found out at the next poll
            self._remember(begun, uidvalidity, there)
        self._moving = self._copied(uids) if there else begins
        if self._finish(client, source):
            raise IMAPClientError(not_ours_to_remove())
        yield self._state()

    def _finish(self, client: GuardedIMAPClient, source: Source) -> list[int]:
        """Remove what lies in the target already; what does not is returned, unmarked. Raises NotRemoved."""
        moving, others = self._moving, []
        here = _still_here(client, str(moving["uids"])) if moving else []
        if here and not moving.get("copied"):
            copied = self._copies(client, source, moving, here) if moving["to"] == self.target else []
            if others := sorted(set(here) - set(copied)):
                client.remove_flags(others, [DELETED], silent=True)
            here = copied
        if here and moving["to"] == self.target:
            self._moving = self._copied(here)
            if not client.has_capability("UIDPLUS"):
                raise NotRemoved(here)
            _remove(client, here)
        self._moving = {}
        return others

    def _copies(self, client: GuardedIMAPClient, source: Source, moving: State, here: Sequence[int]) -> list[int]:
        """Of these mails, those that the target has, too. COPY brings all or none (RFC 3501 6.4.7).

        Where mails look alike, only if it has as many of them: a second copy does less harm than a mail too few.
        """
        mine = _looks(client, here)
        there: Counter[Look] = Counter()
        if int(client.select_folder(self.target, readonly=True)[b"UIDVALIDITY"]) == moving["uidvalidity"]:
            there.update(_looks(client, _from(client, int(moving["first"]))).values())
        client.select_folder(str(source["folder"]))
        wanted = Counter(mine.values())
        return [uid for uid, look in mine.items() if there[look] >= wanted[look]]

    def _settle(self, client: GuardedIMAPClient, source: Source) -> None:
        """Find what a move brought to its target whose answer got lost: mails there that we have receipts of."""
        lost = list(MovedMails.objects.filter(channel=self.channel, folder=self.target, last=None))
        if not lost:
            return
        validity = int(client.select_folder(self.target, readonly=True)[b"UIDVALIDITY"])
        for begun in lost:
            uids = _from(client, begun.first) if begun.uidvalidity == validity else []
            ours: list[int] = []
            for at in range(0, len(uids), AT_ONCE):
                headers = fetching.headers(client, uids[at : at + AT_ONCE])
                ids = {message_id for message_id, _date in headers.values() if message_id}
                known = Receipt.objects.filter(channel=self.channel, key__in=ids)
                keys = set(known.values_list("key", flat=True))
                ours += [uid for uid, header in headers.items() if header[0] in keys]
            self._remember(begun, validity, ours)
        client.select_folder(str(source["folder"]))

    def _there(self, uidvalidity: int) -> QuerySet[MovedMails]:
        return MovedMails.objects.filter(**_place(self.channel, self.target, uidvalidity))

    def _remember(self, begun: MovedMails, uidvalidity: int, uids: Sequence[int]) -> None:
        with transaction.atomic():
            begun.delete()
            remember(self.channel, self.target, uidvalidity, uids)

    def _without_bytes(self, source: Source) -> set[int]:
        """UIDs of mails that the server did not give when they were there: to be fetched again at their place."""
        rows = Receipt.objects.filter(channel=self.channel, external_id__gte=UNREAD, size=0)
        metas = rows.filter(external_id__startswith=UNREAD).values_list("meta", flat=True)
        here = (source["folder"], source["uidvalidity"])
        return {
            int(meta["uid"]) for meta in metas if (folder_name(meta.get("folder", "")), meta.get("uidvalidity")) == here
        }


def remember(channel: Channel, folder: str, uidvalidity: int, uids: Sequence[int]) -> None:
    """Write down that we moved these mails into this folder."""
    place = _place(channel, folder, uidvalidity)
    there = MovedMails.objects.filter(**place)
    for first, last in runs(uids):
        if not there.filter(last=first - 1).update(last=last):
            _row, made = there.get_or_create(first=first, defaults={**place, "last": last})
            if not made:
                there.filter(first=first, last__lt=last).update(last=last)


def _place(channel: Channel, folder: str, uidvalidity: int) -> dict[str, Any]:
    return {"channel": channel, "folder": folder, "uidvalidity": uidvalidity}


def _lying(client: GuardedIMAPClient, upto: int, exists: int) -> Iterator[list[int]]:
    """UIDs in the open folder up to this one; what somebody has marked as deleted is left to them."""
    step, lowest = max(upto, 1), 1
    if exists > WINDOW:
        # Numbers by the clock begin beyond a thousand million.
        step, lowest = WINDOW, min(client.search(["1"]), default=1)
    for start in range(lowest, upto + 1, step):
        if uids := client.search(["UID", f"{start}:{min(start + step - 1, upto)}", "UNDELETED"]):
            yield sorted(uids)


def hindrance(client: GuardedIMAPClient, folder: str, status: Mapping[bytes, Any]) -> str:
    """What keeps mail from being removed from the selected folder, for people; empty where nothing is known to.

    `status` is what SELECT said. A server may answer OK and do nothing where flags or rights (RFC 4314 4) are missing.
    """
    flags = status.get(b"PERMANENTFLAGS")
    markable = flags is None or DELETED.lower() in {bytes(flag).lower() for flag in flags}
    rights = client.rights(folder) if markable else None
    if markable and (rights is None or {"t", "e"} <= rights or ("d" in rights and not rights & {"t", "e"})):
        return ""  # "d" is what both were before RFC 4314
    return not_ours_to_remove()


def _try_to_mark(client: GuardedIMAPClient, uid: int) -> None:
    """Mark a mail as deleted and take the mark off again. Raises where either does nothing."""
    try:
        client.add_flags([uid], [DELETED], silent=True)
        if client.search(["UID", str(uid), "UNDELETED"]):
            raise IMAPClientError(not_ours_to_remove())
    finally:
        client.remove_flags([uid], [DELETED], silent=True)
    if client.search(["UID", str(uid), "DELETED"]):
        raise IMAPClientError(not_ours_to_remove())


def _remove(client: GuardedIMAPClient, uids: Sequence[int]) -> None:
    """Remove mails that are in the target. Raises NotRemoved."""
    with _unless_refused():
        client.add_flags(uids, [DELETED], silent=True)
    with _unless_refused():
        client.uid_expunge(uids)
    if left := _still_here(client, sequence_set(uids)):
        raise NotRemoved(left)


@contextlib.contextmanager
def _unless_refused() -> Iterator[None]:
    """Go on where the server says no; lost connections pass through."""
    try:
        yield
    except IMAPClientAbortError:
        raise
    except IMAPClientError:
        pass


def _still_here(client: GuardedIMAPClient, uids: str) -> list[int]:
    client.noop()  # lets the server say what was expunged
    return sorted(client.search(["UID", uids]))


def _from(client: GuardedIMAPClient, first: int) -> list[int]:
    """UIDs in the open folder from this one on; `*` also finds the last one below it."""
    return [uid for uid in client.search(["UID", f"{first}:*"]) if uid >= first]


def _looks(client: GuardedIMAPClient, uids: Sequence[int]) -> dict[int, Look]:
    """What tells mails apart without their bytes: Message-ID, Date and size."""
    found: dict[int, Look] = {}
    for at in range(0, len(uids), AT_ONCE):
        step = uids[at : at + AT_ONCE]
        sizes = client.fetch(step, ["RFC822.SIZE"])
        for uid, header in fetching.headers(client, step).items():
            found[uid] = (*header, int(sizes.get(uid, {}).get(b"RFC822.SIZE", 0)))
    return found


def sequence_set(uids: Sequence[int]) -> str:
    """`3:5,9`."""
    return ",".join(str(first) if first == last else f"{first}:{last}" for first, last in runs(uids))


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
    target = folder_name(reading.get("move_to", ""))
    if not target:
        return []
    words = _(
        "mail that was taken in cannot be moved from %(folder)s to %(target)s. It stays where it is, and moving it is "
        "tried again. (%(said)s)"
    )
    return [
        words % {"folder": folder, "target": target, "said": channel.cursor[folder]["not_moved"]}
        for folder in folders_of(reading)
        if (channel.cursor.get(folder) or {}).get("not_moved")
    ]
