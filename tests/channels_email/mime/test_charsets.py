"""Text in every script, labelled well, badly or not at all."""

import base64
import quopri

import pytest

from channels_email.mime.charsets import codec, decode
from tests.channels_email.mime.build import read

URDU = "السلام علیکم، میرا آرڈر ابھی تک نہیں ملا۔ براہِ مہربانی بتائیں۔"
ARABIC = "السلام عليكم، لم يصل الطلب رقم 42 حتى الآن، شكرا"
CASES = [
    ("utf-8", URDU),
    ("windows-1256", ARABIC),
    ("iso-8859-6", "السلام عليكم لم يصل الطلب"),
    ("koi8-r", "Здравствуйте, где мой заказ?"),
    ("windows-1251", "Здравствуйте, где мой заказ?"),
    ("gb2312", "您好,订单还没有收到"),
    ("gb18030", "您好，訂單還沒有收到😀"),
    ("gbk", "訂單還沒有收到"),
    ("big5", "您好,訂單還沒有收到"),
    ("iso-2022-jp", "こんにちは、注文が届きません"),
    ("shift_jis", "こんにちは、注文が届きません①"),
    ("euc-jp", "こんにちは"),
    ("euc-kr", "안녕하세요, 주문이 오지 않았습니다"),
    ("iso-8859-1", "Grüße aus Köln, très élevé"),
    ("iso-8859-15", "Preis: 12 € für Žofie"),
    ("iso-8859-2", "Zażółć gęślą jaźń"),
    ("windows-1254", "Şikayet için teşekkürler"),
    ("tis-620", "สวัสดีครับ"),
    ("utf-16", "héllo 日本"),
    ("utf-7", "héllo 日本"),
    ("windows-1255", "שלום, איפה ההזמנה"),
    ("windows-1253", "Καλημέρα, πού είναι"),
]


@pytest.mark.parametrize(("charset", "text"), CASES)
@pytest.mark.parametrize("encoding", ["base64", "quoted-printable", "8bit"])
def test_every_charset_in_every_transfer_encoding(charset: str, text: str, encoding: str) -> None:
    if encoding == "8bit" and charset == "utf-16":
        pytest.skip("UTF-16 has no line ends that a mail could carry")
    raw = text.encode("cp932" if charset == "shift_jis" else charset)
    coded = {"base64": base64.encodebytes(raw), "quoted-printable": quopri.encodestring(raw), "8bit": raw}
    found = read(
        coded[encoding], f"Content-Type: text/plain; charset={charset}\r\nContent-Transfer-Encoding: {encoding}\r\n"
    )
    assert found.text == text


def test_utf8_that_calls_itself_something_else() -> None:
    assert decode("Größe".encode(), "iso-8859-1") == "Größe"
    assert decode(URDU.encode(), "us-ascii") == URDU
    assert decode(URDU.encode(), "") == URDU


def test_windows_text_that_calls_itself_utf8() -> None:
    assert decode("Grüße – heute".encode("cp1252"), "utf-8") == "Grüße – heute"


def test_latin1_means_windows() -> None:
    assert decode(b"\x93quoted\x94 \x80 5", "iso-8859-1") == "“quoted” € 5"


def test_unlabelled_arabic_is_guessed() -> None:
    assert decode((ARABIC * 3).encode("cp1256"), "", "windows-1256") == ARABIC * 3


@pytest.mark.parametrize(
    "label", ["base64", "rot13", "zlib", "hex", "punycode", "idna", "unicode_escape", "x-nonsense", "\x00", "a" * 9000]
)
def test_labels_that_are_no_charsets_do_nothing(label: str) -> None:
    assert codec(label) == ""
    assert decode(b"plain text", label) == "plain text"


def test_html_may_name_its_charset_itself() -> None:
    page = "<html><head><meta charset='windows-1251'></head><body>Привет, как дела</body></html>".encode("cp1251")
    assert "Привет, как дела" in read(page, "Content-Type: text/html\r\n").text


def test_nul_and_lone_surrogates_never_come_out() -> None:
    found = read(b"a\x00b +2AA-\r\n", "Content-Type: text/plain; charset=utf-7\r\nX-A: \x00\r\n")
    found.text.encode()
    assert "\x00" not in found.text
