"""What sort of mail this is, and whether anything automatic may answer it (RFC 3834, RFC 2919, RFC 2369, RFC 5965)."""

from __future__ import annotations

import re

from channels_email.mime.bounces import find_bounce, is_positive_report
from channels_email.mime.parts import Part
from inbox.adapters import Bounce, Kind

_MACHINE = (
    "x-autoreply", "x-autorespond", "x-autoresponder", "x-autoreply-from", "x-mail-autoreply", "x-autoreply-domain",
    "x-auto-reply-from", "x-vacation", "x-auto-reply",
)  # fmt: skip
_LIST = (
    "list-id",
    "list-post",
    "list-unsubscribe",
    "list-help",
    "list-subscribe",
    "mailing-list",
    "x-mailing-list",
    "x-mailman-version",
)
_SUBJECT = re.compile(
    r"^\s*(?:(?:re|aw|sv|antw|rif|odp|رد|جواب)\s*:\s*)?\W{0,3}"
    r"(?:auto(?:mat(?:ic|ed)|matisch|matique|mática|matica)?[ -]?(?:repl(?:y|ied)|response|respons"
    r"|respond(?:er)?|antwort|svar)\b"
    r"|automati(?:c|sche|sk|sch)\w* (?:reply|response|antwort|svar|antwoord)|automatic reply"
    r"|réponse automatique|respuesta automática"
    r"|risposta automatica|resposta automática|automatische antwort|automatisch antwoord|autosvar"
    r"|automatisk svar|automatiskt svar|automaattinen vastaus"
    r"|odpowiedź automatyczna|automatyczna odpowiedź|автоответ|автоматический ответ|自动(?:回复|答复)|自動(?:回覆"
    r"|応答|返信)|자동 ?(?:응답|회신)"
    r"|رد تلقائي|الرد التلقائي|خودکار جواب|پاسخ خودکار|otomatik yanıt|out of (?:the )?office"
    r"|i am out of (?:the )?office|ooo\s*:|vacation\s*:"
    r"|away from (?:my|the) (?:mail|office|desk)|abwesenheits|abwesend|abwesenheitsnotiz"
    r"|absence du bureau|absent du bureau|fuera de (?:la )?oficina"
    r"|fuori (?:sede|ufficio)|ausência|fora do escritório|afwezig(?:heid)?\b|frånvaro|fravær|poza biurem"
    r"|нет на работе|away until)",
    re.I,
)
_NOBODY = re.compile(
    r"^(?:no[._-]?reply|do[._-]?not[._-]?reply|mailer-daemon|postmaster|noreply.*|bounces?[+-].*"
    r"|.*-bounces?|auto(?:reply|respond(?:er)?))$",
    re.I,
)


def classify(
    root: Part, text: str, sender: str, name: str, own: frozenset[str] = frozenset()
) -> tuple[Kind, bool, Bounce | None]:
    """(kind, whether automatic answers must stay away, the bounce). `text` is the readable body."""
    headers = root.headers
    report = root.params.get("report-type", "").lower() if root.kind == "multipart/report" else ""
    if report == "feedback-report" or any(part.kind == "message/feedback-report" for part in root.children):
        return "feedback_report", True, None
    bounce = find_bounce(root, text, sender, name, own)
    submitted = root.text("auto-submitted").lower().split(";")[0].strip() if "auto-submitted" in headers else ""
    machine = submitted not in ("", "no")
    precedence = root.text("precedence").lower().strip() if "precedence" in headers else ""
    if bounce is not None and not (submitted == "auto-replied" and _is_vacation(root) and not bounce.recipients):
        return "bounce", True, bounce
    if machine or _is_vacation(root) or precedence.replace("-", "_") == "auto_reply" or report:
        return "auto_reply", True, None
    if is_positive_report(root):
        return "auto_reply", True, None
    listed = any(one in headers for one in _LIST) or precedence == "list"
    if listed:
        return "list", True, None
    return "message", _must_stay_silent(root, precedence, sender), None


def _is_vacation(root: Part) -> bool:
    for one in _MACHINE:
        if one in root.headers and root.text(one).lower() not in ("no", "0", "false"):
            return True
    if root.text("x-post-messageclass").lower().endswith("autoresponder"):
        return True
    if "autoresponder" in root.text("delivered-to").lower():
        return True
    return bool(_SUBJECT.match(root.text("subject")[:200]))


def _must_stay_silent(root: Part, precedence: str, sender: str) -> bool:
    headers = root.headers
    if precedence in ("bulk", "junk", "list"):
        return True
    if "feedback-id" in headers or "x-rabta-loop" in headers:
        return True
    suppress = root.text("x-auto-response-suppress").lower() if "x-auto-response-suppress" in headers else ""
    if suppress and suppress != "none":
        return True
    if "return-path" in headers and headers["return-path"][0].strip() == b"<>":
        return True
    return bool(_NOBODY.match(sender.partition("@")[0]))
