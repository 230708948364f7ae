"""The page in a real browser: it holds on a phone, and its policy blocks nothing of its own."""

from __future__ import annotations

import base64
import io
import json

import pytest

from markbook.feedback import write_feedback
from markbook.gradebook import Gradebook

CHROMIUM = "/usr/bin/chromium"


@pytest.mark.browser
@pytest.mark.parametrize("width", [360, 1280])
def test_the_page_opens_without_a_complaint_and_without_scrolling_sideways(course, width):
    from playwright.sync_api import sync_playwright

    with Gradebook.open(course) as gb:
        (page, *_) = write_feedback(course, gb, "hw").pages
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox"])
        tab = browser.new_page(viewport={"width": width, "height": 800})
        complaints: list[str] = []
        tab.on("console", lambda message: complaints.append(message.text))
        tab.on("pageerror", lambda error: complaints.append(str(error)))
        tab.on("request", lambda request: complaints.append(request.url))
        tab.goto(page.as_uri())
        wide = tab.evaluate("document.documentElement.scrollWidth")
        font = tab.evaluate("getComputedStyle(document.querySelector('h1')).fontWeight")
        browser.close()
    assert complaints == [page.as_uri()]
    assert wide <= width
    assert font == "600"


SVG = (
    '<svg xmlns="http://www.w3.org/2000/svg" width="90" height="30">'
    '<circle cx="15" cy="15" r="12" fill="#28508f"/></svg>'
)


def figure():
    from PIL import Image

    stream = io.BytesIO()
    Image.linear_gradient("L").resize((640, 200)).save(stream, "PNG")
    return base64.b64encode(stream.getvalue()).decode()


def display(data):
    return {"output_type": "display_data", "metadata": {}, "data": data}


def rich_outputs():
    """One of everything, and of everything one that attacks."""
    rows = "".join(f"<tr><th>{n}</th><td>{n * n}</td><td>{n**3}</td></tr>" for n in range(8))
    table = f"<table border=1><thead><tr><th></th><th>n²</th><th>n³</th></tr></thead>{rows}</table>"
    attack = (
        "<img src=https://evil.example/a.png onerror=alert(1)><script>alert(1)</script>"
        "<style>body{background:url(https://evil.example/b.png)}</style><b>what is left</b>"
    )
    loads = SVG.replace("</svg>", '<image href="https://evil.example/c.png"/></svg>')
    return [
        {"output_type": "stream", "name": "stdout", "text": "\x1b[32mepoch 1\x1b[0m\repoch 2\n"},
        {"output_type": "stream", "name": "stderr", "text": "UserWarning: a very " + "long " * 60},
        {"output_type": "stream", "name": "stdout", "text": "a line of many\n" * 150},
        display({"text/html": f"<style>td{{color:red}}</style>{table}", "text/plain": "..."}),
        display({"text/html": attack}),
        display({"image/png": figure(), "text/plain": "<Figure>"}),
        display({"image/svg+xml": SVG}),
        display({"image/svg+xml": loads, "text/plain": "a drawing that loads"}),
        display({"text/markdown": "**bold** and [a link](https://evil.example)"}),
        {"output_type": "error", "ename": "ValueError", "evalue": "no \u202e such \x07 key",
         "traceback": ["\x1b[31mValueError\x1b[0m", "Cell In[3], line 2", "<script>"]},
    ]  # fmt: skip


@pytest.mark.browser
@pytest.mark.parametrize(("width", "scheme"), [(360, "dark"), (1280, "light")])
def test_outputs_of_every_kind_show_and_ask_for_nothing(course, tmp_path, width, scheme):
    from playwright.sync_api import sync_playwright

    path = course.autograded("hw", "ada") / "part.ipynb"
    notebook = json.loads(path.read_text())
    at = next(n for n, c in enumerate(notebook["cells"]) if c["cell_type"] == "code")
    notebook["cells"][at]["outputs"] = rich_outputs()
    result = display({"text/plain": "3"}) | {"output_type": "execute_result"}
    own = {"cell_type": "code", "metadata": {}, "source": "add(1, 2)", "outputs": [result]}
    notebook["cells"].insert(at + 1, own)
    path.write_text(json.dumps(notebook))
    with Gradebook.open(course) as gb:
        (page, *_) = write_feedback(course, gb, "hw").pages
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox"])
        tab = browser.new_page(viewport={"width": width, "height": 900}, color_scheme=scheme)
        seen: list[str] = []
        tab.on("console", lambda message: seen.append(message.text))
        tab.on("pageerror", lambda error: seen.append(str(error)))
        tab.on("dialog", lambda dialog: seen.append(dialog.message))
        tab.on("request", lambda request: seen.append(request.url[:30]))
        tab.goto(page.as_uri())
        section = tab.locator("#add")
        folded = section.locator("details:not([open])").count()
        for summary in section.locator("summary").all():
            summary.click()
        wide = tab.evaluate("document.documentElement.scrollWidth")
        loaded = tab.evaluate(
            "[...document.images].map(i => [i.complete, i.naturalWidth, i.alt.length > 0])"
        )
        section.screenshot(path=tmp_path / f"outputs-{width}.png")
        frames = [frame.locator("body").inner_text() for frame in tab.frames[1:]]
        text = "\n".join([section.inner_text(), *frames])
        browser.close()
    assert [url for url in seen if not url.startswith(("file:", "data:image/"))] == []
    assert wide <= width
    assert loaded == [[True, 640, True], [True, 90, True]]
    assert folded == 2
    for words in (
        "epoch 2",
        "n³",
        "343",
        "what is left",
        "a drawing that loads",
        "bold and a link",
        "U+202E",
    ):
        assert words in text
    assert "epoch 1" not in text


ATTACKS = """<script>document.title = "ran"</script><img src=x onerror="document.title='ran'">
<svg onload="document.title='ran'"><animate onbegin="document.title='ran'" attributeName=x dur=1s>
<meta http-equiv=refresh content="0;url=https://evil.example/"><base href=https://evil.example/>
<link rel=stylesheet href=https://evil.example/a.css>
<style>@import "https://evil.example/b.css";</style>
<iframe src=file:///etc/passwd></iframe><object data=file:///etc/passwd></object>
<embed src=//evil.example>
<form action=https://evil.example><input autofocus onfocus="document.title='ran'"></form>
<details open ontoggle="document.title='ran'">x</details>
<video src=https://evil.example onerror=alert(1)>
[a](javascript:alert(1)) [b](file:///etc/passwd) [c](//evil.example) [d](data:text/html,1)
![](https://evil.example/p.png) ![](file:///etc/hostname) <https://ok.example/>
$\\href{javascript:alert(1)}{x}$
</textarea></style></title></pre></div></main></body><script>document.title = "ran"</script>
p\u0430ssword \u202egnp.exe \u200bhidden &lt;script&gt; {{ 7 * 7 }} \x1b[31m
"""


def watched(browser, path, picture):
    """Open a page, click all there is to unfold; return what it did, and its text."""
    done: list[str] = []
    tab = browser.new_page(viewport={"width": 900, "height": 900})
    tab.on("console", lambda message: done.append(message.text))
    tab.on("pageerror", lambda error: done.append(str(error)))
    tab.on("dialog", lambda dialog: done.append(dialog.message))
    tab.on("popup", lambda popup: done.append(popup.url))
    tab.on("request", lambda request: done.append(request.url))
    tab.goto(path.as_uri())
    title = tab.title()
    for summary in tab.locator("summary").all():
        summary.click()
    hrefs = tab.evaluate("[...document.links].map(link => link.href)")
    inside = path.as_uri() + "#"
    done += [href for href in hrefs if not href.startswith(("https://ok.example/", inside))]
    tab.screenshot(path=picture, full_page=True)
    text = tab.inner_text("body")
    assert (tab.url, tab.title()) == (path.as_uri(), title)
    assert title != "ran"
    tab.close()
    done.remove(path.as_uri())
    return [each for each in done if not each.startswith("data:image/")], text


@pytest.mark.browser
def test_a_page_of_attacks_runs_loads_leads_and_reads_nothing(course, tmp_path):
    from playwright.sync_api import sync_playwright

    from markbook.statistics import write_report

    submitted = course.submitted("hw", "ada")
    hidden = "\u202egnp.exe" + ATTACKS
    told = {"unmatched": [hidden], "doubtful": [{"matched_as": hidden, "why": hidden}]}
    (submitted / "collected.json").write_text(json.dumps(told))
    path = course.autograded("hw", "ada") / "part.ipynb"
    notebook = json.loads(path.read_text())
    at = next(n for n, c in enumerate(notebook["cells"]) if c["cell_type"] == "code")
    kinds = ("text/html", "text/markdown", "text/latex", "application/javascript", "image/svg+xml")
    notebook["cells"][at]["outputs"] = [
        *(display({kind: ATTACKS, "text/plain": "instead"}) for kind in kinds),
        display({"application/pdf": "JVBERi0xLjQ=", "text/plain": "a PDF"}),
        {"output_type": "stream", "name": "stdout", "text": ATTACKS},
    ]
    path.write_text(json.dumps(notebook))
    with Gradebook.open(course) as gb:
        with gb._engine.begin() as connection:  # an answer as a student could have written it
            connection.exec_driver_sql("UPDATE markbook_answer SET text = ?", (ATTACKS,))
        (page, *_) = write_feedback(course, gb, "hw").pages
        report = write_report(course, gb, "hw").page
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox"])
        for path in (page, report):
            done, text = watched(browser, path, tmp_path / f"{path.stem}.png")
            assert done == []
            assert "document.title" in text, "the attack is not shown as the text it is"
            assert "U+202E" in text
        browser.close()
