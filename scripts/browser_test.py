"""What a person sees of a demo's pages, in Chromium, at the width of a desk and at that of a phone.

    python scripts/browser_test.py http://127.0.0.1:8731 target/browser-test

Each page is looked at in both widths: that it shows what it is for, that nothing is broken and that no text leaves its place. Screenshots go to the folder.
"""

import re
import sys
from pathlib import Path
from urllib.parse import urlencode

from playwright.sync_api import Page, expect, sync_playwright

WIDTHS = {"desk": (1280, 900), "phone": (390, 844)}

# Elements whose contents are cut off or scroll by themselves may hold more than they show; what they lie in may not.
OVERFLOWING = """() => {
  const clips = (element) => getComputedStyle(element).overflowX !== "visible";
  const inClip = (element) => element && (clips(element) || inClip(element.parentElement));
  const wide = [...document.querySelectorAll("body *")].filter((element) =>
    !element.closest("svg, .visually-hidden, .skip")
      && !inClip(element)
      && element.clientWidth > 0
      && element.scrollWidth > element.clientWidth + 1);
  const innermost = wide.filter((element) => !wide.some((other) => other !== element && element.contains(other)));
  return innermost.map((element) => `<${element.localName} class="${element.className}"> ${element.scrollWidth} in ${element.clientWidth}`);
}"""


def overview(page: Page) -> None:
    expect(page.locator("h1")).not_to_have_count(0)
    expect(page.locator(".strip img").first).to_be_visible()
    expect(page.get_by_text("catalog").first).to_be_attached()
    expect(page.get_by_text("trends").first).to_be_attached()


def explore(page: Page) -> None:
    expect(page.locator("[name=filter]")).to_be_visible()
    expect(page.locator(".card")).not_to_have_count(0)
    expect(page.locator(".card img").first).to_have_attribute("src", re.compile(r"/v1/media/[0-9a-f]{64}"))


def narrowed(page: Page) -> None:
    explore(page)
    expect(page.locator("#filter")).to_have_value("garment:dress")
    expect(page.locator(".facet a.selected")).to_contain_text("dress")


def mistaken(page: Page) -> None:
    expect(page.get_by_role("alert")).to_contain_text("expected a number")


def trends(page: Page) -> None:
    expect(page.locator("svg.chart").first).to_be_visible()
    expect(page.locator("table").first).to_be_attached()


def post(page: Page) -> None:
    expect(page.locator(".pictures img").first).to_be_visible()
    expect(page.get_by_role("heading", name="Attributes")).to_be_visible()


def by_hand(page: Page, address: str) -> None:
    """Narrows down and opens a post as a person does, by mouse and by keys."""
    page.goto(f"{address}/explore")
    all_posts = page.locator(".total").inner_text()
    page.locator(".facet a", has_text="dress").first.click()
    expect(page.locator("#filter")).to_have_value("garment:dress")
    expect(page.locator(".total")).not_to_have_text(all_posts)
    page.locator(".chip").first.click()
    expect(page.locator(".total")).to_have_text(all_posts)
    page.keyboard.press("/")
    page.keyboard.type("colour:black")
    page.keyboard.press("Enter")
    expect(page.locator(".chip")).to_contain_text("colour:black")
    # Keys are listened to from then on.
    page.wait_for_load_state()
    page.keyboard.press("j")
    expect(page.locator(".card > .cover").first).to_be_focused()
    page.keyboard.press("Enter")
    post(page)


def look_at_all(page: Page, address: str, width: str, out: Path) -> list[str]:
    """What is wrong with any of the pages. What a page does not show at all ends it with an error."""
    failures: list[str] = []

    def told(message) -> None:
        # The browser also tells so of a page that is refused as a whole, whose status is looked at.
        if message.type == "error" and message.location["url"] != page.url:
            failures.append(f"{page.url}: {message.text}")

    page.on("console", told)
    page.on("pageerror", lambda error: failures.append(f"{page.url}: {error}"))
    page.goto(f"{address}/explore")
    one_post = page.locator(".card > .cover").first.get_attribute("href")
    for name, path, status, shows in [
        ("overview", "/", 200, overview),
        ("explore", "/explore", 200, explore),
        ("explore-narrowed", "/explore?" + urlencode({"filter": "garment:dress"}), 200, narrowed),
        ("explore-mistaken", "/explore?" + urlencode({"filter": "likes:>abc"}), 400, mistaken),
        ("trends", "/trends?attribute=colour", 200, trends),
        ("post", one_post, 200, post),
    ]:
        answer = page.goto(address + path)
        if answer.status != status:
            failures.append(f"{path} is answered by {answer.status} instead of {status}")
        shows(page)
        page.screenshot(path=out / f"{name}-{width}.png")
        failures += [f"{path} on a {width}: {wide}" for wide in page.evaluate(OVERFLOWING)]
    by_hand(page, address)
    return failures


def main(address: str, out: Path) -> None:
    failures: list[str] = []
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(
            executable_path="/usr/bin/chromium",
            args=["--no-sandbox", "--disable-gpu", "--disable-quic", "--disable-background-networking"],
        )
        for width, (columns, rows) in WIDTHS.items():
            page = browser.new_page(viewport={"width": columns, "height": rows})
            failures += look_at_all(page, address, width, out)
        browser.close()
    for failure in failures:
        print("FAIL", failure)
    print(f"all pages looked at on {' and '.join(WIDTHS)}, {len(failures)} failures")
    sys.exit(bool(failures))


if __name__ == "__main__":
    main(sys.argv[1], Path(sys.argv[2]))
