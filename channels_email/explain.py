"""What the system makes of a mail, for people who ask why it was handled so (the `--explain` of receive_email)."""

from __future__ import annotations

from typing import Any

from inbox.adapters import Inbound, Party


def explain(inbound: Inbound) -> dict[str, Any]:
    """JSON-ready account of a parsed mail. `thread` is empty here: only who looked for the ticket knows it."""
    bounce = inbound.bounce
    return {
        "kind": inbound.kind,
        "suppress_auto_reply": inbound.suppress_auto_reply,
        "from": _party(inbound.sender) if inbound.sender else {"name": "", "address": ""},
        "to": [_party(party) for party in inbound.to],
        "cc": [_party(party) for party in inbound.cc],
        "reply_to": [_party(party) for party in inbound.reply_to],
        "subject": inbound.subject,
        "message_id": inbound.external_id,
        "in_reply_to": inbound.in_reply_to,
        "references": list(inbound.references),
        "date": inbound.written_at.isoformat() if inbound.written_at else None,
        "language": inbound.language,
        "text": inbound.text,
        "visible_text": inbound.visible_text,
        "html": inbound.html,
        "attachments": [
            {"name": file.name, "content_type": file.content_type, "size": len(file.content), "inline": file.inline}
            for file in inbound.files
        ],
        "bounce": {
            "recipients": list(bounce.recipients),
            "temporary": bounce.temporary,
            "original_message_id": bounce.original_message_id,
        }
        if bounce
        else None,
        "thread": {"rule": "", "detail": ""},
        "warnings": list(inbound.warnings),
    }


def _party(party: Party) -> dict[str, str]:
    return {"name": party.name, "address": party.value}
