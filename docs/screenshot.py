"""Picture the demo town's map for the README: `make screenshot`."""

from __future__ import annotations

import tempfile
from pathlib import Path

from playwright.sync_api import sync_playwright

from tests.test_browser.conftest import CHROMIUM, QUIET, make_demo, serving, settled

PICTURE = Path(__file__).with_name("customer_map.png")
DRAWN_MS = 3_000  # the map's tiles come after the page has settled


def main() -> None:
    """Serve a demo town of its own, look at it, and keep what is seen."""
    with tempfile.TemporaryDirectory() as folder, sync_playwright() as playwright:
        make_demo(var := Path(folder) / "var")
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=QUIET)
        page = browser.new_page(locale="zh-CN", viewport={"width": 1440, "height": 1100})
        with serving(var) as server:
            page.goto(server.url)
            settled(page)
            page.wait_for_timeout(DRAWN_MS)
            page.screenshot(path=PICTURE)
        browser.close()


if __name__ == "__main__":
    main()
