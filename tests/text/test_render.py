"""Whatever a person writes, the page stays a page, and shows all of it."""

from __future__ import annotations

import html
import re
from html.parser import HTMLParser

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from markbook.text.controls import visible_plain
from markbook.text.render import (
    ALLOWED_ATTRIBUTES,
    ALLOWED_CLASSES,
    ALLOWED_TAGS,
    highlight,
    render_markdown,
)

PAYLOADS = [
    "<script>alert(1)</script>",
    "<img src=x onerror=alert(1)>",
    "<svg/onload=alert(1)>",
    "<svg><script>alert&#40;1)</script>",
    "<iframe src='javascript:alert(1)'></iframe>",
    "<form action=//evil.example><input name=a></form>",
    "<base href=//evil.example>",
    "<meta http-equiv=refresh content='0;url=//evil.example'>",
    "<style>@import '//evil.example/x.css';</style>",
    "<link rel=stylesheet href=//evil.example/x.css>",
    "<p style='background:url(//evil.example)'>x</p>",
    "<scr<script>ipt>alert(1)</scr</script>ipt>",
    "<<script>alert(1)//<</script>",
    '<a href="java&#115;cript:alert(1)">x</a>',
    "<math><mtext><table><mglyph><style><img src=x onerror=alert(1)>",
    '<noscript><p title="</noscript><img src=x onerror=alert(1)>">',
    "<details open ontoggle=alert(1)>",
    "&lt;script&gt;alert(1)&lt;/script&gt;",
    "&#60;img src=x onerror=alert(1)&#62;",
    "[x](javascript:alert(1))",
    "[x](JaVaScRiPt:alert(1))",
    "[x](java\tscript:alert(1))",
    "[x](&#106;avascript:alert(1))",
    "[x](javascript&colon;alert(1))",
    "[x](\x01javascript:alert(1))",
    "[x](data:text/html;base64,PHNjcmlwdD4=)",
    "[x](vbscript:msgbox(1))",
    "[x](//evil.example)",
    "[x](\\\\evil.example)",
    "[x](/\\evil.example)",
    "[x](../../etc)",
    "[x](http:///)",
    "[x](https://e.example \"t' onmouseover='alert(1)\")",
    '[x](https://e.example/"onmouseover=alert(1))',
    "[x][y]\n\n[y]: javascript:alert(1)",
    "![x](https://evil.example/pixel.png)",
    "![<img src=x onerror=alert(1)>](x)",
    "[![x](https://evil.example/p.png)](javascript:alert(1))",
    "<javascript:alert(1)>",
    "<https://e.example/<script>>",
    '```"><script>alert(1)</script>\ncode\n```',
    "`</code><script>alert(1)</script>`",
    '| <script> | b |\n|---|---|\n| <img src=x> | "onx= |',
    "# <h1 onclick=x>",
    "<!-- --><script>alert(1)</script> -->",
    "<?php echo 1 ?>",
    "<![CDATA[<script>alert(1)</script>]]>",
]


class Audit(HTMLParser):
    """Collects every tag, attribute and word of a page, and what is not allowed of them."""

    def __init__(self, page: str) -> None:
        super().__init__(convert_charrefs=True)
        self.forbidden: list[str] = []
        self.words: list[str] = []
        self.marked: list[str] = []
        self._marks = 0
        self.feed(page)
        self.close()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        if tag not in ALLOWED_TAGS:
            self.forbidden.append(tag)
        self._marks += tag == "mark"
        for name, value in attrs:
            self._attribute(tag, name, value or "")

    def _attribute(self, tag: str, name: str, value: str) -> None:
        if name == "class":
            allowed = set(value.split()) <= ALLOWED_CLASSES.get(tag, frozenset())
        elif name == "href":
            allowed = tag == "a" and bool(re.match(r"https?://[^/]|mailto:", value))
        elif name == "rel":
            allowed = tag == "a" and value == "noopener noreferrer nofollow"
        elif name == "start":
            allowed = tag == "ol" and value.isdigit()
        else:
            allowed = name in ALLOWED_ATTRIBUTES.get(tag, frozenset())
        if not allowed:
            self.forbidden.append(f"{tag} {name}={value}")

    def handle_endtag(self, tag: str) -> None:
        self._marks -= tag == "mark"

    def handle_data(self, data: str) -> None:
        self.words.append(data)
        if self._marks:
            self.marked.append(data)

    def handle_comment(self, data: str) -> None:
        self.forbidden.append(f"comment {data}")

    def handle_decl(self, decl: str) -> None:
        self.forbidden.append(f"declaration {decl}")

    def handle_pi(self, data: str) -> None:
        self.forbidden.append(f"instruction {data}")

    def unknown_decl(self, data: str) -> None:
        self.forbidden.append(f"section {data}")

    @property
    def text(self) -> str:
        return "".join(self.words)


@pytest.mark.parametrize("payload", PAYLOADS)
def test_no_payload_becomes_more_than_text(payload: str) -> None:
    for text in (payload, f"- {payload}\n\n> {payload}", f"**{payload}**", f"\t{payload}"):
        pages = [render_markdown(text), highlight(text, [(0, len(text), "a"), (3, 9, "b")])]
        for page in pages:
            assert Audit(page).forbidden == []


def test_a_script_in_an_answer_is_shown_as_the_text_it_is() -> None:
    assert "<script>alert(1)</script>" in Audit(render_markdown(PAYLOADS[0])).text


_PIECES = st.sampled_from(
    [
        *PAYLOADS,
        "<",
        ">",
        '"',
        "'",
        "`",
        "```",
        "**",
        "_",
        "~~",
        "[",
        "](",
        ")",
        "!",
        "\n",
        "\n\n",
        "- ",
        "\t",
        "> ",
        "1. ",
        "|",
        "\n|-|-|\n",
        "&",
        "&#x",
        "\\",
        "http://a.b",
        "\u202e",
        "\x00",
        "\U00100001",
        "\ue000",
        "\ud800",
        "👩‍💻",
        "سلام",
        "word",
    ]
)
_TEXTS = st.one_of(st.text(), st.lists(_PIECES, max_size=12).map("".join))


@settings(max_examples=400, deadline=None)
@given(_TEXTS)
def test_no_text_gets_a_tag_or_attribute_outside_the_list(text: str) -> None:
    assert Audit(render_markdown(text)).forbidden == []


@settings(max_examples=400, deadline=None)
@given(
    _TEXTS,
    st.lists(
        st.tuples(st.integers(-5, 90), st.integers(-5, 90), st.sampled_from('ab"<')), max_size=5
    ),
)
def test_no_highlight_opens_a_door(text: str, spans: list[tuple[int, int, str]]) -> None:
    audit = Audit(highlight(text, spans, labels={"a": "1", '"': "<b>"}))
    assert audit.forbidden == []
    assert not re.search("[\U00100000-\U0010ffff]", audit.text)


@settings(max_examples=300, deadline=None)
@given(st.text(st.sampled_from("abc é1\n"), min_size=1, max_size=80), st.data())
def test_the_marked_words_are_the_words_of_the_span(text: str, data: st.DataObject) -> None:
    start = data.draw(st.integers(0, len(text)))
    end = data.draw(st.integers(start, len(text)))
    audit = Audit(highlight(text, [(start, end, "a")]))
    assert "".join("".join(audit.marked).split()) == "".join(text[start:end].split())
    assert "".join(audit.text.split()) == "".join(text.split())


def test_overlapping_spans_name_every_criterion_they_support() -> None:
    page = highlight("one two three four", [(0, 13, "a"), (4, 18, "b")])
    assert '<mark data-criterion="a b">two three</mark>' in page
    assert '<mark data-criterion="a">one </mark>' in page


def test_a_span_over_two_bullets_is_marked_in_both_and_the_list_stays_a_list() -> None:
    text = "- nobody **changed** it\n- really `nobody`"
    page = highlight(text, [(0, len(text), "a")])
    assert page.count("<li>") == 2
    assert "<strong><mark" in page
    assert "".join(Audit(page).marked) == "nobody changed itreally nobody"


def test_a_span_that_would_break_a_link_is_marked_in_the_text_as_typed() -> None:
    text = "see [the page](https://e.example/evidence) for more"
    page = highlight(text, [(30, 45, "a")])
    assert '<p class="plain">' in page
    assert "[the page](https://e.example/" in Audit(page).text


def test_a_label_stands_at_the_end_of_its_span() -> None:
    page = highlight("it proves who made it", [(3, 9, "a")], labels={"a": "2"})
    assert '<mark data-criterion="a">proves</mark><sup>2</sup> who' in page


@pytest.mark.parametrize(
    "text",
    [
        "\t- json web token\n\n\t- second\n",
        "    - json web token\n    - second",
        "  \n\t\t- json web token\n\t\t- second",
        "- json web token\n- second",
    ],
)
def test_the_indentation_of_a_paper_does_not_make_code_of_an_answer(text: str) -> None:
    assert render_markdown(text).count("<li>") == 2
    assert "<pre>" not in render_markdown(text)


def test_nested_bullets_stay_nested_also_when_the_first_line_lost_its_indentation() -> None:
    text = "- unit:\n\t\t- files\n\t- end-to-end:\n\t\t- everything"
    flat = re.sub(r"\s", "", render_markdown(text))
    inner = "<ul><li>{}</li></ul>"
    assert flat == (
        f"<ul><li>unit:{inner.format('files')}</li>"
        f"<li>end-to-end:{inner.format('everything')}</li></ul>"
    )


def test_line_breaks_of_a_student_are_kept_and_those_of_a_prompt_are_not() -> None:
    assert "<br>" in highlight("one\ntwo", [])
    assert "<br>" not in render_markdown("one\ntwo")


def test_a_line_that_looks_like_a_link_definition_is_not_swallowed() -> None:
    assert "https://e.example" in Audit(render_markdown("[1]: https://e.example")).text


@pytest.mark.parametrize(
    "deep", ["> " * 60 + "answer", "\n".join("  " * n + "- a" for n in range(40))]
)
def test_text_nested_too_deep_for_the_parser_is_shown_as_typed(deep: str) -> None:
    assert Audit(render_markdown(deep)).text.count("a") == deep.count("a")


@pytest.mark.parametrize(
    ("text", "name"),
    [
        ("pay\u202eload", "U+202E"),
        ("a\u200bb", "U+200B"),
        ("\ufeffword", "U+FEFF"),
        ("a\u2066b", "U+2066"),
        ("x\u2028y", "U+2028"),
        ("a\x07b", "U+0007"),
        ("a\ue000b", "U+E000"),
        ("a\U000e0041b", "U+E0041"),
        ("a\u3164b", "U+3164"),
        ("a\u200db", "U+200D"),
        ("a\U000e0101b", "U+E0101"),
        ("`a\u202eb`", "U+202E"),
    ],
)
def test_a_hidden_character_is_named(text: str, name: str) -> None:
    assert f'<span class="ctl">{name}</span>' in render_markdown(text)


@pytest.mark.parametrize("text", ["👩‍💻 ☕️ 👍🏽", "می‌خواهم", "क्‍ष", "naïve “quoted” 日本語", "שלום"])
def test_emoji_and_scripts_keep_the_joiners_that_they_need(text: str) -> None:
    assert Audit(render_markdown(text)).text.strip() == text


def test_a_run_of_hidden_characters_is_counted_instead_of_listed() -> None:
    assert "and 4,997 more hidden characters" in render_markdown("a" + "\u200b" * 5000 + "b")


def test_a_long_text_shows_its_beginning_and_folds_the_rest_losing_nothing() -> None:
    text = "\n\n".join(f"paragraph {n} of a very long answer" for n in range(400))
    page = render_markdown(text)
    before, _, folded = page.partition('<details class="long">')
    assert "paragraph 0 " in before
    assert "paragraph 399 " in folded
    assert all(f"paragraph {n} " in page for n in range(400))


def test_one_endless_paragraph_shows_its_beginning_too() -> None:
    page = render_markdown("start " + "word " * 5000)
    before, _, folded = page.partition("<details")
    assert "start word" in before
    assert folded.count("word") == 5000


def test_a_huge_text_is_cut_and_says_by_how_much() -> None:
    page = render_markdown("x" * 250_000)
    assert "50,000 more characters" in page
    assert len(page) < 210_000


@pytest.mark.parametrize("text", ["[" * 19_000, "![[" * 6_000, "> " * 90_000, "*a **b " * 2_500])
def test_what_is_hard_for_parsers_is_rendered_in_a_few_seconds(text: str) -> None:
    assert Audit(render_markdown(text)).forbidden == []


def test_an_empty_text_is_an_empty_page() -> None:
    assert html.unescape(render_markdown("")) == ""
    assert highlight("   \n", [(0, 4, "a")]) == ""


def test_typed_text_is_shown_as_it_was_typed():
    assert highlight("# a\n  *b*", (), typed=True) == '<p class="plain"># a\n  *b*</p>'


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("p\u0430ssword", "p\u0430[U+0430]ssword"),
        ("\u0421SRF and t\u043eken", "\u0421[U+0421]SRF and t\u043e[U+043E]ken"),
        (
            "\u041f\u0440\u0438\u0432\u0435\u0442 world",
            "\u041f\u0440\u0438\u0432\u0435\u0442 world",
        ),
        (
            "\u0394x is 5 \u03bcm, \u03bbx: \u03b1, caf\u00e9",
            "\u0394x is 5 \u03bcm, \u03bbx: \u03b1, caf\u00e9",
        ),
    ],
)
def test_a_letter_that_only_looks_latin_is_named_among_latin_ones(text, shown):
    assert visible_plain(text) == shown
    assert shown.replace("[", '<span class="ctl">').replace("]", "</span>") in highlight(text, ())
