"""What the customers of the demo wrote."""

import struct
import zlib
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
    html: str = ""
    again: str = ""  # what the customer wrote after the answer
    snoozed: float = 0  # hours from now
    facts: tuple[tuple[str, object], ...] = ()  # type, severity, topic

    @property
    def id(self) -> str:
        """The Message-ID of the mail."""
        local, _, domain = self.address.rpartition("@")
        return f"<demo.{hash_of(self.subject)}.{local}@{domain}>"

    def raw(self, to: str, at: datetime) -> bytes:
        """The mail as its sender's program would write it."""
        message = EmailMessage()
        message["From"] = Address(display_name=self.name, addr_spec=self.address)
        message["To"] = to
        message["Subject"] = self.subject
        message["Date"] = format_datetime(at)
        message["Message-ID"] = self.id
        message.set_content(self.text)
        if self.html:
            message.add_alternative(self.html, subtype="html")
        if self.file:
            name, kind, content = self.file
            maintype, _, subtype = kind.partition("/")
            message.add_attachment(content, maintype=maintype, subtype=subtype, filename=name)
        return message.as_bytes(policy=message.policy.clone(linesep="\r\n"))

    def raw_again(self, to: str, at: datetime) -> bytes:
        """What they wrote some time after, below their first mail."""
        message = EmailMessage()
        message["From"] = Address(display_name=self.name, addr_spec=self.address)
        message["To"] = to
        message["Subject"] = f"Re: {self.subject}"
        message["Date"] = format_datetime(at)
        message["Message-ID"] = self.id.replace("demo.", "demo.again.")
        message["In-Reply-To"] = message["References"] = self.id
        message.set_content(self.again)
        return message.as_bytes(policy=message.policy.clone(linesep="\r\n"))


def hash_of(text: str) -> int:
    """A number for a text that is the same in every process."""
    return int.from_bytes(text.encode()[:24].ljust(24, b"."), "big") % 10**10


def picture(width: int = 480, height: int = 320) -> bytes:
    """A tent before the evening sky, as a PNG."""
    rows = bytearray()
    for y in range(height):
        rows.append(0)
        for x in range(width):
            inside = y > 90 and y < 260 and abs(x - width * 0.5) < (y - 90) * 0.9
            if inside:
                flap = abs(x - width * 0.5) < (y - 130) * 0.22
                rows += bytes((40, 44, 52) if flap else (201 - y // 6, 112 - y // 8, 40))
            elif y > 235:
                rows += bytes((56 + (x * 7 + y * 13) % 9, 92 + (x * 3 + y * 5) % 11, 62))
            else:
                rows += bytes((88 + y // 2, 120 + y // 4, 170 - y // 5))
    head = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    parts = ((b"IHDR", head), (b"IDAT", zlib.compress(bytes(rows), 9)), (b"IEND", b""))
    return b"\x89PNG\r\n\x1a\n" + b"".join(
        struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data)) for kind, data in parts
    )


ORDER = """<div style="font-family:Arial,sans-serif;font-size:14px">
<p>Hello,</p><p>could you please send me an <b>invoice with our VAT number</b> for this order?</p>
<table style="border-collapse:collapse" cellpadding="6" border="1">
<tr style="background:#f2efe9"><th align="left">Article</th><th>Pieces</th><th align="right">Price</th></tr>
<tr><td>Trekking backpack 45 l</td><td align="center">2</td><td align="right">Rs 17,800</td></tr>
<tr><td>Rain cover</td><td align="center">2</td><td align="right">Rs 2,400</td></tr>
<tr><td colspan="2"><b>Together (order K-20390)</b></td><td align="right"><b>Rs 20,200</b></td></tr>
</table><p>Kind regards<br>Imran Qureshi<br><a href="https://example.org/">Qureshi &amp; Sons</a></p></div>
"""

LETTERS = (
    Letter(
        "Grace Mwangi",
        "grace.mwangi@example.net",
        "Do you ship to Kenya?",
        "Hello Karvaan,\n\ndo you ship the four-person tent to Nairobi, and what would it cost?\n\nGrace\n",
        76,
        agent="sana",
        answer="Dear Grace,\n\nwe are asking the carrier for a price and come back to you.\n",
        snoozed=40,
        facts=(("type", "question"), ("topic", "shipping abroad")),
    ),
    Letter(
        "Ayesha Khan",
        "ayesha.khan@example.net",
        "Which size of walking shoes?",
        "Hello,\n\nI wear 38 in most brands. Do your walking shoes run small?\n\nAyesha\n",
        72,
        agent="sana",
        answer="Dear Ayesha,\n\nthey do, a little: take 39. If they do not fit, sending them back is free.\n",
        status="solved",
        facts=(("type", "question"), ("topic", "sizes")),
    ),
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
        again="Thank you, Omar! Tomorrow is fine. Could the courier leave it with the neighbours at number 12, "
        "should I be out?\n\nAyesha\n",
        facts=(("type", "problem"), ("severity", 3), ("topic", "late delivery"), ("attributes", {"order": "K-20418"})),
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
        facts=(("type", "complaint"), ("topic", "refund"), ("attributes", {"order": "K-19877"})),
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
        tags=("discount",),
        facts=(("type", "problem"), ("topic", "discount codes")),
    ),
    Letter(
        "Imran Qureshi",
        "imran@example.org",
        "Invoice for order K-20390",
        "Hello,\n\ncould you please send me an invoice with our VAT number for order K-20390?\n\nImran Qureshi\n",
        9,
        html=ORDER,
        tags=("invoice",),
    ),
    Letter(
        "Sofia Rossi",
        "sofia.rossi@example.com",
        "A pole broke on the first night",
        "Hello,\n\nwe love the tent, but one of the poles broke on the first night. A picture is attached. "
        "Could you send us a new one before Friday? We leave on Saturday.\n\nSofia\n",
        5,
        agent="sana",
        note="The warehouse has three of these poles left; I have asked them to keep one.",
        file=("tent.png", "image/png", picture()),
        priority="urgent",
        facts=(("type", "complaint"), ("severity", 2), ("topic", "broken on arrival")),
    ),
    Letter(
        "Jonas Weber",
        "jonas.weber@example.net",
        "AUTUMN15 is refused",
        "Hi,\n\nmy discount code AUTUMN15 is refused although the newsletter says it is valid until Sunday.\n\nJonas\n",
        0.6,
        tags=("discount",),
    ),
)  # fmt: skip
