"""The audit's page in a real browser: it works, loads nothing, runs nothing it was given."""

from __future__ import annotations

import shutil
import unicodedata
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from audits import hostile, realistic

from hinterland.curate.audit.audit import Audit
from hinterland.curate.audit.claims import ALL, shown
from hinterland.curate.audit.html import page_of
from hinterland.curate.audit.html_parts.curves import per_mille

pytestmark = pytest.mark.browser

CHROMIUM = next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None)


@pytest.fixture(scope="module")
def browser() -> Iterator[Any]:
    sync_api = pytest.importorskip("playwright.sync_api", reason="playwright is not installed")
    if CHROMIUM is None:
        pytest.skip("there is no Chromium on this machine")
    with sync_api.sync_playwright() as playwright:
        launched = playwright.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox"])
        yield launched
        launched.close()


@pytest.fixture(scope="module")
def audit() -> Audit:
    return realistic()


@pytest.fixture(scope="module")
def address(audit: Audit, tmp_path_factory: pytest.TempPathFactory) -> str:
    path = tmp_path_factory.mktemp("page") / "audit.html"
    path.write_text(page_of(audit), encoding="utf-8")
    return path.as_uri()


class Visit:
    """A page with what it said and asked for."""

    def __init__(self, browser: Any, address: str, **options: Any) -> None:
        self.context = browser.new_context(**options)
        self.page = self.context.new_page()
        self.said: list[str] = []
        self.asked: list[str] = []
        self.page.on("console", lambda message: self.said.append(message.text))
        self.page.on("pageerror", lambda error: self.said.append(str(error)))
        self.page.on("request", lambda request: self.asked.append(request.url))
        self.page.goto(address)

    def __enter__(self) -> Any:
        return self.page

    def __exit__(self, *_: object) -> None:
        self.context.close()


def first_column(page: Any, table: str) -> list[str]:
    return list(page.locator(f"{table} tbody th").all_text_contents())


def test_says_nothing_and_loads_nothing(browser: Any, address: str) -> None:
    visit = Visit(browser, address)
    with visit as page:
        for select in page.locator("select").all():
            options = select.locator("option").count()
            select.select_option(index=options - 1)
        page.locator("input[type=range]").first.evaluate("e => e.dispatchEvent(new Event('input'))")
        assert visit.said == []
        assert visit.asked == [address]


def test_tables_sort_by_mouse_and_by_keyboard(browser: Any, address: str) -> None:
    with Visit(browser, address) as page:
        table = "#placed table"
        given = first_column(page, table)
        button = page.locator(f"{table} thead button", has_text="Mean confidence")
        button.click()
        head = page.locator(f"{table} thead th", has_text="Mean confidence")
        assert head.get_attribute("aria-sort") == "descending"
        assert first_column(page, table) == ["column country", "url", "text", "not placed"]
        page.keyboard.press("Enter")
        assert head.get_attribute("aria-sort") == "ascending"
        assert first_column(page, table) == ["text", "url", "column country", "not placed"]
        page.locator(f"{table} thead button").first.focus()
        page.keyboard.press("Space")
        assert first_column(page, table) == sorted(given)


def test_another_filter_shows_its_figures(browser: Any, address: str, audit: Audit) -> None:
    with Visit(browser, address) as page:
        assert page.locator("[data-kept]").count() == 2
        # Sorted first, so that the rows must be found by name and sorted anew.
        page.locator("#by-region table").first.locator("thead button", has_text="Kept").first.click()
        select = page.locator("#by-region .choose select")
        select.select_option(label="gopher_quality")
        measured = audit.results["region"]["gopher_quality"]
        oceania = measured["Oceania"].retention
        row = page.locator("#by-region table").first.locator("tbody tr", has_text="Oceania")
        assert shown(oceania) in row.text_content()
        kept = [float(c) for c in page.locator("#by-region table").first.locator("tbody td:nth-child(3)")
                .evaluate_all("cells => cells.map(c => c.getAttribute('data-sort'))")]  # fmt: skip
        assert kept == sorted(kept, reverse=True)
        drawn = page.locator("#by-region svg desc").text_content()
        assert f"Oceania: {shown(oceania)}" in drawn
        marks = page.locator("#by-region .hl-dot").evaluate_all("d => d.map(c => +c.getAttribute('cx'))")
        zero, one = 14, 506
        wanted = [zero + row.retention.estimate * (one - zero) for row in measured.groups]
        assert marks == pytest.approx(wanted, abs=0.06)
        # One choice for all groupings.
        assert page.locator("#by-income .choose select").input_value() == select.input_value()
        assert page.locator("#by-income .which").text_content() == "Kept by gopher_quality."
        select.select_option(label=ALL)
        assert shown(audit.results["region"][ALL]["Oceania"].retention) in row.text_content()


def percent(value: float) -> str:
    thousandths = per_mille(value)
    assert thousandths is not None
    return f"{thousandths / 10:.1f}%"


def test_slider_shows_the_curve(browser: Any, address: str, audit: Audit) -> None:
    with Visit(browser, address) as page:
        curve = audit.curves[0]
        part = page.locator("[data-curve='0']")
        slider = part.locator("input[type=range]")
        assert page.get_by_label(f"Threshold: keep if {curve.column}").first.is_visible()
        now = curve.thresholds.index(curve.current)
        assert slider.input_value() == str(now)
        assert "now in force" in part.locator(".now").text_content()
        slider.focus()
        page.keyboard.press("Home")
        for press in ("ArrowRight", "ArrowRight", "ArrowRight", "PageUp", "End", "ArrowLeft"):
            page.keyboard.press(press)
            i = int(slider.input_value())
            cells = part.locator("td.live").all_text_contents()
            groups = [*curve.ranked, *(g for g in curve.groups if g not in curve.ranked)]
            wanted = [percent(curve.kept[i]), percent(curve.tokens[i])]
            wanted += [percent(curve.groups[group][i]) for group in groups]
            assert cells == [*wanted, f"{per_mille(curve.disparity[i]) / 1000:.3f}"]
            assert slider.get_attribute("aria-valuetext") == f"{curve.thresholds[i]:.6g}"
        assert i == len(curve.thresholds) - 2
        status = part.locator("[role=status]")
        page.wait_for_function("e => e.textContent !== ''", arg=status.element_handle())
        assert status.text_content() == part.locator(".now").text_content()
        assert percent(curve.kept[i]) in status.text_content()
        part.locator("button", has_text="best").click()
        assert slider.input_value() == str(curve.thresholds.index(curve.best))
        assert part.locator(".hl-cursor").get_attribute("display") is None


def test_one_panel_at_a_time(browser: Any, address: str, audit: Audit) -> None:
    with Visit(browser, address) as page:
        panels = page.locator("#thresholds [data-panel]")
        assert panels.count() == len(audit.curves)
        assert [panel.is_visible() for panel in panels.all()] == [True, False, False, False]
        page.locator("#thresholds .choose select").select_option(index=2)
        visible = [panel.is_visible() for panel in panels.all()]
        assert sum(visible) == 1
        assert not visible[0]


@pytest.mark.parametrize("width", [360, 1280])
def test_no_sideways_scrolling(browser: Any, address: str, width: int) -> None:
    with Visit(browser, address, viewport={"width": width, "height": 800}) as page:
        page.evaluate("document.querySelectorAll('details').forEach(d => d.open = true)")
        assert page.evaluate("document.documentElement.scrollWidth") <= width


def test_reads_without_a_script(browser: Any, address: str, audit: Audit) -> None:
    with Visit(browser, address, java_script_enabled=False) as page:
        assert page.locator("select, input, button").count() == 0
        assert page.locator("#thresholds summary").count() == len(audit.curves)
        page.locator("#by-region summary").click()
        cell = shown(audit.results["region"]["gopher_quality"]["Oceania"].retention)
        assert page.locator("#by-region details", has_text=cell).is_visible()


@pytest.mark.slow
def test_prints_whole(browser: Any, address: str, tmp_path: Path) -> None:
    pypdf = pytest.importorskip("pypdf")
    with Visit(browser, address, color_scheme="dark", viewport={"width": 703, "height": 1000}) as page:
        page.emulate_media(media="print", color_scheme="dark")
        assert page.evaluate("getComputedStyle(document.body).backgroundColor") == "rgb(255, 255, 255)"
        assert page.locator("select:visible, input:visible, nav:visible").count() == 0
        wide = page.evaluate(
            "[...document.querySelectorAll('table')].map(t => t.getBoundingClientRect().right)"
        )
        assert max(wide) <= 703
        page.emulate_media(media="null", color_scheme="dark")
        page.pdf(path=tmp_path / "audit.pdf", format="A4")
        assert page.locator("details:not([open])").count() > 0  # folded again
    sheets = pypdf.PdfReader(tmp_path / "audit.pdf").pages
    words = unicodedata.normalize("NFKC", " ".join(sheet.extract_text() for sheet in sheets))  # ligatures
    assert "Every filter on its own" in words
    assert "gopher_repetition" in words  # in a folded table
    assert "The harbour at Suva" in words


def test_runs_nothing_it_was_given(browser: Any, tmp_path: Path) -> None:
    path = tmp_path / "hostile.html"
    path.write_text(page_of(hostile()), encoding="utf-8")
    visit = Visit(browser, path.as_uri())
    with visit as page:
        for select in page.locator("select").all():
            if select.is_visible():
                select.select_option(index=0)
        slider = page.locator("input[type=range]:visible").first
        slider.focus()
        page.keyboard.press("ArrowRight")
        assert page.evaluate("window.ran") is None
        assert page.locator("img").count() == 0
        assert visit.said == []
        assert visit.asked == [path.as_uri()]
        assert page.locator("script").count() == 4  # data of two groupings and of the curves, and the kit's
        assert "</script>" in page.title()


def test_a_script_that_is_not_the_kits_does_not_run(browser: Any, address: str, tmp_path: Path) -> None:
    path = tmp_path / "forged.html"
    made = page_of(realistic()).replace("<main ", "<script>window.ran = 1</script><main ", 1)
    path.write_text(made, encoding="utf-8")
    visit = Visit(browser, path.as_uri())
    with visit as page:
        assert page.evaluate("window.ran") is None
        assert any("Content Security Policy" in words for words in visit.said)


def test_drawings_have_words(browser: Any, address: str) -> None:
    with Visit(browser, address) as page:
        drawings = page.locator("svg").evaluate_all(
            "all => all.map(s => [s.getAttribute('role'), s.getAttribute('aria-labelledby').split(' ')"
            ".map(id => document.getElementById(id).textContent)])"
        )
        assert len(drawings) > 10
        assert all(role == "img" and all(words) for role, words in drawings)
        ids = page.evaluate("[...document.querySelectorAll('[id]')].map(e => e.id)")
        assert len(ids) == len(set(ids))
        unnamed = page.locator("select, input").evaluate_all(
            "all => all.filter(e => !e.labels.length).length"
        )
        assert unnamed == 0


@pytest.mark.slow  # a frame in a frame can take longer than the browser waits where cores are busy
def test_works_in_a_notebooks_frame(browser: Any, audit: Audit, tmp_path: Path) -> None:
    path = tmp_path / "notebook.html"
    path.write_text(f"<!doctype html><title>n</title>{audit._repr_html_()}", encoding="utf-8")
    visit = Visit(browser, path.as_uri())
    with visit as page:
        inside = page.frame_locator("iframe")
        slider = inside.locator("[data-curve='0'] input[type=range]")
        slider.wait_for(timeout=120_000)
        before = inside.locator("[data-curve='0'] td.live").first.text_content()
        slider.focus()
        page.keyboard.press("End")
        assert inside.locator("[data-curve='0'] td.live").first.text_content() != before
        assert visit.said == []


CONTRAST = """
() => {
  const part = c => c.match(/[\\d.]+/g).map(Number);
  const shade = c => { const l = part(c).slice(0, 3).map(v => (v /= 255) <= 0.03928 ? v / 12.92 :
    Math.pow((v + 0.055) / 1.055, 2.4)); return 0.2126 * l[0] + 0.7152 * l[1] + 0.0722 * l[2]; };
  const ground = e => { for (; e; e = e.parentElement) { const c = getComputedStyle(e).backgroundColor;
    if ((part(c)[3] ?? 1) > 0) return c; } return 'rgb(255, 255, 255)'; };
  const found = [];
  for (const e of document.querySelectorAll(
      'p, td, th, figcaption, caption, dt, dd, li, a, button, label, text, summary, select, blockquote')) {
    if (!e.textContent.trim() || !e.getClientRects().length) continue;
    const s = getComputedStyle(e), a = shade(e.namespaceURI.endsWith('svg') ? s.fill : s.color);
    const b = shade(ground(e)), ratio = (Math.max(a, b) + 0.05) / (Math.min(a, b) + 0.05);
    if (ratio < 4.5) found.push([e.tagName, e.textContent.slice(0, 30), ratio]);
  }
  return found;
}
"""


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_text_stands_out(browser: Any, address: str, scheme: str) -> None:
    with Visit(browser, address, color_scheme=scheme) as page:
        assert page.evaluate(CONTRAST) == []
