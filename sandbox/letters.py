"""What the customers of the demo wrote."""

from dataclasses import dataclass
from datetime import datetime
from email.headerregistry import Address
from email.message import EmailMessage
from email.utils import format_datetime


@dataclass(frozen=True)
class Letter:
    """One mail, and what the team did about it. `hours_ago` is counted from the first start."""

    name: str
    address: str
    subject: str
    text: str
    hours_ago: float
    agent: str = ""
    answer: str = ""
    note: str = ""
    status: str = "pending"
    tags: tuple[str, ...] = ()
    priority: str = ""
    file: tuple[str, str, bytes] | None = None

    def raw(self, to: str, at: datetime) -> bytes:
        """The mail as its sender's program would write it."""
        message = EmailMessage()
        message["From"] = Address(display_name=self.name, addr_spec=self.address)
        message["To"] = to
        message["Subject"] = self.subject
        message["Date"] = format_datetime(at)
        local, _, domain = self.address.rpartition("@")
        message["Message-ID"] = f"<demo.{abs(hash_of(self.subject))}.{local}@{domain}>"
        message.set_content(self.text)
        if self.file:
            name, kind, content = self.file
            maintype, _, subtype = kind.partition("/")
            message.add_attachment(content, maintype=maintype, subtype=subtype, filename=name)
        return message.as_bytes(policy=message.policy.clone(linesep="\r\n"))


def hash_of(text: str) -> int:
    """A number for a text that is the same in every process."""
    return int.from_bytes(text.encode()[:24].ljust(24, b"."), "big") % 10**10


LETTERS = (
    Letter(
        "Ayesha Khan",
        "ayesha.khan@example.net",
        "Where is my parcel?",
        "Hello,\n\nI ordered a pair of walking shoes on Monday (order K-20418). The tracking page said "
        "Tuesday, now it says nothing at all. Could you please find out where it is?\n\nThank you\nAyesha\n",
        50,
        agent="omar",
        answer="Dear Ayesha,\n\nyour parcel left our warehouse in Lahore yesterday evening. The courier had a "
        "fault in its tracking; it should be with you tomorrow before noon.\n\nSorry for the worry!\n",
        tags=("delivery",),
    ),
    Letter(
        "بلال احمد",
        "bilal.ahmed@example.org",
        "رقم کی واپسی",
        "السلام علیکم\n\nمیں نے پچھلے ہفتے ایک جیکٹ واپس بھیجی تھی، آرڈر نمبر K-19877۔ "
        "ابھی تک رقم میرے اکاؤنٹ میں نہیں آئی۔ براہِ کرم بتائیے کہ اس میں مزید کتنے دن لگیں گے؟\n\nشکریہ\nبلال احمد\n",
        30,
        agent="sana",
        note="Accounts says the refund goes out with today's run.",
        tags=("refund",),
    ),
    Letter(
        "Daniel Brandt",
        "d.brandt@example.com",
        "Wrong size delivered",
        "Hi team,\n\nI received size 43 instead of 41. I attach the delivery note. "
        "How do I exchange them?\n\nBest regards\nDaniel Brandt\n-- \nBrandt Architects\n+49 30 5550 1234\n",
        22,
        tags=("delivery",),
        file=("delivery-note.txt", "text/plain", b"Order K-20377\n1 x Walking shoe, brown, size 43\n"),
    ),
    Letter(
        "Fatima Noor",
        "fatima.noor@example.net",
        "Thank you!",
        "Just wanted to say that the repaired zip works like new, and that your packaging without plastic is "
        "wonderful.\n\nFatima\n",
        20,
        agent="sana",
        answer="Dear Fatima,\n\nthat made our day. Enjoy the jacket!\n",
        status="solved",
    ),
    Letter(
        "Procurement, Hillside School",
        "purchasing@example.edu",
        "Quote for 120 rain jackets",
        "Good afternoon,\n\nwe would like a quotation for 120 children's rain jackets (128 to 164) "
        "with our logo, delivered before 15 January.\n\n"
        "Whom may we call to discuss colours?\n\nKind regards\nM. Osei\n",
        7,
        tags=("vip",),
        priority="high",
    ),
    Letter(
        "نادیہ حسین",
        "nadia.hussain@example.com",
        "آرڈر کا پتا تبدیل کرنا ہے",
        "سلام،\n\nمیرا آرڈر K-20455 ابھی روانہ نہیں ہوا۔ کیا آپ اسے میرے دفتر کے پتے پر بھیج سکتے ہیں؟ "
        "پتا یہ ہے: 14-B، مال روڈ، لاہور۔\n\n"
        "شکریہ\nنادیہ\n",
        3,
    ),
    Letter(
        "Tom Becker",
        "tom@example.org",
        "Discount code does not work",
        'The code AUTUMN15 from your newsletter is refused at checkout: "not valid for this basket". '
        "My basket has two tents. Which articles is it for?\n",
        1.2,
    ),
)  # fmt: skip
