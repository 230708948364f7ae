"""The page in a real browser: it holds on a phone, and its policy blocks nothing of its own."""

from __future__ import annotations

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
