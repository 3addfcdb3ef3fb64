"""IMAP IDLE (RFC 2177): a quiet connection for each folder, so that new mail is polled at once, not at the next round.

A watcher only wakes the poller; whatever goes wrong here costs seconds, never a mail.
"""

import imaplib
import logging
import threading
import time

from django.db import DatabaseError, InterfaceError, close_old_connections, connection
from imapclient.exceptions import IMAPClientAbortError

from channels_email import imap
from channels_email.servers import Server, server
from inbox import wake
from inbox.adapters import DeliveryError
from inbox.models import Channel

logger = logging.getLogger(__name__)

LOOK_EVERY = 10.0  # seconds between looks at which mailboxes there are
RENEW_AFTER = 9 * 60.0  # seconds after which IDLE is said again; servers and routers end it after 10 to 30 minutes
ANSWER_WITHIN = 1.0  # seconds in which a watcher notices that it is to stop
MOST_FOLDERS = 4  # of a mailbox that are watched: providers count connections (Gmail takes 15); the rest is polled
BACK_OFF = 30.0  # seconds before a lost connection is opened again
ASK_AGAIN = 3600.0  # seconds after which a server that has no IDLE is asked whether it has it by now
MOST_HASTY = 5  # answers in a row that came at once and said nothing: the end of a connection looks like that


class Watcher:
    """One thread for one folder of one mailbox."""

    def __init__(self, channel: int, mailbox: Server, folder: str) -> None:
        self.channel = channel
        self.mailbox = mailbox
        self.folder = folder
        self._stop = threading.Event()
        self.thread = threading.Thread(target=self._run, name=f"idle-{channel}", daemon=True)
        self.thread.start()

    def stop(self) -> None:
        self._stop.set()

    def _run(self) -> None:
        while not self._stop.is_set():
            self._stop.wait(self._until_it_ends())

    def _until_it_ends(self) -> float:
        """Watch over one connection, and return after how many seconds to open another. Never raises: no one but this
        thread watches the folder."""
        try:
            try:
                client = imap.connect(self.mailbox)
            finally:
                connection.close()  # a token may have been asked for; IDLE needs no database
            try:
                if not client.has_capability("IDLE"):
                    return ASK_AGAIN
                self._watch(client)
            finally:
                imap.close(client)
        except (imap.MailboxAway, DatabaseError, InterfaceError):
            pass  # the poller tells what is wrong
        except (OSError, imaplib.IMAP4.error) as error:
            logger.info("watching channel %s ended: %s", self.channel, error)
        except Exception:
            logger.exception("watching channel %s failed in an unforeseen way", self.channel)
        return BACK_OFF

    def _watch(self, client: imap.GuardedIMAPClient) -> None:
        """IDLE until it is to stop. Raises OSError or IMAP4.error when the connection ends."""
        client.select_folder(self.folder, readonly=True)
        while not self._stop.is_set():
            client.idle()
            renew_at = time.monotonic() + RENEW_AFTER
            hasty = 0
            while not self._stop.is_set() and time.monotonic() < renew_at:
                asked_at = time.monotonic()
                answers = client.idle_check(timeout=ANSWER_WITHIN)
                if any(b"EXISTS" in answer for answer in answers):
                    self._wake()
                if any(answer[:1] == (b"BYE",) for answer in answers):
                    raise IMAPClientAbortError("the server says BYE")
                # IMAPClient takes the end of the connection for "nothing new", which then comes at once each time.
                # A record of TLS that carries no line may come like that, too, but not many of them running.
                quick = not answers and time.monotonic() - asked_at < ANSWER_WITHIN / 2
                hasty = hasty + 1 if quick else 0
                if hasty >= MOST_HASTY:
                    raise IMAPClientAbortError("the server hung up")
            client.idle_done()

    def _wake(self) -> None:
        try:
            wake.poll(self.channel, "email")
        except (DatabaseError, InterfaceError) as error:
            logger.info("channel %s is polled at its next round only: %s", self.channel, error)
        finally:
            connection.close()


class Watch:
    """A watcher for each folder, kept in step with the channels' settings."""

    def __init__(self) -> None:
        self.watchers: dict[tuple[int, str], Watcher] = {}
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._run, name="idle", daemon=True)

    def start(self) -> None:
        self._thread.start()

    def stop(self) -> None:
        """End all watchers; returns at once."""
        self._stop.set()
        for watcher in self.watchers.values():
            watcher.stop()

    def _run(self) -> None:
        while not self._stop.is_set():
            close_old_connections()
            try:
                self.look()
            except (DatabaseError, InterfaceError) as error:
                logger.info("cannot see which mailboxes to watch: %s", error)
                connection.close()
            except Exception:  # nobody else would look again
                logger.exception("looking which mailboxes to watch failed in an unforeseen way")
            self._stop.wait(LOOK_EVERY)
        connection.close()

    def look(self) -> None:
        """Start and stop watchers as the channels say."""
        wanted: dict[tuple[int, str], Server] = {}
        for channel in Channel.objects.filter(kind="email", paused=False, settings__has_key="imap"):
            try:
                mailbox = server(channel, "imap")
            except DeliveryError:
                continue  # its password cannot be opened: the poller tells
            if mailbox is not None:
                wanted |= {(channel.pk, folder): mailbox for folder in mailbox.folders[:MOST_FOLDERS]}
        for key, watcher in list(self.watchers.items()):
            if wanted.get(key) != watcher.mailbox or not watcher.thread.is_alive():
                self.watchers.pop(key).stop()
        for key, mailbox in wanted.items():
            if key not in self.watchers and not self._stop.is_set():
                self.watchers[key] = Watcher(key[0], mailbox, key[1])
