"""IMAP IDLE (RFC 2177): a quiet connection for each folder, so that new mail is polled at once, not at the next round.

A watcher only wakes the poller; whatever goes wrong here costs seconds, never a mail.
"""

import imaplib
import logging
import threading
import time

from django.db import DatabaseError, InterfaceError, close_old_connections, connection

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
            try:
                client = imap.connect(self.mailbox)
            except (imap.MailboxAway, DatabaseError, InterfaceError):
                self._stop.wait(BACK_OFF)  # the poller tells what is wrong
                continue
            finally:
                connection.close()  # a token may have been asked for; IDLE needs no database
            try:
                if not client.has_capability("IDLE"):
                    return
                self._watch(client)
            except (OSError, imaplib.IMAP4.error) as error:
                logger.info("watching channel %s ended: %s", self.channel, error)
                self._stop.wait(BACK_OFF)
            finally:
                imap.close(client)

    def _watch(self, client: imap.GuardedIMAPClient) -> None:
        client.select_folder(self.folder, readonly=True)
        while not self._stop.is_set():
            client.idle()
            renew_at = time.monotonic() + RENEW_AFTER
            while not self._stop.is_set() and time.monotonic() < renew_at:
                if any(b"EXISTS" in answer for answer in client.idle_check(timeout=ANSWER_WITHIN)):
                    self._wake()
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
            if wanted.get(key) != watcher.mailbox:
                self.watchers.pop(key).stop()
        for key, mailbox in wanted.items():
            if key not in self.watchers:
                self.watchers[key] = Watcher(key[0], mailbox, key[1])
