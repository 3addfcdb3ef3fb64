"""Moving what was taken in: never before it is committed, never lost, never repeated, and tried again."""

from collections.abc import Sequence
from typing import Any

import pytest
from imapclient import IMAPClient
from imapclient.exceptions import IMAPClientAbortError, IMAPClientError

from channels_email import imap, moving
from channels_email.models import MovedMails
from inbox import health, polling
from inbox.actions import receive, retrying
from inbox.adapters import adapter_for
from inbox.models import Agent, Channel, Message, Receipt, Role
from tests.channels_email.conftest import MakeChannel, imap_settings, mail
from tests.servers import proxy
from tests.servers.dovecot import Dovecot

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.servers]


def lying(dovecot: Dovecot, user: str, folder: str) -> list[bytes]:
    """What each mail in a folder says, without marking it."""
    with dovecot.client(user) as client:
        client.select_folder(folder, readonly=True)
        uids = client.search()
        found = client.fetch(uids, ["BODY.PEEK[]"]) if uids else {}
        return [found[uid][b"BODY[]"] for uid in sorted(found)]


def make_folder(dovecot: Dovecot, user: str, name: str = "Done") -> None:
    with dovecot.client(user) as client:
        client.create_folder(name)


def test_mail_is_moved_once_it_is_stored_and_stays_unread(
    dovecot: Dovecot, mailbox: str, make_channel: MakeChannel
) -> None:
    make_folder(dovecot, mailbox)
    channel = make_channel(**imap_settings(dovecot, mailbox, move_to="Done"))
    mails = [mail(f"mail {n}") for n in range(3)]
    dovecot.append(mailbox, *mails)
    assert polling.poll(channel.pk) == 3
    assert dovecot.mails(mailbox) == []
    assert lying(dovecot, mailbox, "Done") == mails
    with dovecot.client(mailbox) as client:
        client.select_folder("Done")
        assert len(client.search("UNSEEN")) == 3
    run = MovedMails.objects.get()
    assert (run.folder, run.first, run.last) == ("Done", 1, 3)
    dovecot.append(mailbox, mail("later"))
    assert polling.poll(channel.pk) == 1
    run.refresh_from_db()
    assert (run.first, run.last) == (1, 4)
    assert not channel.__class__.objects.get().cursor["INBOX"].get("not_moved")


def test_nothing_is_moved_before_it_is_committed(
    dovecot: Dovecot, mailbox: str, make_channel: MakeChannel, monkeypatch: pytest.MonkeyPatch
) -> None:
    make_folder(dovecot, mailbox)
    channel = make_channel(**imap_settings(dovecot, mailbox, move_to="Done"))
    dovecot.append(mailbox, mail())

    def broken(*_arguments: Any, **_options: Any) -> Any:
        raise OSError("no space left")

    with monkeypatch.context() as patch:
        patch.setattr(receive, "store", broken)
        assert polling.poll(channel.pk) == 0
    assert len(dovecot.mails(mailbox)) == 1
    assert polling.poll(channel.pk) == 1
    assert dovecot.mails(mailbox) == []


@pytest.mark.parametrize("watched", [["INBOX", "Done"], ["Done", "INBOX"]])
def test_a_target_that_is_read_too_gives_nothing_twice(
    dovecot: Dovecot, mailbox: str, make_channel: MakeChannel, watched: list[str]
) -> None:
    make_folder(dovecot, mailbox)
    channel = make_channel(**imap_settings(dovecot, mailbox, move_to="Done", folders=watched))
    dovecot.append(mailbox, *(mail(f"mail {n}", subject=f"{n}") for n in range(3)))
    for _round in range(3):
        polling.poll(channel.pk)
        receive.take_in_waiting()
    assert Message.objects.count() == Receipt.objects.count() == 3
    assert len(lying(dovecot, mailbox, "Done")) == 3


@pytest.mark.parametrize(("folder", "target"), [("INBOX", "inbox"), ("Inbox", "INBOX")], ids=["target", "folder"])
def test_the_inbox_in_another_spelling_is_no_target(
    dovecot: Dovecot, mailbox: str, make_channel: MakeChannel, folder: str, target: str
) -> None:
    """As it was saved before the form knew it."""
    channel = make_channel(**imap_settings(dovecot, mailbox, move_to=target, folders=[folder]))
    dovecot.append(mailbox, mail("one"))
    assert [polling.poll(channel.pk) for _round in range(2)] == [1, 0]
    with dovecot.client(mailbox) as client:
        assert client.search() == [1]
    channel.refresh_from_db()
    assert not channel.in_error
    assert channel.cursor["INBOX"]["uid"] == 1


def test_a_cursor_of_another_spelling_goes_on(dovecot: Dovecot, mailbox: str, make_channel: MakeChannel) -> None:
    channel = make_channel(**imap_settings(dovecot, mailbox))
    dovecot.append(mailbox, mail("one"))
    polling.poll(channel.pk)
    channel.refresh_from_db()
    channel.settings["imap"]["folders"] = ["inbox"]
    channel.cursor = {"inbox": channel.cursor["INBOX"]}
    channel.save()
    Receipt.objects.all().delete()
    assert polling.poll(channel.pk) == 0
    dovecot.append(mailbox, mail("two"))
    assert polling.poll(channel.pk) == 1
    channel.refresh_from_db()
    assert list(channel.cursor) == ["INBOX"]


def test_a_target_that_is_not_there_is_said_and_tried_again(
    dovecot: Dovecot, mailbox: str, make_channel: MakeChannel
) -> None:
    admin = Agent.objects.create_user("zoya@rabta.example", name="Zoya", role=Role.ADMIN)
    channel = make_channel(**imap_settings(dovecot, mailbox, move_to="Done"))
    dovecot.append(mailbox, mail())
    assert polling.poll(channel.pk) == 1
    channel.refresh_from_db()
    assert channel.in_failing_since is None  # mail comes in all the same
    assert len(dovecot.mails(mailbox)) == 1
    (warning,) = adapter_for("email").warnings(channel)
    assert "cannot be moved from INBOX to Done" in warning
    assert any(warning in line for line in health.problems(admin))
    assert not {line.name: line.ok for line in adapter_for("email").check(channel)}["Move to Done"]
    make_folder(dovecot, mailbox)
    assert polling.poll(channel.pk) == 0
    assert dovecot.mails(mailbox) == []
    channel.refresh_from_db()
    assert adapter_for("email").warnings(channel) == []


def test_the_connection_cut_while_moving_loses_and_repeats_nothing(
    dovecot: Dovecot, mailbox: str, make_channel: MakeChannel, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(moving, "AT_ONCE", 5)
    make_folder(dovecot, mailbox)
    mails = [mail(f"mail {n}") for n in range(40)]
    dovecot.append(mailbox, *mails)
    channel = make_channel(**imap_settings(dovecot, mailbox))
    polling.poll(channel.pk)
    channel.refresh_from_db()
    # What one poll with nothing to fetch hears before it moves is less than a thousand bytes.
    with proxy.cutting(dovecot.imap, cut_after=1500, cuts=4) as middle:
        channel.settings = {**channel.settings, "imap": {**channel.settings["imap"], "port": middle.port}}
        channel.settings["imap"]["move_to"] = "Done"
        channel.cursor["INBOX"]["mailbox"] = f"{mailbox}@127.0.0.1:{middle.port}"
        channel.save()
        for _round in range(4):
            polling.poll(channel.pk)
        assert middle.connections > 4
    assert dovecot.mails(mailbox) == []
    assert sorted(lying(dovecot, mailbox, "Done")) == sorted(mails)
    assert Receipt.objects.count() == 40
    # Also those moves are known whose answer was cut off: the count of the mailbox goes by it.
    assert [(run.first, run.last) for run in MovedMails.objects.all()] == [(1, 40)]


def test_a_move_whose_answer_got_lost_is_found_out_and_others_mails_are_not_ours(
    dovecot: Dovecot, mailbox: str, make_channel: MakeChannel, monkeypatch: pytest.MonkeyPatch
) -> None:
    make_folder(dovecot, mailbox)
    with dovecot.client(mailbox) as client:
        client.append("Done", mail("put there by hand, long ago"))
    channel = make_channel(**imap_settings(dovecot, mailbox, move_to="Done"))
    dovecot.append(mailbox, mail("one"), mail("two"))
    with monkeypatch.context() as patch:
        patch.setattr(imap.GuardedIMAPClient, "copied", lambda _self: (0, []))
        assert polling.poll(channel.pk) == 2
    assert MovedMails.objects.get().last is None
    with dovecot.client(mailbox) as client:
        client.append("Done", mail("put there by hand"))
    dovecot.append(mailbox, mail("three"))
    assert polling.poll(channel.pk) == 1
    runs = list(MovedMails.objects.order_by("first").values_list("first", "last"))
    assert runs == [(2, 3), (5, 5)]


def test_a_mail_whose_bytes_we_do_not_have_stays(
    dovecot: Dovecot, mailbox: str, make_channel: MakeChannel, settings: Any
) -> None:
    make_folder(dovecot, mailbox)
    channel = make_channel(**imap_settings(dovecot, mailbox, move_to="Done"))
    large = mail("x\n" * 10_000)
    dovecot.append(mailbox, mail("one"), large, mail("two"))
    settings.SMTP_IN_MAX_BYTES = 10_000
    polling.poll(channel.pk)
    receive.take_in_waiting()
    assert dovecot.mails(mailbox) == [large]
    settings.SMTP_IN_MAX_BYTES = 1_000_000
    retrying.retry(Receipt.objects.get(state="failed"), by=None)
    polling.poll(channel.pk)
    assert dovecot.mails(mailbox) == []


def test_what_somebody_has_marked_as_deleted_is_left_to_them(
    dovecot: Dovecot, mailbox: str, make_channel: MakeChannel
) -> None:
    make_folder(dovecot, mailbox)
    channel = make_channel(**imap_settings(dovecot, mailbox, move_to="Done"))
    dovecot.append(mailbox, mail("one"), mail("two"))
    with dovecot.client(mailbox) as client:
        client.delete_messages([1])
    assert polling.poll(channel.pk) == 2
    assert len(dovecot.mails(mailbox)) == len(lying(dovecot, mailbox, "Done")) == 1


def only_knows(monkeypatch: pytest.MonkeyPatch, *knows: str, but: tuple[str, ...] = ("MOVE", "UIDPLUS", "ACL")) -> None:
    """From now on the server has none of `but` except these."""
    real = IMAPClient.has_capability

    def has(self: IMAPClient, name: str) -> bool:
        return name in knows if name in but else bool(real(self, name))

    monkeypatch.setattr(imap.GuardedIMAPClient, "has_capability", has)


@pytest.mark.parametrize(("knows", "moved"), [(["UIDPLUS"], True), ([], False)])
def test_servers_without_move(
    dovecot: Dovecot,
    mailbox: str,
    make_channel: MakeChannel,
    monkeypatch: pytest.MonkeyPatch,
    knows: list[str],
    moved: bool,
) -> None:
    """COPY, a mark and UID EXPUNGE; what others have marked stays. Without UIDPLUS nothing is touched."""
    only_knows(monkeypatch, *knows)
    monkeypatch.setattr(imap.GuardedIMAPClient, "move", None)
    make_folder(dovecot, mailbox)
    channel = make_channel(**imap_settings(dovecot, mailbox, move_to="Done"))
    dovecot.append(mailbox, mail("one"), mail("two"))
    with dovecot.client(mailbox) as client:
        client.delete_messages([1])
    assert polling.poll(channel.pk) == 2
    channel.refresh_from_db()
    assert len(dovecot.mails(mailbox)) == (1 if moved else 2)
    assert len(lying(dovecot, mailbox, "Done")) == int(moved)
    assert bool(adapter_for("email").warnings(channel)) is not moved
    assert MovedMails.objects.exists() is moved
    with dovecot.client(mailbox) as client:
        client.select_folder("Done")
        assert client.search("DELETED") == []


@pytest.mark.parametrize("told", [["MOVE", "UIDPLUS"], ["UIDPLUS", "ACL"], ["UIDPLUS"]])
@pytest.mark.parametrize("rights", ["lrwsi", "lrwsit"])
def test_where_nothing_may_be_removed_nothing_is_multiplied(
    dovecot: Dovecot,
    mailbox: str,
    make_channel: MakeChannel,
    monkeypatch: pytest.MonkeyPatch,
    told: list[str],
    rights: str,
) -> None:
    """A mailbox that is shared without the right to mark (t) or to expunge (e): Dovecot says OK and does nothing."""
    make_folder(dovecot, mailbox)
    dovecot.append(mailbox, mail("one"), mail("two"))
    dovecot.allow(mailbox, rights)
    only_knows(monkeypatch, *told)
    # That it may not expunge cannot be seen beforehand where the server does not tell rights.
    copies = 2 if (told, rights) == (["UIDPLUS"], "lrwsit") else 0
    channel = make_channel(**imap_settings(dovecot, mailbox, move_to="Done"))
    for _round in range(3):
        polling.poll(channel.pk)
        channel.refresh_from_db()
        assert len(lying(dovecot, mailbox, "Done")) == copies
        assert len(dovecot.mails(mailbox)) == 2
        assert "cannot be moved from INBOX" in adapter_for("email").warnings(channel)[0]
    assert (Receipt.objects.count(), channel.in_error) == (2, "")
    lines = {line.name: line for line in adapter_for("email").check(channel)}
    if "ACL" in told or rights == "lrwsi":
        assert not lines["Move from INBOX"].ok
    dovecot.append(mailbox, mail("three"))
    dovecot.allow(mailbox, "lrwsite")
    polling.poll(channel.pk)
    channel.refresh_from_db()
    assert adapter_for("email").warnings(channel) == []
    assert "moving" not in channel.cursor["INBOX"]
    assert dovecot.mails(mailbox) == []
    assert len(lying(dovecot, mailbox, "Done")) == 3
    assert [(run.first, run.last) for run in MovedMails.objects.all()] == [(1, 3)]


def test_a_folder_that_may_only_be_read_is_read_and_so_are_those_after_it(
    dovecot: Dovecot, mailbox: str, make_channel: MakeChannel
) -> None:
    make_folder(dovecot, mailbox)
    make_folder(dovecot, mailbox, "Desk")
    with dovecot.client(mailbox) as client:
        client.append("Desk", mail("desk"))
    dovecot.append(mailbox, mail("one"))
    dovecot.allow(mailbox, "lr")
    channel = make_channel(**imap_settings(dovecot, mailbox, move_to="Done", folders=["INBOX", "Desk"]))
    assert polling.poll(channel.pk) == 2
    channel.refresh_from_db()
    assert (channel.in_error, channel.cursor["INBOX"]["uid"]) == ("", 1)
    (warning,) = adapter_for("email").warnings(channel)
    assert "cannot be moved from INBOX" in warning
    lines = {line.name: line.ok for line in adapter_for("email").check(channel)}
    assert (lines["INBOX"], lines["Move from INBOX"], lines["Desk"], lines["Move to Done"]) == (True, False, True, True)
    assert "Move from Desk" not in lines
    dovecot.allow(mailbox, "lrwsite")
    polling.poll(channel.pk)
    channel.refresh_from_db()
    assert adapter_for("email").warnings(channel) == []
    assert len(lying(dovecot, mailbox, "Done")) == 2


def test_much_to_move_does_not_keep_new_mail_waiting(
    dovecot: Dovecot, mailbox: str, make_channel: MakeChannel, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(moving, "AT_ONCE", 2)
    monkeypatch.setattr(moving, "MOST_SECONDS", -1)
    make_folder(dovecot, mailbox)
    make_folder(dovecot, mailbox, "Desk")
    channel = make_channel(**imap_settings(dovecot, mailbox, folders=["INBOX", "Desk"]))
    dovecot.append(mailbox, *(mail(f"{n}") for n in range(5)))
    assert polling.poll(channel.pk) == 5
    channel.refresh_from_db()
    channel.settings["imap"]["move_to"] = "Done"
    channel.save()
    with dovecot.client(mailbox) as client:
        client.append("Desk", mail("desk"))
    assert polling.poll(channel.pk) == 1
    assert len(lying(dovecot, mailbox, "Desk")) == 1  # each poll moves some, and of the first folder that has any
    for left in (3, 1, 0):
        assert len(dovecot.mails(mailbox)) == left
        polling.poll(channel.pk)
    assert len(lying(dovecot, mailbox, "Done")) == 6


@pytest.mark.parametrize("lost", ["copy", "after copy", "uid_expunge", "after uid_expunge"])
def test_a_connection_lost_between_copying_and_removing_leaves_no_second_copy(
    dovecot: Dovecot, mailbox: str, make_channel: MakeChannel, monkeypatch: pytest.MonkeyPatch, lost: str
) -> None:
    only_knows(monkeypatch, "UIDPLUS")
    name = lost.removeprefix("after ")
    real = getattr(IMAPClient, name)
    losses: list[str] = []

    def once(self: IMAPClient, *given: Any) -> Any:
        done = real(self, *given) if losses or lost != name else None
        if not losses:
            losses.append(lost)
            self.socket().close()
            raise IMAPClientAbortError("socket error: EOF")
        return done

    monkeypatch.setattr(imap.GuardedIMAPClient, name, once)
    make_folder(dovecot, mailbox)
    channel = make_channel(**imap_settings(dovecot, mailbox, move_to="Done"))
    mails = [mail("one"), mail("two"), mail("two")]
    dovecot.append(mailbox, *mails)
    assert polling.poll(channel.pk) == 3
    assert losses
    assert dovecot.mails(mailbox) == []
    assert lying(dovecot, mailbox, "Done") == mails
    assert [(run.first, run.last) for run in MovedMails.objects.all()] == [(1, 3)]
    assert channel.__class__.objects.get().cursor["INBOX"].keys() == {"uid", "uidvalidity", "mailbox"}


def test_a_process_that_dies_between_copying_and_removing_leaves_no_second_copy(
    dovecot: Dovecot, mailbox: str, make_channel: MakeChannel, monkeypatch: pytest.MonkeyPatch
) -> None:
    """And a mail that came to the target by another way is not taken for ours, whose look is another."""
    only_knows(monkeypatch, "UIDPLUS")
    make_folder(dovecot, mailbox)
    channel = make_channel(**imap_settings(dovecot, mailbox, move_to="Done"))
    first, second = mail("one"), mail("two", message_id="<two@customer.example>")
    dovecot.append(mailbox, first, second)

    class Killed(BaseException):
        pass

    def dies(_self: IMAPClient, *_given: Any) -> Any:
        raise Killed

    with monkeypatch.context() as patch, pytest.raises(Killed):
        patch.setattr(imap.GuardedIMAPClient, "uid_expunge", dies)
        polling.poll(channel.pk)
    with dovecot.client(mailbox) as client:  # somebody takes one of the copies, and puts another mail there
        client.select_folder("Done")
        client.delete_messages([2])
        client.expunge()
        client.append("Done", forged := mail("not two", message_id="<two@customer.example>"))
    polling.poll(channel.pk)
    assert dovecot.mails(mailbox) == []
    assert lying(dovecot, mailbox, "Done") == [first, forged, second]
    polling.poll(channel.pk)
    assert "moving" not in channel.__class__.objects.get().cursor["INBOX"]


def test_a_full_target_leaves_nothing_marked(
    dovecot: Dovecot, mailbox: str, make_channel: MakeChannel, monkeypatch: pytest.MonkeyPatch
) -> None:
    only_knows(monkeypatch, "UIDPLUS")

    def full(*_given: Any) -> Any:
        raise IMAPClientError("copy failed: [OVERQUOTA] Quota exceeded")

    make_folder(dovecot, mailbox)
    channel = make_channel(**imap_settings(dovecot, mailbox, move_to="Done"))
    dovecot.append(mailbox, mail("one"))
    with monkeypatch.context() as patch:
        patch.setattr(imap.GuardedIMAPClient, "copy", full)
        assert polling.poll(channel.pk) == 1
    channel.refresh_from_db()
    assert "OVERQUOTA" in adapter_for("email").warnings(channel)[0]
    with dovecot.client(mailbox) as client:
        assert client.search("UNDELETED") == [1]
    polling.poll(channel.pk)
    assert dovecot.mails(mailbox) == []
    assert len(lying(dovecot, mailbox, "Done")) == 1


def test_runs_of_numbers() -> None:
    assert moving.runs([5, 1, 2, 3, 9, 8, 2]) == [(1, 3), (5, 5), (8, 9)]
    assert moving.runs([]) == []
    assert imap.uids_of("3:5,9,12:11") == [3, 4, 5, 9, 11, 12]


def test_a_large_folder_is_looked_through_window_by_window(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(moving, "WINDOW", 10)
    asked: list[Sequence[str]] = []

    class Client:
        def search(self, criteria: Sequence[str]) -> list[int]:
            asked.append(criteria)
            if criteria == ["1"]:
                return [5]
            if criteria[1].startswith("15:"):
                raise IMAPClientError("no")
            return []

    mover = moving.Mover(Channel(pk=1), "Done")
    source = {"folder": "INBOX", "uidvalidity": 1, "mailbox": "x"}
    assert list(mover.move(Client(), source, {b"EXISTS": 11}, 25, {})) == [{"not_moved": "no"}]  # type: ignore[arg-type]
    assert asked == [["1"], ["UID", "5:14", "UNDELETED"], ["UID", "15:24", "UNDELETED"]]
