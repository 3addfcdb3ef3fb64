"""Only what is new in a reply shows; whatever is hidden stays in the text."""

import pytest

from channels_email.mime.visible import strip_text
from tests.channels_email.mime.build import multipart, part, read

NEW = "Thanks, that works.\nOne more question: when?"
OLD = "> We have sent it.\n> Regards, Sana"
HEADERS = [
    "On Sat, 21 Nov 2026 at 10:00, Sana Malik <sana@rabta.example> wrote:",
    "On Sat, Nov 21, 2026 at 10:00 AM Sana Malik via Support Desk <\nsupport@rabta.example> wrote:",
    "Am 21.11.2026 um 10:00 schrieb Sana Malik:",
    "Sana Malik <sana@rabta.example> schrieb am Sa., 21. Nov. 2026,\n10:00:",
    "Le sam. 21 nov. 2026 à 10:00, Sana Malik <sana@rabta.example> a écrit :",
    "El sáb, 21 nov 2026 a las 10:00, Sana (<sana@rabta.example>) escribió:",
    "Il giorno sab 21 nov 2026 alle ore 10:00 Sana <sana@rabta.example> ha scritto:",
    "Em sáb., 21 de nov. de 2026 às 10:00, Sana <sana@rabta.example> escreveu:",
    "Op za 21 nov. 2026 om 10:00 schreef Sana <sana@rabta.example>:",
    "Den lör 21 nov. 2026 kl 10:00 skrev Sana <sana@rabta.example>:",
    "sob., 21 lis 2026 o 10:00 Sana <sana@rabta.example> napisał(a):",
    "сб, 21 нояб. 2026 г. в 10:00, Sana <sana@rabta.example>:",
    "21.11.2026 10:00, Sana пишет:",
    "في السبت، 21 نوفمبر 2026 10:00 كتب Sana <sana@rabta.example>:",
    "سنا <sana@rabta.example> نے 21 نومبر 2026 کو لکھا:",
    "در تاریخ شنبه ۲۱ نوامبر ۲۰۲۶، 10:00 سنا <sana@rabta.example> نوشت:",
    "Sana <sana@rabta.example> 于2026年11月21日周六 10:00写道：",
    "2026年11月21日(土) 10:00 Sana <sana@rabta.example>:",
    "2026년 11월 21일 (토) 10:00, Sana <sana@rabta.example>님이 작성:",
    "21 Kas 2026 Cmt 10:00 tarihinde Sana <sana@rabta.example> şunu yazdı:",
    "2026-11-21 10:00 GMT+01:00 Sana <sana@rabta.example>:",
    "On Sat, Nov 21, 2026 at 10:00 AM,\nA Long Name Of Somebody\n<somebody@rabta.example>\nwrote:",
    "W dniu 21 listopada 2026 10:00 użytkownik Sana <sana@rabta.example> napisał:",
    'Op 21 nov. 2026 10:00 schreef "Sana" <sana@rabta.example>:',
    "Dne 21.11.2026 v 10:00 Sana napsal(a):",
    "Sana <sana@rabta.example> ezt írta (időpont: 2026. nov. 21., Szo, 10:00):",
    "Στις Σάβ, 21 Νοε 2026 στις 10:00, ο/η Sana <sana@rabta.example> έγραψε:",
    "Vào 10:00, Th 7, 21 thg 11, 2026 Sana <sana@rabta.example> đã viết:",
    "\u202bבתאריך שבת, 21 בנוב׳ 2026 ב-10:00 מאת \u202aSana\u202c\u200f <\u202asana@rabta.example\u202c\u200f>:\u202c",
    "--- On Sat, 11/21/26, Sana <sana@rabta.example> wrote:",
    "Zitat von Sana <sana@rabta.example>:",
    "ہفتہ، 21 نومبر 2026 کو 10:00 پر سنا <sana@rabta.example> نے تحریر کیا:",
]


@pytest.mark.parametrize("header", HEADERS)
@pytest.mark.parametrize("old", [OLD, OLD.replace("> ", "")], ids=["marked", "unmarked"])
def test_the_line_over_a_quotation(header: str, old: str) -> None:
    assert strip_text(f"{NEW}\n\n{header}\n\n{old}\n") == NEW


BLOCKS = [
    "From: Sana <sana@rabta.example>\nSent: Saturday, 21 November 2026 10:00\nTo: Ali\nSubject: RE: Order",
    "Von: Sana [mailto:sana@rabta.example]\nGesendet: Samstag, 21. November 2026 10:00\nAn:"
    " Ali\nBetreff: AW: Bestellung",
    "De : Sana <sana@rabta.example>\nEnvoyé : samedi 21 novembre 2026 10:00\nÀ : Ali\nObjet : RE: Commande",
    "De: Sana <sana@rabta.example>\nEnviado el: sábado, 21 de noviembre\nPara: Ali\nAsunto: RE: Pedido",
    "Da: Sana <sana@rabta.example>\nInviato: sabato 21 novembre\nA: Ali\nOggetto: R: Ordine",
    "Van: Sana <sana@rabta.example>\nVerzonden: zaterdag 21 november\nAan: Ali\nOnderwerp: RE: Bestelling",
    "Från: Sana <sana@rabta.example>\nSkickat: den 21 november 2026\nTill: Ali\nÄmne: Sv: Order",
    "От: Sana <sana@rabta.example>\nОтправлено: 21 ноября 2026 г.\nКому: Ali\nТема: RE: Заказ",
    "من: سنا <sana@rabta.example>\nتم الإرسال: 21 نوفمبر 2026\nإلى: علي\nالموضوع: رد: الطلب",
    "منجانب: سنا <sana@rabta.example>\nبھیجا گیا: 21 نومبر 2026\nبنام: علی\nموضوع: جواب: آرڈر",
    "发件人: Sana <sana@rabta.example>\n发送时间: 2026年11月21日 10:00\n收件人: Ali\n主题: 回复: 订单",
    "差出人: Sana <sana@rabta.example>\n日時: 2026年11月21日\n宛先: Ali\n件名: Re: 注文",
    "*From:* Sana <sana@rabta.example>\n*Date:* 21 November 2026\n*Subject:* Order",
    "________________________________\nFrom: Sana\nSent: Saturday\nTo: Ali\nSubject: Order",
    "-----Original Message-----\nFrom: Sana\nSubject: Order",
    "-----Ursprüngliche Nachricht-----\nVon: Sana",
    "-------- Message d'origine --------\nDe : Sana",
    "----- الرسالة الأصلية -----\nمن: سنا",
    "------------------ 原始邮件 ------------------\n发件人: Sana",
    "##- Please type your reply above this line -##",
]


@pytest.mark.parametrize("block", BLOCKS)
def test_the_block_over_a_quotation(block: str) -> None:
    assert strip_text(f"{NEW}\n\n{block}\n\nWe have sent it.\nRegards, Sana\n") == NEW


@pytest.mark.parametrize(
    "signature",
    [
        "-- \nAli Raza\nRaza Ltd.",
        "--\nAli",
        "Sent from my iPhone",
        "Von meinem iPhone gesendet",
        "Envoyé de mon iPhone",
        "Enviado desde mi iPhone",
        "Inviato da iPhone",
        "Verstuurd vanaf mijn iPad",
        "Skickat från min iPhone",
        "Sendt fra min iPad",
        "Отправлено с iPhone",
        "发自我的iPhone",
        "iPhoneから送信",
        "أرسلت من الآيفون",
        "میرے آئی فون سے بھیجا گیا",
        "Get Outlook for Android<https://aka.ms/x>",
        "Sent via Galaxy S24",
    ],
)
def test_signatures(signature: str) -> None:
    assert strip_text(f"{NEW}\n\n{signature}\n") == NEW
    assert strip_text(f"{NEW}\n\n{signature}\n\n{HEADERS[0]}\n{OLD}\n") == NEW


def test_answers_between_the_lines_keep_what_they_answer() -> None:
    text = "> When did you order?\n\nOn Monday.\n\n> And the number?\n\n4711.\n\n> Regards"
    assert strip_text(text) == "> When did you order?\n\nOn Monday.\n\n> And the number?\n\n4711."


def test_an_answer_below_the_quotation() -> None:
    assert strip_text(f"{HEADERS[0]}\n{OLD}\n\nThanks, that works.") == "Thanks, that works."


@pytest.mark.parametrize(
    "text",
    [
        "As you wrote:\nthe parcel is late, and it still is.",
        "These are my questions:\n1. when\n2. where",
        "Date: tomorrow\nSee you then",
        "From: Lahore\nI want to send a parcel from there.",
        "On Monday I wrote to you. Nobody answered.",
        "The error says:\n--\nfailed",
        "Sent from my desk, where it is much easier than on the phone.",
        "My order of 10/12/2026 was sent to this address:\n\nStreet 5, Lahore",
        "Hello,\n\nOn 10/12/2026 I wrote to you the following:\n\nPlease cancel.",
        "Please cancel order 4711 of 21.11.2026.\n\nReason:\ntoo late",
        "My questions follow.\nMit Android funktioniert es nicht",
        "Hello\nSent by mail yesterday, not here yet",
        "Hello\nGet my phone repaired please",
        "سلام\nمیرے آئی فون میں مسئلہ ہے",
        "你好\n从手机登录不了",
        "Look:\n```\n> cat x\n-- \n```\nStrange, is it not?",
        "> only a quotation",
        "---------- Forwarded message ---------\nFrom: x@y.example\nSubject: z\n\nPlease handle.",
    ],
)
def test_what_people_write_themselves_stays(text: str) -> None:
    if text.startswith("The error"):
        assert strip_text(text).startswith("The error says:")
    else:
        assert strip_text(text) == text


def test_what_is_forwarded_is_what_the_customer_wants_to_show() -> None:
    text = (
        "Please see below.\n\n---------- Forwarded message ---------\nFrom: x@y.example\nDate: "
        "today\nSubject: z\n\nThe bill."
    )
    assert strip_text(text) == text


GMAIL = (
    '<div dir="ltr">Thanks, that works.</div><br><div class="gmail_quote"><div dir="ltr"'
    ' class="gmail_attr">On Sat Sana wrote:<br></div>'
    '<blockquote class="gmail_quote">We have sent it.</blockquote></div>'
)
OUTLOOK_WEB = (
    '<div>Thanks, that works.</div><div id="appendonsend"></div><hr><div id="divRplyFwdMsg"><b>'
    "From:</b> Sana</div><div>We have sent it.</div>"
)
OUTLOOK = (
    '<p class="MsoNormal">Thanks, that works.<o:p></o:p></p><div style="border-top:solid #E1E1E1'
    ' 1.0pt"><p><b>From:</b> Sana &lt;s@rabta.example&gt;<br>'
    "<b>Sent:</b> Saturday<br><b>To:</b> Ali<br><b>Subject:</b> Order</p></div><p>We have sent it.</p>"
)
APPLE = (
    "<html><body>Thanks, that works.<div><br><blockquote type='cite'><div>On 21 Nov 2026, at "
    "10:00, Sana wrote:</div><div>We have sent it.</div></blockquote></div></body></html>"
)
YAHOO = (
    '<div class="ydp123yahoo-style-wrap">Thanks, that works.</div><div id="yahoo_quoted_1" '
    'class="yahoo_quoted"><div>On Sat Sana wrote:</div><div>We have sent it.</div></div>'
)
THUNDERBIRD = (
    '<p>Thanks, that works.</p><div class="moz-cite-prefix">Am 21.11.2026 um 10:00 schrieb '
    'Sana:<br></div><blockquote type="cite">We have sent it.</blockquote>'
)
PROTON = (
    '<div>Thanks, that works.</div><div class="protonmail_quote">On Sat Sana wrote:<blockquote '
    'type="cite">We have sent it.</blockquote></div>'
)


@pytest.mark.parametrize("page", [GMAIL, OUTLOOK_WEB, OUTLOOK, APPLE, YAHOO, THUNDERBIRD, PROTON])
def test_pages_of_the_common_programs(page: str) -> None:
    found = read(page, "Content-Type: text/html; charset=utf-8\r\n")
    assert found.visible_text == "Thanks, that works."
    assert "We have sent it." in found.text
    assert "We have sent it." in found.html


def test_a_page_helps_where_the_text_hides_its_quotation() -> None:
    body, kind = multipart(
        "alternative",
        part("Thanks, that works.\n\nWe have sent it. Regards, all of us at the desk."),
        part(GMAIL, "text/html"),
    )
    assert read(body, kind).visible_text == "Thanks, that works."


def test_a_page_that_is_nothing_but_quotation_is_shown_whole() -> None:
    found = read(
        '<div class="gmail_quote"><blockquote>We have sent it.</blockquote></div>', "Content-Type: text/html\r\n"
    )
    assert found.visible_text == "We have sent it."


def test_forwarded_pages_stay_whole() -> None:
    page = (
        '<div>See this</div><div class="gmail_quote"><div class="gmail_attr">---------- Forwarded '
        "message ---------<br>From: x</div>The bill</div>"
    )
    assert "The bill" in read(page, "Content-Type: text/html\r\n").visible_text
