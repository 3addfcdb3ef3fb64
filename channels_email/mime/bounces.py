"""What a server says about a mail of ours that did not arrive: RFC 3464 reports, and the prose of older servers."""

from __future__ import annotations

import re

from channels_email.mime.charsets import decode
from channels_email.mime.headers import message_id, plain
from channels_email.mime.parts import Part, read_headers, read_tree
from inbox.adapters import Bounce

MAX_RECIPIENTS = 500
_LOOK = 65536  # characters of prose that are searched

_DAEMON = re.compile(
    r"^(?:mailer-?daemon|post[-_]?master|mail(?:er)?|mdaemon|daemon|bounces?|mail-?er|maildelivery"
    r"|mail-delivery|mailsystem"
    r"|double-bounce|microsoftexchange[0-9a-f]+|bounce-?notification|antispam|virus-?scan|root"
    r"|prefer-?daemon|smtp|nntp-admin)$"
)
_DAEMON_NAME = re.compile(
    r"mailer.?daemon|mail delivery|jetmail|delivery (?:sub)?system|mail administrator|postmaster"
    r"|mail system|system administrator"
    r"|mail gateway|internet mail delivery|returned mail|mail router|메일|配信|bounce",
    re.I,
)
_NO_REPLY = re.compile(r"^(?:no|do-?not)[-_.]?reply")
_SUBJECT = re.compile(
    r"undeliver|not deliver|delivery (?:has )?fail|delivery status|delivery (?:problem|report"
    r"|notification|error|delay)|failure notice"
    r"|returned (?:mail|to sender|message|email)|return(?:ed)? mail|mail delivery|delivery of your"
    r"|could ?n.t (?:be|send)|cannot (?:be )?(?:send|deliver)"
    r"|undelivered|unable to deliver|mail (?:system )?error|message (?:delivery )?(?:fail|delayed)"
    r"|mail fail|nondeliverable|non.?delivery|bounced"
    r"|user unknown|address error|delayed (?:mail|message)|warning: (?:message|could not)|unzustellbar"
    r"|nicht zustellbar|zustellung|rückläufer"
    r"|non remis|échec|echec|impossible de remettre|no se (?:puede|pudo) entregar|no entregad|devuelto"
    r"|devolu|falha na entrega|não entregue"
    r"|mancato recapito|impossibile recapitare|onbestelbaar|niet (?:bezorgd|afgeleverd)"
    r"|kan inte leverera|olevererbar|kunne ikke leveres"
    r"|niedostarcz|nie (?:można|udało się) dostarczy|не доставлен|недоставлен|сбой доставки"
    r"|ошибка доставки|退信|无法(?:投递|送达)|投递失败|退回"
    r"|配信(?:不能|失敗|できません|エラー)|送信できません|未送达|تعذر (?:ال)?تسليم|لم يتم تسليم|ڈیلیور نہیں|پہنچ نہیں"
    r"|iletilemedi|teslim edilemedi"
    r"|mail could not|mail receiving|message status|smtp error|error mail|notification of (?:limited"
    r"|failed)|no such (?:user|account)"
    r"|delivery failure|mailbox (?:full|unavailable)|permanent(?:ly)? fail|message refused|mail status"
    r"|rejected|blocked|failed mail|エラー通知|failure delivery|no such address",
    re.I,
)
_PROSE = re.compile(
    r"could not be delivered|not delivered to|did not (?:exactly )?match|couldn.t be delivered"
    r"|was not delivered|wasn.t delivered|not been delivered"
    r"|undeliverable|unable to deliver"
    r"|delivery (?:to the following|failed|has failed)|failed (?:permanently|recipients?)"
    r"|permanent (?:fatal )?error|qmail-send program|user unknown"
    r"|no such user|mailbox (?:is )?(?:full|unavailable|not found)|does not exist"
    r"|did not reach the following|unknown (?:user|recipient|address)"
    r"|returned (?:to you )?(?:because|undelivered|without)|unrouteable address"
    r"|message (?:delivery )?(?:has been )?(?:delayed|rejected)"
    r"|following (?:address(?:es|\(es\))?|recipient)|wasn.t able to deliver|cannot (?:be )?deliver"
    r"|550[ -]|554[ -]|5\.1\.1|5\.\d\.\d"
    r"|nicht zugestellt|konnte nicht|n'a pas pu|no se pudo|non è stato|не (?:была? )?доставлен|配信でき|無法"
    r"|无法|could not be sent|returned mail"
    r"|problems? (?:occurred )?(?:during|delivering)|invalid (?:recipient|address|final delivery userid)"
    r"|not listed in|recipient",
    re.I,
)
# How machines begin; a person who complains about a bounce does not.
_TEMPLATE = re.compile(
    r"^[\s*-]*(?:non-?delivery report|(?:the e?mail below |your (?:message"
    r"|mail) )?could not (?:deliver message|be delivered) to the following"
    r"|your message\s+to:\s|this is the .{1,60}(?:mail agent|mail system|program)"
    r"|error: invalid user address|failed recipient|delivery (?:has )?failed"
    r"|(?:i.m )?afraid i wasn.t able to deliver|delivery of (?:this )?e?mail to"
    r"|unable to deliver message to the following|this is an? (?:advisory|automatically"
    r" generated delivery)|duplicated message-id in|your (?:mail|message) (?:to .{1,80} )?(?:cannot"
    r"|could not|can.t) be delivered)",
    re.I,
)
_ANSWERED = re.compile(r"^\s*(?:re|fwd?|aw|wg|sv|tr|rv|rif|antw|رد|جواب|回复|答复|转发)\s*[:\uff1a]", re.I)
_TEMPORARY = re.compile(
    r"warning: (?:message|could not send)|warning message only|do not need to resend|will (?:be retried"
    r"|keep trying|continue to (?:be )?(?:tr|att)|retry)"
    r"|has been delayed|delivery (?:is |temporarily |has been )?(?:delayed|suspended)|still (?:being"
    r"|trying|in the queue|not been delivered)|not yet been delivered|temporarily deferred"
    r"|has been postponed|will continue to try|temporary (?:fail|problem|error)|trying to deliver"
    r"|no action is required on your part|attempts? will continue|delivery attempts will continue"
    r"|отложен",
    re.I,
)
_COPY = re.compile(
    r"^[ \t>]*(?:-{2,}.{0,40}(?:below this line|copy of|original message|unsent message"
    r"|returned (?:message|mail)|message (?:follows|header|text)|forwarded|undelivered message"
    r"|headers? (?:of|follow)).{0,80}$"
    r"|(?:your )?original (?:message|mail|text)(?: headers?)?(?: (?:follows?|is|was).{0,60})?:?[ \t]*-*$"
    r"|\[?original message headers?.{0,40}$|message headers? follows?.{0,20}$|-+ ?header of the .{0,60}$"
    r"|-- the header and top .{0,60}$"
    r"|the (?:header|body|text) of (?:the|your) (?:original )?(?:message|mail).{0,60}$|return-path: "
    r"|received: (?:from|by|\())",
    re.I | re.M,
)
_ADDRESS = r"[A-Za-z0-9.!#$%&'*+/=?^_`{|}~-]{1,64}@(?:\[[\d.]+\]|[A-Za-z0-9-]+(?:\.[A-Za-z0-9-]+)*\.?)"
_ANY_ADDRESS = re.compile(_ADDRESS)
_FIELD = re.compile(
    rf"^[ \t]*(?:final-recipient|original-recipient|x-actual-recipient"
    rf"|x-failed-recipients?)[ \t]*:[ \t]*(?:[\w-]+[ \t]*;[ \t]*)?<?({_ADDRESS})",
    re.I | re.M,
)
_STRONG = (
    re.compile(rf"^[ \t>*-]*<({_ADDRESS})>[ \t]*(?::|\.\.\.|$|\()", re.M),
    re.compile(
        rf"^[ \t*-]*(?:\d+[ \t]+)?[<\[\"']?({_ADDRESS})[>\]\"']?[ \t]*"
        r"(?:$|[:;,][ \t]*$|\.\.\.|:|[-(,][ \t]*\w|[ \t]{2}\S|[ \t]on[ \t]|<)",
        re.M,
    ),
    re.compile(
        rf"\b(?:rcpt to|deliver(?:ed|ing|y)?[^\n@]{{0,40}} to|recipient|address|user|mailbox|account"
        rf"|message to|mail to|attempts|for)\b[ \t]*"
        rf"(?:(?:is|was)[ \t]*)?(?:[:=][ \t]*)?(?:[\"'(\[]|<|smtp;|rfc822;)?({_ADDRESS})",
        re.I,
    ),
    re.compile(rf"[<\"'(\[]({_ADDRESS})[>\"')\]]"),
    re.compile(rf"^[ \t]*to[ \t]*:[ \t]*<?({_ADDRESS})", re.M | re.I),
    re.compile(rf"(?<![\w.+-])({_ADDRESS})"),
)
_ORIGINAL_ID = re.compile(r"^[ \t>|]*message-id[ \t]*:\s{0,5}<([^<>\s]{1,500})>", re.I | re.M)
_GROUPS = re.compile(rb"\r?\n[ \t]*\r?\n")
_REPORT_KINDS = ("message/delivery-status", "message/global-delivery-status", "message/xdelivery-status")
_ORIGINAL_KINDS = (
    "message/rfc822",
    "text/rfc822-headers",
    "message/global",
    "message/global-headers",
    "text/rfc822-header",
)


def find_bounce(root: Part, text: str, sender: str, name: str, own: frozenset[str] = frozenset()) -> Bounce | None:
    """The bounce that a mail is, or None. `text` is its readable body, `sender` and `name` its author."""
    reports = [part for part in root.walk() if part.kind in _REPORT_KINDS] if root.kind.startswith("multipart/") else []
    if not reports and (_DAEMON.match(sender.partition("@")[0]) or not sender):
        # A gateway that wraps somebody else's report
        for part in root.children[:5]:
            if part.kind == "message/rfc822" and b"delivery-status" in part.data[:_LOOK]:
                reports += [
                    inner for inner in read_tree(part.data[:1_000_000], []).walk() if inner.kind in _REPORT_KINDS
                ]
    for report in reports[:5]:
        found = _read_report(report.data[: 4 * _LOOK], own)
        if found is not None:
            recipients, temporary, diagnostic = found
            if not recipients:
                recipients, _ = _from_prose(text, sender, own)
            return Bounce(recipients, temporary, _original_id(root, text), diagnostic)
    if reports and _only_success(reports[0].data[:_LOOK]):
        return None
    failed = root.text("x-failed-recipients")
    if failed:
        recipients = tuple(dict.fromkeys(one.lower() for one in _ANY_ADDRESS.findall(failed[:_LOOK])))
        return Bounce(
            recipients[:MAX_RECIPIENTS], _is_temporary(root, text), _original_id(root, text), _first_error(text)
        )
    if not _looks_like_one(root, text, sender, name):
        return None
    recipients, error = _from_prose(text, sender, own)
    return Bounce(recipients, _is_temporary(root, text), _original_id(root, text), error)


def is_positive_report(root: Part) -> bool:
    """Whether the mail reports that something was delivered, relayed or read (RFC 3464 success, RFC 8098)."""
    if root.kind != "multipart/report":
        return False
    return any(part.kind in (*_REPORT_KINDS, "message/disposition-notification") for part in root.walk())


def _fields(block: bytes) -> dict[str, str]:
    headers, _ = read_headers(block, 0, len(block))
    return {name: plain(values[0]) for name, values in headers.items()}


def _read_report(data: bytes, own: frozenset[str]) -> tuple[tuple[str, ...], bool, str] | None:
    groups: dict[bool, dict[str, None]] = {False: {}, True: {}}  # who failed, and who is only late
    diagnostics = {False: "", True: ""}
    failed = delayed = False
    for block in _GROUPS.split(data.strip())[: 2 * MAX_RECIPIENTS]:
        fields = _fields(block.strip(b"\r\n"))
        action = fields.get("action", "").lower().split(" ")[0].strip("()")
        status = fields.get("status", "").strip()[:1]
        if not action and "final-recipient" not in fields and "original-recipient" not in fields:
            continue
        if action in ("delivered", "relayed", "expanded", "deliverable") or (not action and status == "2"):
            continue
        late = action == "delayed" or (action not in ("failed", "failure", "fail") and status == "4")
        delayed, failed = delayed or late, failed or not late
        recipients = groups[late]
        for key in ("final-recipient", "original-recipient", "x-actual-recipient"):
            value = fields.get(key, "")
            address = _ANY_ADDRESS.search(value.partition(";")[2] or value)
            if address and address[0].lower() not in own:
                if key != "x-actual-recipient" or not recipients:
                    recipients.setdefault(address[0].lower().rstrip("."))
        diagnostics[late] = (
            diagnostics[late] or fields.get("diagnostic-code", "").partition(";")[2].strip() or fields.get("status", "")
        )
    if not failed and not delayed:
        return None
    late = not failed
    return tuple(groups[late])[:MAX_RECIPIENTS], late, diagnostics[late][:1000]


def _only_success(data: bytes) -> bool:
    return bool(re.search(rb"^action[ \t]*:[ \t]*(?:delivered|relayed|expanded|deliverable)", data, re.I | re.M))


def _looks_like_one(root: Part, text: str, sender: str, name: str) -> bool:
    """Prose bounces need two signs: who speaks (a daemon, or nobody to answer to) and what is said."""
    local = sender.partition("@")[0].lower()
    if root.text("from").strip(' "') in ("<>", "") or not local:
        name += " " + root.text("from")
    back = root.first("return-path").strip().lower() if "return-path" in root.headers else b"?"
    nobody = back in (b"<>", b"", b"<mailer-daemon>", b"<#@[]>") or b"mailer-daemon" in back
    daemon = bool(_DAEMON.match(local)) or bool(_DAEMON_NAME.search(name))
    if not daemon and _NO_REPLY.match(local):
        daemon = any(part.kind in _ORIGINAL_KINDS for part in root.children)
    subject = bool(_SUBJECT.search(root.text("subject")))
    head = text[:4000]
    if root.kind == "multipart/report" and root.params.get("report-type", "").lower() in ("delivery-status", ""):
        return subject or bool(_PROSE.search(head))
    if any(part.kind in ("text/rfc822-headers",) for part in root.children) and (daemon or nobody):
        return True
    if daemon or nobody:
        return bool(_PROSE.search(text[:_LOOK]) or _TEMPORARY.search(head)) and (
            subject or (daemon and (nobody or bool(_TEMPLATE.search(head))))
        )
    return bool(_TEMPLATE.search(head)) and (subject or not sender) and not _ANSWERED.match(root.text("subject"))


def _is_temporary(root: Part, text: str) -> bool:
    subject = root.text("subject")
    if re.search(r"\bwarning\b|delayed|\bdelay\b|verzögert", subject, re.I) and not re.search(
        r"fail|returned", subject, re.I
    ):
        return True
    copy = _COPY.search(text, 0, _LOOK)
    return bool(_TEMPORARY.search(text, 0, min(copy.start() if copy else 4000, 4000))) and not re.search(
        r"fail|returned mail|undeliver", subject, re.I
    )


def _from_prose(text: str, sender: str, own: frozenset[str]) -> tuple[tuple[str, ...], str]:
    head = text[:_LOOK]
    copy = next((found for found in _COPY.finditer(head) if found.start() > 40 and "@" in head[: found.start()]), None)
    said = head[: copy.start()] if copy else head
    never = {sender.lower(), *own}

    def usable(found: list[str]) -> dict[str, None]:
        return dict.fromkeys(
            one.lower().rstrip(".")
            for one in found
            if one.lower() not in never
            and not _DAEMON.match(one.partition("@")[0].lower())
            and "." in one.partition("@")[2]
        )

    recipients = usable(_FIELD.findall(head))
    for pattern in _STRONG:
        if recipients:
            break
        recipients = usable(pattern.findall(said))
    return tuple(recipients)[:MAX_RECIPIENTS], _first_error(said)


def _first_error(text: str) -> str:
    match = re.search(r"^.*(?:\b[45]\d\d[ -]|\b[45]\.\d{1,3}\.\d{1,3}\b).*$", text[:_LOOK], re.M)
    return " ".join(match[0].split())[:1000] if match else ""


def _original_id(root: Part, text: str) -> str:
    for part in root.walk():
        if part is not root and part.kind in _ORIGINAL_KINDS:
            block = part.data[:65536].lstrip(b"\r\n")
            headers, _ = read_headers(block, 0, len(block))
            if headers.get("message-id"):
                return message_id(headers["message-id"][0])
    for part in root.walk():
        if part.kind in _REPORT_KINDS:
            match = re.search(rb"^(?:x-)?original-message-id[ \t]*:[ \t]*<([^<>\s]+)>", part.data[:_LOOK], re.I | re.M)
            if match:
                return decode(match[1])
    quoted = _ORIGINAL_ID.search(text, 0, 4 * _LOOK)
    return quoted[1] if quoted else ""
