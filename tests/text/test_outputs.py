"""Whatever code writes, its outputs stay text, tables and pictures, and the page stays a page."""

from __future__ import annotations

import base64
import html
import re
import struct
import time
from html.parser import HTMLParser

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from markbook.text.clean import OUTPUT_TAGS, clean_html
from markbook.text.outputs import Allowance, render_outputs
from markbook.text.pictures import picture

VOID = {"br", "hr", "img"}
OURS = {"pre": {"class", "role", "aria-label", "tabindex"}, "div": {"class", "role", "aria-label",
        "tabindex"}, "p": {"class"}, "details": {"class"}, "summary": set(), "span": {"class"},
        "img": {"class", "alt", "width", "height", "src"}, "td": {"colspan", "rowspan"},
        "th": {"colspan", "rowspan"}, "ol": {"start"},
        "iframe": {"class", "sandbox", "title", "srcdoc"}}  # fmt: skip
DATA = re.compile(r"data:image/(png|jpeg|gif|svg\+xml);base64,[A-Za-z0-9+/]+={0,2}")


class Audit(HTMLParser):
    """What of a fragment is not allowed, and its words."""

    def __init__(self, fragment: str) -> None:
        super().__init__(convert_charrefs=True)
        self.bad: list[str] = []
        self.words = ""
        self.tags: list[str] = []
        self._open: list[str] = []
        self.feed(fragment)
        self.close()
        self.bad += [f"<{tag}> stays open" for tag in self._open]

    def handle_starttag(self, tag, attrs):
        self.tags.append(tag)
        if tag not in OUTPUT_TAGS | OURS.keys():
            self.bad.append(tag)
        if tag == "iframe":
            self.handle_frame(dict(attrs))
        for name, value in attrs:
            if name not in OURS.get(tag, set()):
                self.bad.append(f"{tag} {name}={value}")
            if name == "src" and not DATA.fullmatch(value or ""):
                self.bad.append(f"{tag} {name}={value}")
        if tag not in VOID:
            self._open.append(tag)

    def handle_frame(self, attrs):
        """Look into a frame, too: it may hold what stands outside, and acts as little."""
        if attrs.get("sandbox") != "" and attrs.get("sandbox") is not None:
            self.bad.append(f"sandbox={attrs['sandbox']}")
        head, style, inside = attrs["srcdoc"].partition("</style>")
        if "default-src 'none'" not in head or not style:
            self.bad.append("a frame without a policy")
        inner = Audit(inside)
        self.bad += inner.bad
        self.tags += inner.tags
        self.words += inner.words

    def handle_endtag(self, tag):
        if tag not in VOID and (not self._open or self._open.pop() != tag):
            self.bad.append(f"</{tag}>")

    def handle_data(self, data):
        self.words += data

    def handle_comment(self, data):
        self.bad.append(f"comment {data}")

    def handle_decl(self, decl):
        self.bad.append(f"declaration {decl}")

    handle_pi = unknown_decl = handle_decl


def shown(*outputs, **options):
    rendered = render_outputs(outputs, Allowance(), **options)
    audit = Audit(rendered)
    assert audit.bad == []
    return rendered


def words(*outputs, **options):
    return Audit(shown(*outputs, **options)).words


def stream(text, name="stdout"):
    return {"output_type": "stream", "name": name, "text": text}


def display(data, **metadata):
    return {"output_type": "display_data", "data": data, "metadata": metadata}


def png(width=3, height=2, more=b"data"):
    return b"\x89PNG\r\n\x1a\n\x00\x00\x00\rIHDR" + struct.pack(">II", width, height) + more


def encoded(content):
    return base64.encodebytes(content).decode()


# --- anything at all ----------------------------------------------------------------------------

ATTACKS = st.sampled_from(
    [
        "<script>alert(1)</script>", "<img src=x onerror=alert(1)>", "<svg onload=alert(1)>",
        "</pre></div></details>", "<a href='https://evil.example'>x</a>", "<style>*{}</style>",
        "<math><mtext><table><mglyph><style><img src=x onerror=alert(1)>", "<table><tr><td>1",
        "<iframe srcdoc='<script>1</script>'>", "<p style='background:url(//e.example)'>x",
        "<form action=//e.example><input>", "<h1 id=top onclick=x>t</h1>", "<base href=//e>",
        '<noscript><p title="</noscript><img src=x onerror=alert(1)>">', "<!-- --><script>",
        "<td colspan='99999999999' rowspan=-1>x</td>", "<textarea><b>", "<plaintext>", "<title>",
        "\x1b[31m", "\x1b]8;;https://evil.example\x07x\x1b]8;;\x07", "\r", "\b", "\u202e", "\x00",
        "\ud800", "![x](https://e.example/p.png)", "[x](javascript:alert(1))", "&lt;script&gt;",
        "iVBORw0KGgo=", '<svg xmlns="http://www.w3.org/2000/svg"><script>1</script></svg>',
        '<svg xmlns="http://www.w3.org/2000/svg"><path d="M0 0"/></svg>',
    ]
)  # fmt: skip
TEXTS = st.lists(st.one_of(ATTACKS, st.text(max_size=20)), max_size=5).map("".join)
VALUES = st.one_of(
    TEXTS, st.lists(TEXTS, max_size=3), st.none(), st.integers(), st.lists(st.integers())
)
KINDS = st.sampled_from(
    ["text/plain", "text/html", "text/markdown", "text/latex", "image/png", "image/jpeg",
     "image/gif", "image/svg+xml", "application/javascript", "application/json", "x"]
)  # fmt: skip
OUTPUTS = st.one_of(
    VALUES,
    st.fixed_dictionaries(
        {"output_type": st.sampled_from("stream error display_data execute_result x".split())},
        optional={
            "name": VALUES, "text": VALUES, "ename": VALUES, "evalue": VALUES, "traceback": VALUES,
            "data": st.one_of(VALUES, st.dictionaries(KINDS, VALUES)),
            "metadata": st.one_of(
                VALUES, st.dictionaries(KINDS, st.dictionaries(st.just("width"), VALUES))
            ),
        },
    ),
)  # fmt: skip


@settings(max_examples=600, deadline=None)
@given(st.lists(OUTPUTS, max_size=4))
def test_no_output_makes_a_script_a_handler_or_an_address(outputs):
    shown(*outputs)


@settings(max_examples=400, deadline=None)
@given(TEXTS)
def test_clean_html_is_stable_and_keeps_only_what_is_allowed(markup):
    cleaned = clean_html(markup)
    assert Audit(cleaned).bad == []
    # Read once more it has the same elements: no parser makes others of it than this one did.
    again = [tag for tag in Audit(clean_html(cleaned)).tags if tag != "span"]
    assert again == [tag for tag in Audit(cleaned).tags if tag != "span"]


@given(st.sampled_from(["image/png", "image/jpeg", "image/gif"]), st.binary(max_size=60))
def test_only_bytes_that_are_a_picture_become_one(kind, content):
    heads = {"image/png": b"\x89PNG", "image/jpeg": b"\xff\xd8\xff", "image/gif": b"GIF8"}
    if not content.startswith(heads[kind]):
        assert picture(kind, encoded(content)) == ""


# --- text ---------------------------------------------------------------------------------------


def test_pieces_of_one_stream_are_one_block_and_stderr_says_what_it_is():
    rendered = shown(stream(["a\n", "b"]), stream("c\n"), stream("careful", "stderr"))
    assert rendered.count("<pre") == 2
    assert "a\nbc</pre>" in rendered
    assert "standard error" in rendered


def test_colours_links_and_cursor_codes_are_gone_and_other_controls_are_named():
    text = words(
        stream("\x1b[1;31mred\x1b[0m \x1b]8;;https://x.example\x1b\\link\x1b]8;;\x1b\\ \x07!")
    )
    assert text == "red link U+0007!"


def test_a_progress_bar_leaves_its_last_state():
    assert words(stream("10 %\r50 %\r100 %\ndone\n")) == "100 %\ndone"
    assert words(stream("abc\b\bX")) == "aX"


def test_long_output_is_folded_and_endless_output_cut_with_a_sentence():
    assert "<details" not in shown(stream("line\n" * 10))
    folded = shown(stream("line\n" * 100))
    assert "<summary>Output (100 lines)</summary>" in folded
    assert "not shown" not in folded
    endless = shown(stream("line\n" * 100_000))
    assert "500,000 characters in all" in endless
    assert len(endless) < 5_000
    assert len(shown(stream("x" * 50_000_000))) < 25_000


@pytest.mark.parametrize("text", ["\b" * 400_000, "\r" * 400_000, "ab\r" * 130_000,
                                  "\x1b[" * 200_000, "<" * 400_000,
                                  "\x1b]" * 200_000, "<div>" * 40_000, "<!--" * 50_000,
                                  "\x01a" * 200_000])  # fmt: skip
def test_no_output_takes_long(text):
    begin = time.process_time()
    svg = f"<svg>{text}</svg>"
    outputs = [
        stream(text),
        display({"text/html": text[:190_000]}),
        display({"image/svg+xml": svg}),
    ]
    render_outputs(outputs, Allowance(), hides=lambda _text: False)
    assert time.process_time() - begin < 2


def test_more_outputs_than_a_page_holds_end_with_a_sentence():
    allowance = Allowance(outputs=3)
    rendered = render_outputs([display({"text/plain": str(n)}) for n in range(9)], allowance)
    assert rendered.count("<pre") == 3
    assert "more than a page can hold" in rendered
    assert "more than a page can hold" in render_outputs([stream("later")], allowance)


def test_an_output_too_large_for_the_page_makes_room_for_the_next():
    picture_ = display({"image/png": encoded(png(more=b"x" * 1000))})
    rendered = render_outputs([picture_, stream("after")], Allowance(characters=500))
    assert "larger than what a page can hold" in rendered
    assert "after" in rendered


# --- errors -------------------------------------------------------------------------------------


def error(name, value, *traceback):
    return {"output_type": "error", "ename": name, "evalue": value, "traceback": list(traceback)}


def test_an_error_shows_its_name_and_message_and_folds_its_traceback():
    rendered = shown(
        error("NameError", "name 'x'", "\x1b[31mCell In[1], line 2\x1b[0m", "<b>x</b>")
    )
    assert "<strong>NameError</strong>: name &#x27;x&#x27;</p><details" in rendered
    assert "Cell In[1], line 2\n&lt;b&gt;x&lt;/b&gt;" in rendered


def test_code_that_was_ended_says_so_in_a_sentence():
    rendered = shown(error("MarkbookStopped", "It ran longer than 30 s.", "MarkbookStopped: It"))
    assert rendered == '<p class="notice">It ran longer than 30 s.</p>'


# --- what is displayed --------------------------------------------------------------------------


def test_a_table_stays_a_table_without_its_looks_and_links():
    frame = (
        '<div><style scoped>.dataframe tbody{}</style><table border="1" class="dataframe">'
        '<thead><tr style="text-align: right;"><th colspan="2">n</th></tr></thead><tbody><tr>'
        '<td><a href="https://e.example">1</a></td></tr></tbody></table><h2>End</h2></div>'
    )
    rendered = html.unescape(shown(display({"text/html": frame, "text/plain": "   n\n0  1"})))
    assert '<th colspan="2">n</th>' in rendered
    assert "<td>1</td>" in rendered
    assert '<div class="heading">End</div>' in rendered


@pytest.mark.parametrize(
    "markup", ["<script>draw()</script>", "<canvas></canvas>", "<img src=https://e.example/x.png>",
               "<div>" * 5_000 + "x", "x" * 200_001]
)  # fmt: skip
def test_html_of_which_nothing_is_left_gives_way_to_the_next_form(markup):
    assert words(display({"text/html": markup, "text/plain": "<Chart>"})) == "<Chart>"


def test_markdown_is_rendered_and_its_links_are_words():
    rendered = html.unescape(shown(display({"text/markdown": "**b** [x](https://e.example) $x$"})))
    assert "<strong>b</strong> x $x$" in rendered


def test_latex_is_shown_as_text():
    assert words(display({"text/latex": "$\\frac{1}{2}$"})) == "$\\frac{1}{2}$"


def test_a_picture_stands_in_the_page_in_the_size_it_asks_for():
    data = encoded(png(300, 200))
    assert 'width="300" height="200" src="data:image/png;base64,iVBOR' in shown(
        display({"image/png": data, "text/plain": "<Figure>"})
    )
    half = shown(display({"image/png": data}, **{"image/png": {"width": 150, "height": 999}}))
    assert 'width="150" height="100"' in half


@pytest.mark.parametrize(
    ("kind", "content"),
    [
        ("image/png", png(100_000, 100_000)), ("image/png", png(0, 5)), ("image/png", b"GIF89a"),
        ("image/png", png(more=b"x" * 2_000_000)), ("image/jpeg", b"\xff\xd8\xff\xe0\x00\x01"),
        ("image/gif", b"GIF89a"), ("image/jpeg", png()),
    ],
)  # fmt: skip
def test_a_picture_that_is_none_or_too_big_gives_way_to_its_text(kind, content):
    assert words(display({kind: encoded(content), "text/plain": "words"})) == "words"


SVG = (
    '<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 9 9"><defs><path id="a"/></defs>{}</svg>'
)


def test_a_drawing_stands_in_an_img_where_nothing_of_it_can_act():
    text = '<?xml version="1.0"?><!-- by -->' + SVG.format(
        '<use href="#a"/><g clip-path="url(#a)"/>'
    )
    assert shown(display({"image/svg+xml": text})).count("data:image/svg+xml;base64,") == 1


@pytest.mark.parametrize(
    "inner",
    ["<script>1</script>", "<x:script>1</x:script>", '<g onload="1"/>', "<foreignObject/>",
     '<image href="https://e.example/x.png"/>', '<image xlink:href = "//e.example/x"/>',
     "<style>@import 'x';</style>", "<style>g{fill:url(https://e.example)}</style>",
     '<a href="javascript:1">x</a>', "<animate/>", "<set/>", "<?xml-stylesheet href='x'?>",
     "<![CDATA[<script>]]>", '<a href="&#x6a;avascript:1"/>', "<style>u\\72l(x)</style>",
     "<!-- never ended"],
)  # fmt: skip
def test_a_drawing_that_would_act_or_load_gives_way_to_its_text(inner):
    data = {"image/svg+xml": SVG.format(inner), "text/plain": "words"}
    assert words(display(data)) == "words"


def test_what_no_page_can_show_is_named():
    assert "application/pdf" in words(display({"application/pdf": "JVBERi0="}))


# --- secrets ------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "output",
    [
        stream(["it says sec", "ret\n"]), stream("sec\x1b[31mret"), error("Odd", "secret"),
        error("Odd", "x", "in \x1b[1msec\x1b[0mret"), display({"text/html": "sec<b>ret</b>"}),
        display({"text/html": "se&#99;ret"}), display({"x": "secret", "text/plain": "fine"}),
        error("secret", ""),
    ],
)  # fmt: skip
def test_an_output_that_gives_a_secret_away_is_left_out_with_a_sentence(output):
    text = words(output, stream("next", "stderr"), hides=lambda text: "secret" in text)
    assert text.startswith("An output is left out here")
    assert text.endswith("next")
