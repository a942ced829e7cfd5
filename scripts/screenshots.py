"""Take the two screenshots in docs/images of an audit's page, wide and narrow.

    python scripts/screenshots.py FOLDER/audit.html
    python scripts/screenshots.py FOLDER/audit.html --from thresholds --to /tmp

Needs playwright and a Chromium on the path (`chromium`, `chromium-browser` or
`google-chrome`). The pictures are audit-wide.png (1280 pixels) and audit-narrow.png (390
pixels, as a phone shows them, at twice the density); what is below their end is not shown.
"""

from __future__ import annotations

import argparse
import shutil
from pathlib import Path

from playwright.sync_api import sync_playwright

IMAGES = Path(__file__).parents[1] / "docs" / "images"
#: Name, width, height in CSS pixels, pixels for each of them.
SHOTS = (("audit-wide", 1280, 2300, 1), ("audit-narrow", 390, 1750, 2))


def main() -> None:
    """Read the command line and take the pictures."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("page", type=Path, help="an audit.html")
    parser.add_argument("--to", type=Path, default=IMAGES, help="the folder of the pictures")
    parser.add_argument("--from", dest="anchor", default="", help="the part to begin with (kept, thresholds)")
    parser.add_argument("--scheme", choices=("light", "dark"), default="light")
    given = parser.parse_args()
    found = [shutil.which(name) for name in ("chromium", "chromium-browser", "google-chrome")]
    program = next(filter(None, found), None)
    if program is None:
        parser.error("no Chromium on the path")
    given.to.mkdir(parents=True, exist_ok=True)
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=program, args=["--no-sandbox"])
        for name, width, height, density in SHOTS:
            page = browser.new_page(
                viewport={"width": width, "height": height},
                device_scale_factor=density,
                color_scheme=given.scheme,
            )
            page.goto(given.page.resolve().as_uri() + (f"#{given.anchor}" if given.anchor else ""))
            target = given.to / f"{name}.png"
            page.screenshot(path=target)
            page.close()
            print(f"{target}: {target.stat().st_size:,} bytes")
        browser.close()


if __name__ == "__main__":
    main()
