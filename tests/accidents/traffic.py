"""Customers who write and agents who answer, through whatever happens: each tries again until it has been told yes."""

import random
import smtplib
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from email.message import EmailMessage

import requests

from tests.accidents.house import SUPPORT
from tests.accidents.sink import Sink
from tests.instance import until

AGAIN_AFTER = 0.2  # seconds
PATIENCE = 90.0  # seconds until one mail or reply counts as impossible


@dataclass
class Thread:
    """One matter of one customer: its mails go out one after the other, each answering something before it."""

    number: int
    customer: str
    mails: int
    subject: str
    sent: list[str] = field(default_factory=list)  # Message-IDs that got their 250, in order


@dataclass
class Reply:
    """One answer of an agent, and what the API said when it took it."""

    thread: Thread
    number: int
    message_id: str = ""
    id: int = 0
    attempts: int = 0

    @property
    def text(self) -> str:
        return f"Answer {self.number} about {self.thread.subject}"


@dataclass
class Progress:
    """How far the work is: mails accepted and replies arrived, of so many."""

    mails: int
    replies: int
    sink: Sink
    accepted: int = 0
    ahead: float = 0.25  # how much further mails may be than replies, as a share; and replies half of it than mails

    def __post_init__(self) -> None:
        self.lock = threading.Lock()

    def mail_accepted(self) -> None:
        with self.lock:
            self.accepted += 1

    @property
    def arrived(self) -> float:
        return len(self.sink.by_id()) / self.replies

    def share(self) -> float:
        return (self.accepted / self.mails + self.arrived) / 2

    def wait_to_write(self, done: float) -> None:
        """Until the replies have come near the share `done` of the mails: both shall be under way when things die."""
        until(lambda: self.arrived >= done - self.ahead, "replies arrive", seconds=PATIENCE)

    def wait_to_answer(self, done: float) -> None:
        until(lambda: self.accepted / self.mails >= done - self.ahead / 2, "mails are accepted", seconds=PATIENCE)


class Mailer:
    """A customer's mail server: one connection over many mails, and after any trouble the same bytes again."""

    def __init__(self, port: int) -> None:
        self.port = port
        self.connection: smtplib.SMTP | None = None
        self.attempts = 0

    def send(self, sender: str, to: str, raw: bytes) -> None:
        """Returns when the mail was accepted. Raises what is final, and what lasts too long."""
        deadline = time.monotonic() + PATIENCE
        while True:
            self.attempts += 1
            try:
                if self.connection is None:
                    self.connection = smtplib.SMTP("127.0.0.1", self.port, timeout=15)
                self.connection.sendmail(sender, [to], raw)
                return
            except (OSError, smtplib.SMTPException) as error:
                self.close()
                if is_final(error) or time.monotonic() > deadline:
                    raise
                time.sleep(AGAIN_AFTER)

    def close(self) -> None:
        if self.connection is not None:
            self.connection.close()
            self.connection = None


def is_final(error: Exception) -> bool:
    """Whether a mail server answered 5xx: then the sender gets the mail back."""
    if isinstance(error, smtplib.SMTPRecipientsRefused):
        return any(code >= 500 for code, _words in error.recipients.values())
    return isinstance(error, smtplib.SMTPResponseException) and error.smtp_code >= 500


class Customers:
    """Writes the mails of `threads`, as many as each says, in one thread of the program."""

    def __init__(self, threads: list[Thread], port: int, progress: Progress, seed: int) -> None:
        self.threads = threads
        self.mailer = Mailer(port)
        self.progress = progress
        self.random = random.Random(seed)

    def run(self) -> None:
        """First the questions that open the threads, then the rest of the mails in random order."""
        later = [thread for thread in self.threads for _mail in range(thread.mails - 1)]
        self.random.shuffle(later)
        turns = [*self.threads, *later]
        for turn, thread in enumerate(turns):
            self.progress.wait_to_write(turn / len(turns))
            message_id, to, raw = self.write(thread)
            self.mailer.send(thread.customer, to, raw)
            thread.sent.append(message_id)
            self.progress.mail_accepted()
        self.mailer.close()

    def write(self, thread: Thread) -> tuple[str, str, bytes]:
        """The next mail of a thread: (its Message-ID, to whom, its bytes). Half of them answer what we answered."""
        number = len(thread.sent)
        message_id = f"mail-{thread.number}-{number}@customers.example"
        mail, to = EmailMessage(), SUPPORT
        answered = thread.sent[-1] if thread.sent else ""
        came = [arrival for arrival in list(self.progress.sink.arrivals) if thread.customer in arrival.recipients]
        ours = [one for one in came if thread.subject.encode() in one.raw]
        if ours and self.random.random() < 0.5:
            answered, to = ours[-1].message_id, ours[-1].reply_to
        mail["From"], mail["To"] = thread.customer, to
        mail["Subject"] = thread.subject if number == 0 else f"Re: {thread.subject}"
        mail["Date"] = "Sat, 01 Nov 2025 10:00:00 +0000"
        mail["Message-ID"] = f"<{message_id}>"
        if answered:
            mail["In-Reply-To"] = mail["References"] = f"<{answered}>"
        mail.set_content(f"Mail {number} about {thread.subject}.\n")
        if self.random.random() < 0.02:  # too large to stand in a row of the database
            mail.add_attachment(self.random.randbytes(300_000), "image", "png", filename="photo.png")
        return message_id, to, mail.as_bytes(policy=mail.policy.clone(linesep="\r\n"))


class Agents:
    """Answers tickets over the REST API, in one thread of the program: a ticket's answers one after the other."""

    def __init__(
        self,
        url: str,
        token: str,
        threads: list[Thread],
        each: int,
        progress: Progress,
        ticket_of: Callable[[str], int | None],
    ) -> None:
        self.url = url
        self.session = requests.Session()
        self.session.headers["Authorization"] = f"Bearer {token}"
        self.replies = [Reply(thread, number) for number in range(each) for thread in threads]
        self.progress = progress
        self.ticket_of = ticket_of

    def run(self) -> None:
        for turn, reply in enumerate(self.replies):
            self.progress.wait_to_answer(turn / len(self.replies))
            self.answer(reply)

    def answer(self, reply: Reply) -> None:
        """Returns when the API has taken the reply. Raises what is final, and what lasts too long."""
        deadline = time.monotonic() + PATIENCE
        key = {"Idempotency-Key": f"reply-{reply.thread.number}-{reply.number}"}
        while True:
            assert time.monotonic() < deadline, f"{reply.text} could not be sent"
            ticket = self.ticket_of(reply.thread.subject)
            if ticket is None:
                time.sleep(AGAIN_AFTER)
                continue
            reply.attempts += 1
            try:
                where = f"{self.url}/api/v1/tickets/{ticket}/messages/"
                said = self.session.post(where, json={"kind": "reply", "text": reply.text}, headers=key, timeout=15)
            except requests.RequestException:
                time.sleep(AGAIN_AFTER)
                continue
            if said.status_code == 201:
                reply.id, reply.message_id = said.json()["id"], said.json()["external_id"]
                return
            assert said.status_code in (409, 429, 503), f"{said.status_code}: {said.text[:2000]}"
            time.sleep(AGAIN_AFTER)


class Crew:
    """Runs pieces of work in threads; `join` raises the first error any of them met."""

    def __init__(self) -> None:
        self.threads: list[threading.Thread] = []
        self.errors: list[BaseException] = []

    def start(self, work: Callable[..., None], *arguments: object) -> None:
        def run() -> None:
            try:
                work(*arguments)
            except BaseException as error:  # noqa: BLE001  (raised again by `join`)
                self.errors.append(error)

        thread = threading.Thread(target=run, daemon=True)
        thread.start()
        self.threads.append(thread)

    def join(self, seconds: float) -> None:
        deadline = time.monotonic() + seconds
        for thread in self.threads:
            thread.join(max(0.0, deadline - time.monotonic()))
        if self.errors:
            raise self.errors[0]
        assert not any(thread.is_alive() for thread in self.threads), "the traffic did not end in time"
