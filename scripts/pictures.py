"""Pictures of the pages of a running demonstration, as each role, on an office screen and on a phone; /tour shows some of them.

They go to admin/static/pictures/, which git ignores. Only of a demonstration: nobody real is ever in a picture.
"""

from __future__ import annotations

import argparse
import re
import sys
from collections.abc import Iterator
from pathlib import Path

from playwright.sync_api import Browser, Error, Page, ViewportSize, sync_playwright

OUT = Path("admin/static/pictures")
CHROMIUM = Path("/usr/bin/chromium")
FLAGS = ["--headless", "--no-sandbox", "--disable-gpu", "--disable-background-networking", "--no-first-run"]
SCREENS = {"wide": ViewportSize(width=1280, height=800), "phone": ViewportSize(width=390, height=844)}
CLASS = r"/admin/classes/[0-9a-f]{24}$"

STAFF: dict[str, tuple[str, dict[str, list[str]]]] = {
    "institution": (
        "xingtai",
        {
            "home": ["/admin"],
            "plans": ["/admin/plans"],
            "classes": ["/admin/classes"],
            "class": ["/admin/classes", CLASS],
            "roster": ["/admin/classes", CLASS, r"/roster$"],
            "sessions": ["/admin/classes", CLASS, r"/sessions$"],
            "results": ["/admin/classes", CLASS, r"/results$"],
            "certificates": ["/admin/certificates"],
        },
    ),
    "province": (
        "hebei",
        {"home": ["/admin"], "plans": ["/admin/plans"], "duties": ["/admin/duties"]},
    ),
    "centre": (
        "centre",
        {
            "home": ["/admin"],
            "backbone": ["/admin/backbone"],
            "institutions": ["/admin/institutions"],
            "policies": ["/admin/policies"],
            "jobs": ["/admin/jobs"],
            "audit": ["/admin/audit"],
        },
    ),
}
"""Role → account, and picture → where it begins and which links lead on from there."""
PUBLIC = {"query": "/certificates/query", "simulator": "/simulator"}
HANDS = {
    "trainee": ("demo-trainee-225", []),
    "class": ("demo-trainee-226", ["我的培训", "培训班"]),
    "certificate": ("demo-trainee-101", ["我的证书", "培训班"]),
    "teacher": ("demo-teacher-1", []),
    "invitations": ("demo-teacher-1", ["邀请函"]),
    "grading": ("demo-teacher-1", ["我的授课", "（第二期）", "学习任务考核方案", "待批阅"]),
}
"""Picture → whose phone, and what is pressed on it."""


class NoDemonstration(Exception):
    """The server is none that may be pictured."""


def main() -> int:
    parser = argparse.ArgumentParser(prog="scripts/pictures", description="演示平台各页面的截图")
    parser.add_argument("--url", default="http://127.0.0.1:8000", help="the running demonstration")
    parser.add_argument("--out", type=Path, default=OUT, help=f"folder ({OUT})")
    given = parser.parse_args()
    given.out.mkdir(parents=True, exist_ok=True)
    with sync_playwright() as playwright:
        chromium = playwright.chromium.launch(executable_path=CHROMIUM, args=FLAGS)
        try:
            for screen in SCREENS:
                for name, page in pictured(chromium, given.url.rstrip("/"), screen):
                    page.screenshot(path=given.out / f"{name}-{screen}.png")
                    print(f"· {name}-{screen}.png", flush=True)
        except (NoDemonstration, Error) as error:
            print(f"没有做完：{error}", file=sys.stderr)
            return 1
        finally:
            chromium.close()
    return 0


def pictured(chromium: Browser, url: str, screen: str) -> Iterator[tuple[str, Page]]:
    """Each picture's name, with the page as it is to be taken."""
    context = chromium.new_context(
        viewport=SCREENS[screen], locale="zh-CN", timezone_id="Asia/Shanghai", reduced_motion="reduce"
    )
    page = context.new_page()
    page.goto(f"{url}/simulator")
    if page.locator("#staff").count() == 0:
        raise NoDemonstration("只给演示截图。请先用 scripts/run --demo 启动平台。")
    for name, path in PUBLIC.items():
        page.goto(url + path)
        yield f"public-{name}", page
    for name, (openid, presses) in HANDS.items():
        page.goto("about:blank")
        page.goto(f"{url}/simulator/people/{openid}")
        for words in presses:
            page.locator("[data-screen] a").filter(has_text=words).first.click()
        page.wait_for_load_state("networkidle")
        yield f"person-{name}", page
    for role, (account, pages) in STAFF.items():
        page.goto(f"{url}/simulator")
        page.locator(f"#staff form:has([value={account}]) button").click()
        for name, (start, *links) in pages.items():
            page.goto(url + start)
            if all(followed(page, link) for link in links):
                yield f"{role}-{name}", page
        if role == "institution" and screen == "wide" and to_the_classroom(page, url):
            yield f"{role}-classroom", page
    context.close()


def followed(page: Page, link: str) -> bool:
    """Whether a link of the page matches; the one of a class that is under way, where there are several. It is opened."""
    found = [
        (one.get_attribute("href") or "", one.inner_text())
        for one in page.locator("main a[href], nav a[href]").all()
    ]
    fitting = [(href, words) for href, words in found if re.search(link, href)]
    if not fitting:
        return False
    href = next((href for href, words in fitting if "第二期" in words), fitting[0][0])
    page.goto(page.evaluate("href => new URL(href, location).href", href))
    return True


def to_the_classroom(page: Page, url: str) -> bool:
    page.goto(f"{url}/admin/classes")
    steps = (CLASS, r"/sessions$", r"/sessions/[0-9a-f]{24}/classroom")
    if not all(followed(page, link) for link in steps):
        return False
    page.locator(".room-qr").wait_for()
    return True


if __name__ == "__main__":
    sys.exit(main())
