"""HTML from strangers made harmless on its way in, and turned from and into plain text.

Rules of what `clean` returns, on which the page relies:
- no element or attribute that runs, loads or overlays anything: only nh3's output, never anything put together by hand;
- a remote image keeps its address in `data-remote-src` and has no `src`: nothing loads until `with_remote_images`;
- an inline image keeps `src="cid:…"`, which no browser loads: `with_inline_images` puts the attachment's address there;
- links are absolute (http, https, mailto, tel, …), open in a new tab and carry rel="noopener noreferrer nofollow";
- marks by which mail programs set a quotation or a signature apart (a few classes and ids) are kept for `to_text`.
"""

from __future__ import annotations

import html as _html
import re
from collections.abc import Callable, Iterator, Mapping

import nh3

MAX_INPUT = 3_000_000  # characters; what is beyond is cut
MAX_OUTPUT = 2 * MAX_INPUT
MAX_ATTRIBUTES = 1000  # of one element
MAX_ENTITIES = 20_000  # in one stretch of text, which the parser puts together by the square
MAX_DEPTH = 800  # open elements, past which browsers and parsers get slow by the square
MAX_FORMATTING = 400_000  # copies of unclosed <b>, <font>… that HTML5 makes a parser repeat in each block

_TAGS = set(
    "a abbr acronym address article aside b bdi bdo big blockquote br caption center cite code col colgroup dd del"
    " details dfn div dl dt em figcaption figure font footer h1 h2 h3 h4 h5 h6 header hr i img ins kbd"
    " li main mark nav ol p"
    " pre q rp rt ruby s samp section small span strike strong sub summary sup table tbody td tfoot th"
    " thead time tr tt u ul"
    " var wbr".split()
)
_DROPPED = set("script style title noscript template svg math select textarea audio video iframe object applet".split())
_ATTRIBUTES: dict[str, set[str]] = {
    "*": {"style", "dir", "lang", "title", "align", "valign", "width", "height", "bgcolor", "class", "id"},
    "a": {"href", "name"},
    "img": {"src", "alt", "border", "hspace", "vspace"},
    "font": {"color", "face", "size"},
    "table": {"border", "cellpadding", "cellspacing", "summary"},
    "td": {"colspan", "rowspan", "nowrap"},
    "th": {"colspan", "rowspan", "nowrap", "scope"},
    "col": {"span"},
    "colgroup": {"span"},
    "ol": {"start", "type"},
    "ul": {"type"},
    "li": {"value"},
    "hr": {"size", "color", "noshade"},
    "blockquote": {"type"},
    "details": {"open"},
    "time": {"datetime"},
}
_SCHEMES = {"http", "https", "mailto", "tel", "sms", "cid", "data", "xmpp", "geo", "callto", "news", "ftp", "webcal"}
_STYLES = set(
    "color background-color font font-family font-size font-style font-weight font-variant line-height letter-spacing"
    " word-spacing text-align text-decoration text-indent text-transform text-align-last vertical-align white-space"
    " word-break word-wrap overflow-wrap direction unicode-bidi width height max-width max-height min-width min-height"
    " margin margin-top margin-right margin-bottom margin-left padding padding-top padding-right"
    " padding-bottom padding-left"
    " border border-top border-right border-bottom border-left border-color border-style border-width border-collapse"
    " border-spacing border-radius border-top-color border-top-style border-top-width border-left-color"
    " border-left-style"
    " border-left-width border-right-color border-right-style border-right-width border-bottom-color"
    " border-bottom-style"
    " border-bottom-width display float clear table-layout list-style-type list-style-position caption-side empty-cells"
    "".split()
)
_BAD_STYLE = re.compile(
    r"\\|url|expression|javascript|vbscript|binding|behaviou?r|import|position|image|&|<|@|-\d{3,}", re.I
)
_FUNCTION = re.compile(r"(?<![a-z-])([a-z-]*)\(", re.I)
_DISPLAYS = {"none", "block", "inline", "inline-block", "table", "table-cell", "table-row", "flex", "grid"}
_FUNCTIONS = {"rgb", "rgba", "hsl", "hsla", "calc", "min", "max", "clamp"}
_DATA_IMAGE = re.compile(r"data:image/(?:png|gif|jpe?g|webp|bmp);base64,[A-Za-z0-9+/=\s]*\Z", re.I)
_URL_NOISE = re.compile(r"[\x00-\x20\x7f-\xa0\u200b-\u200f\u2028\u2029\ufeff]+")
_SPACY = re.compile(r"[^\w:./?#@!$&'()*+,;=%~\[\]-]")

# What mail programs put around a quotation, in class or id, lower-cased.
QUOTE_MARKS = frozenset(
    "gmail_quote gmail_quote_container gmail_attr gmail_extra yahoo_quoted yahoo_quoted_begin moz-cite-prefix"
    " moz-email-headers-table outlookmessageheader divrplyfwdmsg olk_src_body_section protonmail_quote zmail_extra"
    " tutanota_quote mail_android_quote ms-outlook-mobile-reference-message mailcontainer_quote reply-quote"
    " appendonsend mail-editor-reference-message-container ymail_android_signature_quote isforwardcontent"
    " stopspelling quote quoted-plain-text wmquote divtagdefaultwrapper_quote hmquote zimbra-quote replymessage"
    " front-blockquote front_quote missive_quote intercom_quote freshdesk_quote acss_quote".split()
)
SIGNATURE_MARKS = frozenset(
    "gmail_signature moz-signature signature mobile_signature ms-outlook-mobile-signature ydp-signature sig"
    " protonmail_signature_block zm_signature outlook-mobile-signature x_signature"
    " yahoo-signature mail_signature".split()
)
_MARKS = QUOTE_MARKS | SIGNATURE_MARKS
_PREFIXED = re.compile(r"^(?:x_|m_-?\d+|ydp[0-9a-f]+|yiv\d+)+")

_FORMATTING = frozenset("a b big code em font i nobr s small strike strong tt u".split())
# Within these an end tag does not reach what is open outside them (the scopes of the HTML5 parser).
_SCOPES = frozenset("table td th caption applet marquee object template select svg math button".split())
_RAW = frozenset("script style title textarea xmp iframe noembed noframes plaintext noscript".split())
_UNCOUNTED = frozenset(
    "area base br col embed hr img input link meta source track wbr p li dd dt option optgroup tr td th"
    " tbody thead tfoot"
    " colgroup html head body rp rt".split()
)
_HIDDEN = re.compile(r"<!--.*?(?:-->|\Z)|<(script|style|title|textarea|xmp|noembed)\b.*?(?:</\1\s*>|\Z)", re.S | re.I)
# A tag as HTML5 reads it: quotes only count after "=". The groups are atomic, so nothing is ever tried twice.
_ANY_TAG = re.compile(
    r"<!--(?:-?>|.*?(?:--!?>|\Z))|<(/?)([a-zA-Z][^\s/>]{0,60})((?>[^>=]++|=\s*+(?:\"[^\"]*+\"|'[^']*+')?)*+)", re.S
)
_SLASH_OR_SPACE = re.compile(r"[\s/]+")
_REMOTE_IMG = re.compile(r'<img((?: [a-z-]+="[^"]*")*?) src="((?:https?:)?//[^"]*)"', re.I)
_RESTORED_IMG = re.compile(r'(<img(?: [a-z-]+="[^"]*")*?) data-remote-src="([^"]*)"')
_CID_IMG = re.compile(r'(<img(?: [a-z-]+="[^"]*")*?) src="cid:([^"]*)"', re.I)


def _mark(value: str) -> str | None:
    kept = [name for name in value.split()[:20] if _PREFIXED.sub("", name.lower()) in _MARKS]
    return " ".join(_PREFIXED.sub("", name.lower()) for name in kept) or None


def _filter(tag: str, attribute: str, value: str) -> str | None:
    """nh3 asks for each attribute that it would let pass. What comes back is escaped by it again."""
    if attribute == "style":
        return ";".join(_declarations(value)) or None if len(value) < 8000 else None
    if attribute in ("class", "id"):
        return _mark(value)
    if attribute in ("href", "src"):
        bare = _URL_NOISE.sub("", value)
        scheme = bare.partition(":")[0].lower() if ":" in bare else ""
        if attribute == "src":
            if scheme == "data":
                return value if _DATA_IMAGE.match(value) else None
            if scheme in ("http", "https", "cid") or bare.startswith("//"):
                return bare.replace("\\", "/") if scheme != "cid" else "cid:" + bare[4:]
            return None
        if scheme in ("data", "cid") or scheme not in _SCHEMES:
            return None
        return value.strip() if bare != value else value
    return value


_cleaner = nh3.Cleaner(
    tags=_TAGS,
    clean_content_tags=_DROPPED,
    attributes=_ATTRIBUTES,
    attribute_filter=_filter,
    url_schemes=_SCHEMES,
    filter_style_properties=_STYLES,
    link_rel="noopener noreferrer nofollow",
    set_tag_attribute_values={"a": {"target": "_blank"}},
)


def _declarations(style: str) -> Iterator[str]:
    for declaration in style.split(";"):
        name, colon, value = declaration.partition(":")
        name = name.strip().lower()
        if not colon or name not in _STYLES or _BAD_STYLE.search(value):
            continue
        if "(" in value and any(called[1].lower() not in _FUNCTIONS for called in _FUNCTION.finditer(value)):
            continue
        if name == "display" and value.strip().lower() not in _DISPLAYS:
            continue
        yield f"{name}:{value.strip()}"


class TooComplex(ValueError):
    """The markup is built to make every HTML5 parser slow; show its text instead."""


def clean(source: str) -> str:
    """Foreign HTML as harmless HTML, by the rules at the head of this module. Raises TooComplex for a parser bomb."""
    source = source[:MAX_INPUT]
    if "\x00" in source:
        source = source.replace("\x00", "")
    if len(source) > 20_000 or source.count("<") > 500:
        _weigh(source)
    out = _cleaner.clean(source)
    if len(out) > MAX_OUTPUT:
        raise TooComplex("it grows too much when it is written out")
    if "<img" in out:
        out = _REMOTE_IMG.sub(r'<img\1 data-remote-src="\2"', out)
    return out.strip()


def _weigh(source: str) -> None:
    """Estimate in one pass how deep elements nest and how often formatting is repeated; raises TooComplex.

    Where it cannot know it errs upwards: start tags always count, end tags only where a parser would heed them.
    """
    if source.count("&") > MAX_ENTITIES and max(run.count("&") for run in source.split("<")) > MAX_ENTITIES:
        raise TooComplex("too many character references in one stretch")
    depth = cost = formatting = 0
    counts: dict[str, int] = {}
    scopes: list[tuple[str, dict[str, int]]] = []
    raw = ""
    for match in _ANY_TAG.finditer(source):
        if match[2] is None:
            continue
        name = match[2].lower()
        if match[1]:
            if raw:
                raw = "" if name == raw else raw
                continue
            if name in _SCOPES and any(scope == name for scope, _ in scopes[-50:]):
                while scopes and scopes.pop()[0] != name:
                    pass
            if counts.get(name, 0) > (scopes[-1][1].get(name, 0) if scopes else 0):
                counts[name] -= 1
                depth -= 1
                formatting -= name in _FORMATTING
            continue
        cost += formatting + 1
        if len(match[3]) > 200:
            attributes = max(match[3].count("="), len(_SLASH_OR_SPACE.split(match[3][:100_000])))
            if attributes > MAX_ATTRIBUTES:
                raise TooComplex("an element has too many attributes")
            cost += attributes * attributes // 50 if attributes > 100 else 0
        if name in _RAW:
            raw = raw or name
        if name in _SCOPES and not raw:
            if name in ("td", "th", "caption") and scopes and scopes[-1][0] in ("td", "th", "caption"):
                scopes.pop()
            scopes.append((name, dict(counts)))
        if name not in _UNCOUNTED:
            counts[name] = counts.get(name, 0) + 1
            depth += 1
            formatting += name in _FORMATTING
        if depth > MAX_DEPTH:
            raise TooComplex("elements nest too deep")
        if cost > MAX_FORMATTING + 2 * len(source):
            raise TooComplex("formatting is repeated too often")


def remote_images(cleaned: str) -> int:
    """How many images of cleaned HTML wait for the reader's click."""
    return cleaned.count(" data-remote-src=")


def with_remote_images(cleaned: str) -> str:
    """Cleaned HTML whose remote images load. For the click of "Show images", never before."""
    return _RESTORED_IMG.sub(r'\1 src="\2" referrerpolicy="no-referrer" loading="lazy"', cleaned)


def with_inline_images(cleaned: str, address: Mapping[str, str] | Callable[[str], str]) -> str:
    """Cleaned HTML whose cid: images show the attachment at `address[content_id]`; unknown ones lose their src."""
    look = address.get if isinstance(address, Mapping) else address

    def replaced(match: re.Match[str]) -> str:
        content_id = _html.unescape(match[2])
        url = look(content_id) or look(content_id.replace("%40", "@"))
        return f'{match[1]} src="{_html.escape(url)}"' if url else match[1]

    return _CID_IMG.sub(replaced, cleaned)


def content_ids(cleaned: str) -> set[str]:
    """The content ids that the inline images of cleaned HTML name."""
    return {_html.unescape(match[2]) for match in _CID_IMG.finditer(cleaned)}


_TEXT_TAG = re.compile(r"<(/?)([a-z0-9]+)([^<>]*)>")
_LOOSE_TAG = re.compile(r"<!--.*?-->|<[!/?a-zA-Z][^<>]*>", re.S)
_GAP = re.compile(r"[ \t\r\n\f]+")
_MANY_LINES = re.compile(r"\n[ \t]*(?:\n[ \t]*)+")
# While the text is put together, \x01 asks for a new line and \x02 for a new paragraph; neighbours ask once.
# Each begins where a run of blanks does, so that a long one is not read again from each of its blanks.
_LAST_BREAK = re.compile(r"(?<![\x01\x02\n \t])[ \t]*\n[ \t]*\x01")
_PARAGRAPH_EDGE = re.compile(r"(?<![ \t\x01])[ \t\x01]*\x02[ \t\x01\x02]*")
_LINE_EDGE = re.compile(r"(?<![ \t])[ \t]*\x01[ \t\x01]*")
_BLOCKS = frozenset(
    "address article aside blockquote caption center dd details div dl dt figcaption figure footer h1"
    " h2 h3 h4 h5 h6 header"
    " hr li main nav ol p pre section summary table tbody tfoot thead tr ul".split()
)
_SPACED = frozenset("p h1 h2 h3 h4 h5 h6 blockquote ul ol table pre dl".split())
_HREF = re.compile(r' href="([^"]*)"')
_ALT = re.compile(r' alt="([^"]*)"')
_CLASS = re.compile(r' (?:class|id)="([^"]*)"')


def to_text(cleaned: str, *, skip: Callable[[str, frozenset[str], str, str], str] | None = None) -> str:
    """Cleaned HTML as plain text: blocks are lines, list items get a dash, a link keeps its address where it differs.

    `skip(tag, marks, attributes, what follows)` is asked for each blockquote and each element that carries marks, and
    answers "" to keep it, "element" to leave it out, or "rest" to end the text before it.
    """
    out: list[str] = []
    at = 0
    pre = hidden = 0
    hidden_tag = ""
    link, link_start = "", 0
    for match in _TEXT_TAG.finditer(cleaned):
        closing, tag, attributes = match[1], match[2], match[3]
        if hidden:
            if tag == hidden_tag:
                hidden += -1 if closing else 1
            at = match.end()
            continue
        if match.start() > at:
            piece = cleaned[at : match.start()]
            out.append(piece if pre else _GAP.sub(" ", piece))
        at = match.end()
        if skip and not closing and (tag == "blockquote" or "class=" in attributes or "id=" in attributes):
            marks = frozenset(" ".join(_CLASS.findall(attributes)).split())
            verdict = skip(tag, marks, attributes, cleaned[at : at + 400])
            if verdict == "rest":
                at = len(cleaned)
                break
            if verdict == "element" and tag not in ("hr", "br", "img", "wbr"):
                hidden, hidden_tag = 1, tag
                continue
        if tag == "br":
            out.append("\n")
        elif tag in _BLOCKS:
            if tag == "pre":
                pre += -1 if closing else 1
                pre = max(pre, 0)
            out.append("\x02" if tag in _SPACED else "\x01")
            if tag == "li" and not closing:
                out.append("- ")
            elif tag == "hr":
                out.append("---\x01")
        elif tag in ("td", "th"):
            if closing:
                out.append(" ")
        elif tag == "img":
            alt = _ALT.search(attributes)
            if alt and alt[1].strip():
                out.append(f"[{alt[1].strip()}]")
        elif tag == "a":
            if not closing:
                href = _HREF.search(attributes)
                link, link_start = (href[1] if href else ""), len(out)
            elif link:
                shown = "".join(out[link_start:]).strip()
                bare = link.removeprefix("mailto:").removeprefix("tel:")
                if (
                    shown
                    and link.startswith(("http", "mailto:"))
                    and bare.rstrip("/") not in shown
                    and shown not in bare
                ):
                    out.append(f" <{bare}>" if len(bare) <= 200 else "")
                link = ""
    if at < len(cleaned) and not hidden:
        piece = cleaned[at:]
        out.append(piece if pre else _GAP.sub(" ", piece))
    text = "".join(out)
    if "&" in text:  # nh3 writes these five and nothing else
        text = text.replace("&nbsp;", " ").replace("&lt;", "<").replace("&gt;", ">").replace("&quot;", '"')
        text = text.replace("&amp;", "&")
    text = _LAST_BREAK.sub("\x01", text.replace("\xa0", " "))
    text = _LINE_EDGE.sub("\n", _PARAGRAPH_EDGE.sub("\n\n", text))
    if "<pre" not in cleaned:
        text = "\n".join(line.strip(" \t") for line in text.split("\n"))
    return _MANY_LINES.sub("\n\n", text).strip()


# What our own editor writes; it is shown in our own pages, in their type and colours.
_SIMPLE_TAGS = set("p br b strong i em s u a ul ol li blockquote pre code img span div".split())
_simple = nh3.Cleaner(
    tags=_SIMPLE_TAGS,
    clean_content_tags=_DROPPED,
    attributes={"*": {"dir", "lang"}, "a": {"href"}, "img": {"src", "alt"}, "ol": {"start"}},
    attribute_filter=_filter,
    url_schemes=_SCHEMES,
    link_rel="noopener noreferrer nofollow",
    set_tag_attribute_values={"a": {"target": "_blank"}},
)
_TAG_NAME = re.compile(r"<([a-z][a-z0-9]*)")
SIGNATURE = '<div dir="auto"><br>-- <br>'  # begins the signature under the HTML of a mail of ours


def is_simple(cleaned: str) -> bool:
    """Whether cleaned HTML holds nothing but text with the formatting of our own editor, and no remote image."""
    return set(_TAG_NAME.findall(cleaned)) <= _SIMPLE_TAGS and not remote_images(cleaned) and "style=" not in cleaned


def simple(cleaned: str) -> str:
    """Cleaned HTML once more, without anything but that formatting: it may stand in a page of ours."""
    return _simple.clean(cleaned)


def has_formatting(cleaned: str) -> bool:
    """Whether cleaned HTML says more than its plain text does."""
    return not set(_TAG_NAME.findall(cleaned)) <= {"p", "br"}


_LOOSE_ITEM = re.compile(r"(<li[^>]*>)<p[^>]*>(.*?)</p>", re.S)


def tight(cleaned: str) -> str:
    """Lists without a paragraph in each item, which editors put there: mail programs would space them apart."""
    return _LOOSE_ITEM.sub(r"\1\2", cleaned)


def without_signature(cleaned: str) -> str:
    """The HTML of a mail of ours as it was written, before its signature was put under it."""
    return cleaned.rpartition(SIGNATURE)[0].rstrip() if SIGNATURE in cleaned else cleaned


def strip_tags(source: str) -> str:
    """Any HTML as rough text, in linear time, for what `clean` found too complex."""
    return _html.unescape(_LOOSE_TAG.sub(" ", _HIDDEN.sub(" ", source[:MAX_INPUT]))).replace("\x00", "").strip()


_LINK = re.compile(r"\b(?:https?://|www\.)[^\s<>\"'`{}|\\^]{2,2000}", re.I)


def from_text(text: str, *, links: bool = True) -> str:
    """Plain text as HTML: everything escaped, paragraphs and line ends kept, web addresses made links."""
    paragraphs = [part for part in re.split(r"\n[ \t]*\n+", text.replace("\r\n", "\n").strip("\n")) if part.strip()]
    return "\n".join(f'<p dir="auto">{_paragraph(part, links)}</p>' for part in paragraphs)


def _paragraph(text: str, links: bool) -> str:
    out, at = [], 0
    if links and ("://" in text or "www." in text.lower()):
        for match in _LINK.finditer(text):
            url = match[0].rstrip(".,;:!?)]>۔،؛؟。、")
            if "(" in url and match[0][len(url) : len(url) + 1] == ")":
                url += ")"
            href = url if "://" in url else "https://" + url
            out.append(_lines(text[at : match.start()]))
            out.append(
                f'<a href="{_html.escape(href)}" rel="noopener noreferrer nofollow"'
                f' target="_blank">{_html.escape(url)}</a>'
            )
            at = match.start() + len(url)
    out.append(_lines(text[at:]))
    return "".join(out)


def _lines(text: str) -> str:
    return _html.escape(text, quote=False).replace("\n", "<br>\n").replace("  ", " &nbsp;")
