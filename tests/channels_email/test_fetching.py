"""What IMAP servers in trouble say: nothing is lost by it, and one bad mail blocks nothing."""

from collections.abc import Mapping, Sequence
from typing import Any

import pytest
from imapclient.exceptions import IMAPClientError

from channels_email import imap
from channels_email.imap import MailboxAway
from channels_email.servers import Server
from inbox.adapters import RawReceipt

SERVER = Server("imap.rabta.example", 993, "tls", "support", "x")
NO = "fetch failed: Something is wrong"


class Folder:
    """IMAPClient's side of one folder with a mail for each UID; `no` and `nil` are those it does not give."""

    def __init__(
        self, uids: Sequence[int], *, no: Mapping[int, str] | None = None, nil: Sequence[int] = (), end: int = 0
    ) -> None:
        self.uids = list(uids)
        self.no = dict(no or {})
        self.nil = set(nil)
        self.end = end or max(self.uids) + 1
        self.expunged: set[int] = set()
        self.left_out: list[int] = []  # UIDs whose size is not told the first time

    def select_folder(self, _name: str, readonly: bool) -> dict[bytes, int]:
        assert readonly
        return {b"UIDVALIDITY": 1, b"UIDNEXT": self.end}

    def noop(self) -> None:
        self.uids = [uid for uid in self.uids if uid not in self.expunged]

    def search(self, criteria: list[str]) -> list[int]:
        first, _, last = criteria[1].partition(":")
        return [uid for uid in self.uids if int(first) <= uid <= int(last or first)]

    def fetch(self, uids: Sequence[int], what: list[str]) -> dict[int, dict[bytes, Any]]:
        if what == ["RFC822.SIZE"]:
            told: dict[int, dict[bytes, Any]] = {uid: {b"RFC822.SIZE": 100} for uid in uids}
            told.update({uid: {b"FLAGS": ()} for uid in self.left_out})
            self.left_out = []
            return told
        for uid in uids:
            if uid in self.no:
                raise IMAPClientError(self.no[uid])
        name = b"BODY[]<0>" if "<" in what[0] else b"BODY[]"
        return {
            uid: {name: None if uid in self.nil else b"Subject: %d\r\n\r\nx" % uid}
            for uid in uids
            if uid not in self.expunged
        }

    def shutdown(self) -> None:
        pass


Poll = tuple[list[RawReceipt], dict[str, Any], str]


def read(
    monkeypatch: pytest.MonkeyPatch, folder: Folder, cursor: dict[str, Any] | None = None, batch_mails: int = 50
) -> Poll:
    """(receipts, cursor, what stood in the way) of one poll."""
    monkeypatch.setattr(imap, "connect", lambda _server: folder)
    monkeypatch.setattr(imap, "BATCH_MAILS", batch_mails)
    receipts: list[RawReceipt] = []
    cursor = cursor or {}
    try:
        for batch in imap.poll(SERVER, cursor):
            receipts, cursor = receipts + batch[0], batch[1]
    except MailboxAway as error:
        return receipts, cursor, str(error)
    return receipts, cursor, ""


def numbers(receipts: list[RawReceipt]) -> dict[int, bool]:
    """Whether each mail's bytes are here, by UID."""
    return {one.meta["uid"]: bool(one.raw) for one in receipts}


@pytest.mark.parametrize("code", ["UNAVAILABLE", "INUSE", "OVERQUOTA", "LIMIT", "THROTTLED"])
def test_passing_trouble_of_the_server_moves_nothing(monkeypatch: pytest.MonkeyPatch, code: str) -> None:
    folder = Folder([1, 2, 3], no={2: f"fetch failed: [{code}] try later"})
    receipts, cursor, away = read(monkeypatch, folder)
    assert (receipts, cursor) == ([], {})
    assert code in away
    assert away.startswith("INBOX: ")
    folder.no = {}
    assert numbers(read(monkeypatch, folder, cursor)[0]) == {1: True, 2: True, 3: True}


@pytest.mark.parametrize("words", [NO, "fetch failed: [SERVERBUG] Internal error occurred"])
def test_a_no_to_every_mail_is_the_server_s_trouble(monkeypatch: pytest.MonkeyPatch, words: str) -> None:
    receipts, cursor, away = read(monkeypatch, Folder([1, 2, 3], no={1: words, 2: words, 3: words}))
    assert (receipts, cursor) == ([], {})
    assert words in away


def test_trouble_that_begins_in_the_middle_of_a_batch_loses_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    class Failing(Folder):
        def fetch(self, uids: Sequence[int], what: list[str]) -> dict[int, dict[bytes, Any]]:
            if list(uids) == [2]:
                self.no = dict.fromkeys(self.uids, NO)
            return super().fetch(uids, what)

    receipts, cursor, away = read(monkeypatch, Failing([1, 2, 3], no={3: NO}))
    assert (receipts, cursor) == ([], {})
    assert away


@pytest.mark.parametrize("batch_mails", [1, 50])
@pytest.mark.parametrize("bad", [1, 2, 3])
@pytest.mark.parametrize("words", [NO, "fetch failed: [SERVERBUG] Internal error occurred", None])
def test_one_bad_mail_blocks_nothing(
    monkeypatch: pytest.MonkeyPatch, bad: int, batch_mails: int, words: str | None
) -> None:
    folder = Folder([1, 2, 3], no={bad: words} if words else {}, nil=[] if words else [bad])
    receipts, cursor, away = read(monkeypatch, folder, batch_mails=batch_mails)
    assert numbers(receipts) == {uid: uid != bad for uid in (1, 2, 3)}
    assert cursor["INBOX"]["uid"] == 3
    assert not away
    (unread,) = (one for one in receipts if not one.raw)
    assert unread.external_id.startswith("unread-")
    assert unread.meta["error"]


def test_a_mail_that_is_expunged_meanwhile_is_no_trouble(monkeypatch: pytest.MonkeyPatch) -> None:
    folder = Folder([1, 2, 3])
    folder.expunged = {2, 3}
    receipts, cursor, away = read(monkeypatch, folder)
    assert (numbers(receipts), cursor["INBOX"]["uid"], away) == ({1: True}, 3, "")


def test_a_size_that_is_not_told_is_asked_for_again(monkeypatch: pytest.MonkeyPatch) -> None:
    folder = Folder([1, 2, 3])
    folder.left_out = [2, 9]
    assert numbers(read(monkeypatch, folder)[0]) == {1: True, 2: True, 3: True}


def test_uids_that_go_back_mean_a_new_folder(monkeypatch: pytest.MonkeyPatch) -> None:
    position = {"uidvalidity": 1, "uid": 50_000, "mailbox": imap.mailbox_of(SERVER)}
    receipts, cursor, _away = read(monkeypatch, Folder([1, 2, 3]), {"INBOX": position})
    assert numbers(receipts) == {1: True, 2: True, 3: True}
    assert cursor["INBOX"]["uid"] == 3
    assert read(monkeypatch, Folder([1, 2, 3]), cursor) == ([], cursor, "")


def test_the_same_numbers_in_another_mailbox_are_other_mails(monkeypatch: pytest.MonkeyPatch) -> None:
    folder = Folder([1, 2, 3], no={3: NO})
    receipts, cursor, _away = read(monkeypatch, folder)
    moved = {"INBOX": {**cursor["INBOX"], "mailbox": "support@old.example:993"}}
    again, _cursor, _away = read(monkeypatch, folder, moved)
    assert numbers(again) == numbers(receipts)
    other = Server("imap.other.example", 993, "tls", "support", "x")
    monkeypatch.setattr("tests.channels_email.test_fetching.SERVER", other)
    third, _cursor, _away = read(monkeypatch, folder, cursor)
    assert third[2].external_id != receipts[2].external_id
