"""The phrases by which mail programs, in many languages, announce a quoted mail or a signature."""

from __future__ import annotations

import re

# "wrote" as programs put it; those of scripts without spaces are matched without word boundaries.
_WROTE_WORDS = (
    r"wrote|writes|has written|said|a [ée]crit|écrivait|schrieb|schreibt|hat geschrieben|geschrieben"
    r"|escribi[óo]|escribe|ha escrito|escreveu|escreveste"
    r"|ha scritto|scrive|scrisse|schreef|het volgende geschreven|geschreven|skrev|skrifaði|kirjoitti"
    r"|napisał(?:\(a\)|a)?|napisala?|pisze|napsala?(?:\(a\))?"
    r"|napísala?(?:\(a\))?|írta|írta a következőt|a scris|написал(?:\(а\)|а)?|пишет|писал(?:\(а\)|а)?"
    r"|написав(?:\(ла\)|ла)?|пише|написа|έγραψε|yazdı|şunu yazdı"
    r"|menulis|đã viết|escrigué|va escriure|idatzi du|je napisao(?:/la)?|je napisal(?:a)?|rašė|rakstīja"
    r"|kirjutas|a répondu|reageerde|a wrote|tulis"
)
_WROTE_GLUED = (
    r"写道|寫道|写到|撰写|のメッセージ|さんは書きました|書き(?:込み)?ました|님이 작성|님의 말|작성:|작성한|씀"
    r"|كتب(?:ت)?|كتب/ت|نے لکھا|نے تحریر کیا|لکھا|نوشت|نوشته است|نوشته|כתב/ה|כתב|כתבה|ने लिखा|লিখেছেন|เขียนว่า"
)
_INTRO = (
    r"on|le|la|am|el|il|op|em|den|dne|dnia|w dniu|din|pe|la data de|pada|vào(?: lúc)?|på|om|kl|in data"
    r"|ngày|tarihinde|στις|data|a|à|de|em|at|in|"
    r"quoting|citando|zitat von|em seg|em ter|em qua|em qui|em sex|em sáb|em dom|il giorno|il giorno mar"
    r"|od|dana|den|dag|ha|fecha|в|во|у|on the"
)
_INTRO_GLUED = r"在|于|於|في|بتاريخ|يوم|في يوم|در|بروز|مورخہ|مورخه|به تاریخ|בתאריך|ב-|ที่|में"
_DATE = r"(?:\d{1,2}[:.h]\d\d|\b(?:19|20)\d\d\b|\d{1,2}[./-]\d{1,2}[./-]\d{2,4}|\d+年|[٠-٩۰-۹]{1,4}[/:.-][٠-٩۰-۹]{1,2})"
_MAIL = r"[^\s<>\"'():]+@[^\s<>\"'():]+"

WROTE = re.compile(rf"(?<!\w)(?:{_WROTE_WORDS})(?!\w)|(?:{_WROTE_GLUED})", re.I)
_HEAD_INTRO = re.compile(rf"^[\s>*_«\"–—-]{{0,10}}(?:(?:{_INTRO})\b|(?:{_INTRO_GLUED}))", re.I)
_MARKS = re.compile("[\u200e\u200f\u202a-\u202e\u2066-\u2069]")
_LAST_WORDS = (
    ":",
    "\uff1a",
    "wrote",
    "écrit",
    "schrieb",
    "写道",
    "寫道",
    "のメッセージ",
    "كتب",
    "لکھا",
    "نوشت",
    "작성",
)
_CLEAR_INTRO = re.compile(r"^[\s>*_«\"–—-]{0,10}(?:on|am|le|el|il|op|em|den|dnia|w dniu)\s", re.I)
_STARTS_DATED = re.compile(
    r"^[\s>*_«\"–—-]{0,10}(?:\d|[٠-٩۰-۹]|(?:mon|tue|wed|thu|fri|sat|sun|lun|mar|mer|jeu|ven|sam|dim|mo|di|mi"
    r"|do|fr|sa|so|пн|вт|ср|чт|пт|сб|вс)\w{0,7}[.,]? )",
    re.I,
)
# "I wrote to you the following:" is the author speaking; a program ends with the verb, a date or an address.
_OWN_WORDS = re.compile(
    r"\b(?:i|we|ich|wir|je|j'ai|nous|yo|io|eu|ik|jag|jeg)\s+(?:\w+\s+)?(?:wrote|schrieb\w*|écri\w*"
    r"|escrib\w*|scri\w*|escrev\w*|skrev)"
    r"|\b(?:wrote|writes|a écrit|escribió|ha scritto|escreveu)\s+[^\d@:\uff1a]{6,}[:\uff1a]?\s*$",
    re.I,
)
_QUOTING = re.compile(r"(?:quoting|zitat von|citando a?|citát) .{1,80}$", re.I)
_GMAIL_DATE = re.compile(r"^\d{4}-\d\d-\d\d \d{1,2}:\d\d GMT[+-]\d\d:\d\d \S.{1,80}$")
_LONE_DATE = re.compile(r"^\d{4}[-/.]\d{1,2}[-/.]\d{1,2}[ ,T]|^\d{1,2}[-/.]\d{1,2}[-/.]\d{4}[ ,]")
_CUT_SHORT = re.compile(r"^[^<]*>")
_HAS_DATE = re.compile(_DATE)
_HAS_MAIL = re.compile(_MAIL)
_STRICT_TAIL = re.compile(
    rf"(?:(?<!\w)(?:{_WROTE_WORDS})(?!\w)|{_WROTE_GLUED})(?:[^:\uff1a]"
    rf"|(?<=\d)[:\uff1a](?=\d)|időpont:){{0,120}}[:\uff1a]?[\s*_»\])]*$",
    re.I,
)
_DATE_FIRST = re.compile(
    rf"^[\s>*_-]{{0,10}}(?:\w{{2,12}}\.?,? ?){{0,2}}(?:le |den |the )?(?:\d|[٠-٩۰-۹]"
    rf"|\w+ \d).{{0,200}}(?:<{_MAIL}>|\[mailto:{_MAIL}\]|{_MAIL}>?"
    rf"|«[^»]+»)\)?[\s*>]*(?:{_WROTE_GLUED})?[:\uff1a]?[\s*]*$",
    re.I | re.S,
)

# What stands before the colon in the header block that Outlook and others put over a quoted mail.
_NAMES = {
    "from": """
        from, von, de, da, van, från, fra, od, от, від, от кого, від кого, из, az, feladó, lähettäjä, gönderen
        kimden, dari, từ, expéditeur, remitente, afzender, mittente, remetente, avsändare, afsender, nadawca
        отправитель, відправник, odesílatel, absender, pošiljatelj, από, מאת, من, المرسل, از, فرستنده, منجانب
        بھیجنے والا, از طرف, จาก, प्रेषक, 发件人, 發件人, 寄件者, 寄件人, 差出人, 送信者, 보낸사람, 보낸 사람""",
    "date": """
        date, sent, sent on, date sent, received, message du, envoyé, reçu, date d'envoi, gesendet, datum
        datum/zeit, empfangen, fecha, enviado, enviado el, enviada, enviada em, enviado em, data, inviato
        data invio, verzonden, datum verzonden, skickat, sendt, dato, lähetetty, päiväys, päivämäärä, wysłano
        elküldve, dátum, odesláno, odoslané, datum odeslání, poslano, trimis, gönderilme, gönderilme tarihi
        gönderildi, tarih, dikirim, tanggal, đã gửi, ngày, ημερομηνία, στάλθηκε, отправлено, дата, дата и время
        дата отправки, надіслано, נשלח, תאריך, تاريخ, التاريخ, تاریخ, أرسلت, تم الإرسال, تاريخ الإرسال, بتاريخ
        ارسال, ارسال شده, بھیجا, بھیجا گیا, วันที่, दिनांक, 发送时间, 發送時間, 日期, 时间, 時間, 寄件日期
        送信日時, 日時, 送信日, 보낸날짜, 보낸 날짜, 날짜""",
    "to": """
        to, an, à, a, destinataire, para, destinatario, destinatário, per, aan, ontvanger, till, mottagare, til
        modtager, do, adresat, empfänger, vastaanottaja, címzett, komu, către, pro, za, kime, alıcı, kepada
        đến, προς, кому, אל, إلى, الى, المستلم, به, بنام, گیرنده, ถึง, प्राप्तकर्ता, 收件人, 收件者, 宛先
        받는사람, 받는 사람""",
    "cc": """
        cc, c.c., kopie, copie, copie à, copia, copia a, con copia, cópia, em cc, kopia, kopi, dw, másolat
        bilgi, tiedoksi, копия, копія, نسخة, نسخه, 抄送, 副本, 참조""",
    "subject": """
        subject, betreff, betr, objet, sujet, oggetto, asunto, assunto, onderwerp, ämne, emne, temat, aihe
        tárgy, předmět, predmet, subiect, konu, subjek, perihal, chủ đề, tiêu đề, θέμα, тема, נושא, الموضوع
        موضوع, مضمون, عنوان, เรื่อง, विषय, 主题, 主題, 主旨, 件名, 題名, 제목""",
    "reply-to": "reply-to, antwort an, répondre à, responder a, rispondi a",
}
_LABELS: dict[str, str] = {}
for _kind, _names in _NAMES.items():
    for _name in _names.replace("\n", ",").split(","):
        if _name.strip():
            _LABELS.setdefault(_name.strip(), _kind)

_LABEL = re.compile(r"^[>|\s*_]{0,12}([^\W\d_][^\n:\uff1a*_<>\"]{0,24}?)[\s*_]{0,4}[:\uff1a][\s*_]{0,4}(.*)$", re.S)

# The words between the dashes of "-----Original Message-----".
_ORIGINAL = re.compile(
    r"(?:original|reply|replied)\s?(?:message|mail|e-mail|email|appointment)|forwarded by .{0,60}"
    r"|ursprüngliche\s(?:nachricht|e-mail)|original-?nachricht|message (?:d['’]origine|original|initial|transféré)"
    r"|e-mail d'origine|mensaje original|mensagem original|messaggio originale|(?:oorspronkelijk"
    r"|origineel|originele) bericht"
    r"|ursprungligt meddelande|originalmeddelande|oprindelig (?:meddelelse|besked)|opprinnelig melding"
    r"|alkuperäinen viesti|wiadomość oryginalna|oryginalna wiadomość|исходное (?:сообщение|письмо)"
    r"|оригинальное сообщение|původní (?:zpráva|e-mail)|pôvodná správa|eredeti üzenet|mesaj original"
    r"|orijinal (?:mesaj|ileti)|özgün ileti|thư gốc|pesan asli|原始邮件|原始郵件|原邮件|邮件原件"
    r"|元のメッセージ|オリジナルメッセージ|원본 (?:메일|메시지)|الرسالة الأصلية|رسالة أصلية|الرسالة الاصلية"
    r"|اصل پیغام|اصلی پیغام|پیام اصلی|הודעה מקורית",
    re.I,
)
_FORWARDED = re.compile(
    r"(?:forwarded message|weitergeleitete nachricht|message transféré|mensaje reenviado|mensagem encaminhada"
    r"|messaggio inoltrato|doorgestuurd bericht|vidarebefordrat meddelande|videresendt"
    r"|(?:treść przekazanej wiadomości|przekazana wiadomość)|пересылаемое сообщение|пересланное сообщение"
    r"|转发的邮件|轉寄的?郵件"
    r"|转发邮件信息|転送メッセージ|전달된 메시지|الرسالة المحولة"
    r"|رسالة (?:معاد توجيهها|محولة)|فارورڈ کردہ|آگے بھیجا گیا).{0,40}",
    re.I,
)
_BEGIN_FORWARDED = re.compile(
    r"(?:begin forwarded message|anfang der weitergeleiteten nachricht|début du message (?:réexpédié|transféré)"
    r"|inicio del mensaje reenviado|inizio messaggio inoltrato|início da mensagem (?:reencaminhada|encaminhada)"
    r"|begin doorgestuurd bericht|vidarebefordrat brev|начало переадресованного сообщения"
    r"|下面是被转发的邮件|転送された)\s?[:\uff1a]?.{0,20}",
    re.I,
)
REPLY_ABOVE = re.compile(
    r"^[\s>*_#-]{0,20}(?:\W{0,20}please (?:type|enter|write) your reply above this line|.{0,20}(?:reply"
    r"|respond|write|type) .{0,30}above (?:this|the) line|.{0,20}antwort.{0,30}(?:über"
    r"|oberhalb) dieser (?:zeile|linie)"
    r"|.{0,30}(?:au-dessus de|sopra|por encima de|acima d)\w? (?:cette|questa|esta) (?:ligne|riga|línea"
    r"|linha)|.{0,20}antwoord.{0,20}boven deze (?:lijn|regel))",
    re.I,
)
RULE = re.compile(r"^[\s>*]{0,10}(?:_{5,}|-{5,}|={5,}|\*{5,}|—{3,}|─{3,})[\s*]*$")
SIGNATURE = re.compile(r"^(?:--\s?|—\s?|– ?|__+\s?|-- ?\*+)$")
_PRODUCT = (
    r"i-?phone|i-?pad|i-?pod|android|galaxy|samsung|blackberry|nokia|huawei|xiaomi|redmi|oneplus|pixel"
    r"|xperia|htc|motorola"
    r"|outlook|gmail|hotmail|bluemail|mailbird|airmail|mail for|k-9|yahoo|proton|gmx|web\.de|aol|mail\.ru|yandex|яндекс"
    r"|qq邮箱|foxmail|smartphone|handy|mobiltelefon|telefon"
    r"|téléphone|mobile|móvil|celular|cellulare|tablet|windows|spark"
    r"|sparrow|superhuman|thunderbird|スマートフォン|手机|手機|아이폰|آيفون|آئی فون|آیفون|أندرويد|اندرويد|اینڈرائیڈ"
)
_SENT = (
    r"sent (?:from|via|using|with)|(?:get|download|scarica|ottieni|obtenir|télécharge[rz]|obtener|obter|baixe|hämta"
    r"|hent"
    r"|pobierz) (?=outlook|yahoo)|gesendet (?:von|mit|über|aus|via)|envoy[ée] (?:de|depuis|à partir|avec|via|par)"
    r"|enviad[oa] (?:desde|de|do|del|pelo|a partir|con|via|com|mediante)|inviat[oa] (?:da|dal|dalla|con|tramite)"
    r"|(?:verzonden|verstuurd) (?:vanaf|met|via|vanuit)"
    r"|skicka(?:t|des) (?:från|med|via)|sende?t (?:fra|med|via)|lähetetty|wysłan[eoa] (?:z|za|przez)"
    r"|отправлено (?:с|из|от|через)|надіслано (?:з|із|від)|odesláno z"
    r"|odoslané z|elküldve|trimis (?:de|din)|dikirim dari"
    r"|gửi từ|发自|發自|寄自|(?:أرسلت?|مرسل|تم الإرسال|تم إرسال\S*) من|ارسال (?:شده )?از|נשלח מ"
)
_DEVICE = re.compile(
    r"(?:"
    r"sent from my \S.{0,40}|sent from mail|envoyé de(?:puis)? m(?:on|a) .{1,40}|enviado (?:desde|de) mi .{1,40}"
    r"|enviad[oa] (?:do meu|de meu|pelo meu) .{1,40}|inviato dal mi[oa] .{1,40}"
    r"|(?:verzonden|verstuurd) (?:vanaf|met) mijn .{1,40}|skickat från min .{1,40}|sende?t fra min .{1,40}"
    r"|wysłane z mojego .{1,40}|отправлено с моего .{1,40}|发自我的.{1,20}"
    r"|(?:von|aus|mit|diese nachricht wurde) .{1,60} (?:gesendet|verschickt|geschickt)\.?(?: mit .{1,30})?"
    rf"|(?:{_SENT}).{{0,60}}(?:{_PRODUCT}).{{0,60}}|outlook (?:voor|für|for|pour|para) .{{0,60}}"
    r")",
    re.I,
)
_DEVICE_ENDS = ("から送信", "에서 보냄", "发送", "傳送", "gönderildi", "سے بھیجا گیا")
_DEVICE_WITHIN = re.compile(_PRODUCT, re.I)
_NOT_DEVICE = re.compile(r"[.!?]\s+\S|\b(?:you|it|this|him|her|them|is|was|are|but|since|much)\b", re.I)


def without_marks(line: str) -> str:
    """A line without the invisible marks that steer its direction."""
    return line if line.isascii() else _MARKS.sub("", line)


def ends_like_header(line: str) -> bool:
    """Whether a line may be the last of "On … wrote:"; cheap, asked of every line."""
    return without_marks(line).rstrip(" *_»]").lower().endswith(_LAST_WORDS)


def is_wrote_header(block: str, *, quoted_after: bool) -> int:
    """0 for no header; 2 where it begins with an introduction ("On …", "Le …") or a date; 1 where with a name."""
    if len(block) > 400:
        return 0
    block = without_marks(block)
    dated = bool(_HAS_DATE.search(block))
    mailed = bool(_HAS_MAIL.search(block))
    if not dated and not mailed and not quoted_after:
        return 0
    wrote = bool(_STRICT_TAIL.search(block))
    if _CUT_SHORT.match(block) and not block.startswith(">"):
        return 0  # an address that began on the line before
    if wrote and not quoted_after and _OWN_WORDS.search(block):
        return 0
    if wrote:
        if dated and (_HEAD_INTRO.match(block) or _STARTS_DATED.match(block)):
            return 2
        if mailed and quoted_after and _CLEAR_INTRO.match(block):
            return 2
        if (dated and mailed) or ((dated or mailed) and (quoted_after or len(block) < 160)):
            return 1
        return 1 if quoted_after and len(block) < 100 else 0
    ended = block.rstrip(" *").endswith((":", "\uff1a"))
    if _GMAIL_DATE.match(block):
        return 2
    if mailed and ended and (_QUOTING.match(block) or (dated and _HEAD_INTRO.match(block))):
        return 2
    if quoted_after and len(block) < 100 and _LONE_DATE.match(block):
        return 2
    return 2 if dated and _DATE_FIRST.match(block) and (quoted_after or ended) else 0


def is_separator(line: str) -> bool:
    """Whether a line is "-----Original Message-----" in any known language."""
    core = _between_dashes(line)
    return bool(core) and bool(_ORIGINAL.fullmatch(core))


def is_forward(line: str) -> bool:
    """Whether a forwarded mail begins below this line."""
    core = _between_dashes(line)
    if core:
        return bool(_FORWARDED.fullmatch(core))
    return len(line) < 100 and bool(_BEGIN_FORWARDED.fullmatch(line.strip("*_> \t")))


def _between_dashes(line: str) -> str:
    bare = line.lstrip("> |*")
    if bare[:2] not in ("--", "__", "==", "——", "- ") and line[:2] != "**":
        return ""
    core = bare.strip("-_=*—– \t")
    return core if len(core) < 100 else ""


def label(line: str) -> tuple[str, str]:
    """("from", "John <j@x>") of "From: John <j@x>" in any known language; ("", "") otherwise."""
    match = _LABEL.match(line[:300])
    if not match:
        return "", ""
    name = match[1].strip(" *_\u200e\u200f\u00a0").lower()
    return _LABELS.get(name, ""), match[2]


def is_device_line(line: str) -> bool:
    """Whether a line is what a phone or a program adds ("Sent from my iPhone")."""
    text = line.strip(" *_[]()\t")
    if len(text) > 120:
        return False
    if text.endswith(_DEVICE_ENDS):
        return len(text) < 50 and bool(_DEVICE_WITHIN.search(text))
    return bool(_DEVICE.fullmatch(text)) and not _NOT_DEVICE.search(text)
