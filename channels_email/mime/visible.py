"""What a person newly wrote: the text without quoted mail and signature."""

from __future__ import annotations


def visible_reply(text: str, html: str, *, prefer_html: bool) -> str:
    lines = [line for line in text.split("\n") if not line.startswith(">")]
    return "\n".join(lines).strip() or text.strip()
