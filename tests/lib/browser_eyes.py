"""Looks at HTML as a browser would (html5lib) and says what in it could do harm."""

from __future__ import annotations

import html
import re

import html5lib

ACTIVE = frozenset(
    "script iframe object embed base meta link form frame frameset applet style svg math template".split()
)
URLS = frozenset("href src action formaction background poster xlink:href data srcset cite longdesc".split())
_NOISE = re.compile("[\x00-\x20\u200b-\u200f\u2028\u2029]")
_SCHEMES = ("javascript:", "vbscript:", "livescript:", "mocha:", "data:text", "data:application", "data:image/svg")
_STYLE = re.compile(
    r"position\s*:\s*(?:fixed|absolute|sticky)|expression\s*\(|javascript:|-moz-binding|@import|url\s*\(", re.I
)


def unsafe(fragment: str) -> str | None:
    """What is wrong with a fragment of HTML, or None."""
    tree = html5lib.parseFragment(fragment, treebuilder="etree", namespaceHTMLElements=False)
    for node in tree.iter():
        if not isinstance(node.tag, str):
            return "a comment"
        name = node.tag.rpartition("}")[2].lower()
        if name in ACTIVE:
            return f"<{name}>"
        for key, value in node.attrib.items():
            attribute = (key if isinstance(key, str) else key[-1]).rpartition("}")[2].lower()
            if attribute.startswith("on") or attribute == "srcdoc":
                return attribute
            if attribute in URLS and _NOISE.sub("", html.unescape(value or "")).lower().startswith(_SCHEMES):
                return f"{attribute}={value[:40]}"
            if attribute == "style" and _STYLE.search(value or ""):
                return f"style {value[:40]}"
    return None
