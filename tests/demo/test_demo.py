"""The whole way, small: it ends, resumes after kills with the same results, and is reused."""

from __future__ import annotations

import json
import os
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pytest

from hinterland.core.config import load_config
from hinterland.demo.config import DemoConfig

# The first test of the module runs the demo.
pytestmark = pytest.mark.timeout(900)

ROOT = Path(__file__).parents[2]
SMALL = {
    "threads": 1,  # another test worker has the other core
    "places": 20,
    "sections": ["Geography", "Government"],
    "hold_out_share": 0.5,
    "quality.sample": 50,
    "quality.prefix_tokens": 16,
    "adapt.steps": 2,
    "adapt.window": 32,
    "adapt.held_out_documents": 3,
    "adapt.general_documents": 2,
    "adapt.max_chars": 150,
    "evaluate.answered": 6,
    "evaluate.passages": 1,
    "evaluate.examples": 1,
}
TIMES = ("wall_seconds", "peak_memory_mb")


def command(out: Path) -> list[str]:
    settings = [part for key, value in SMALL.items() for part in ("--set", f"{key}={json.dumps(value)}")]
    return [sys.executable, "-m", "hinterland.core.cli", "demo", "--out", str(out), "--json", *settings]


def demo(out: Path) -> dict[str, Any]:
    done = subprocess.run(command(out), capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    result: dict[str, Any] = json.loads(done.stdout)
    return result


def results(out: Path) -> dict[str, Any]:
    summary: dict[str, Any] = json.loads((out / "summary.json").read_text(encoding="utf-8"))
    return {key: value for key, value in summary.items() if key not in TIMES}


@pytest.fixture(scope="module")
def finished(tmp_path_factory: pytest.TempPathFactory) -> Path:
    out = tmp_path_factory.mktemp("demo") / "whole"
    demo(out)
    return out


def test_the_summary_holds_what_programs_need(finished: Path) -> None:
    summary = json.loads((finished / "summary.json").read_text(encoding="utf-8"))
    assert set(summary["systems"]) == {"closed-book", "retrieval", "adapted"}
    for system in summary["systems"].values():
        assert 0 <= system["exact_match"] <= system["f1"] <= 1
        assert system["n"] == 6
    assert set(summary["retrieval"]) == {"all documents", "filtered", "debiased"}
    assert 0 < summary["retrieval"]["all documents"]["ndcg@10"] <= 1
    assert summary["audit"]["headline"].endswith(".")
    assert summary["bits_per_byte"]["domain"]["before"] > 0
    assert summary["contamination"].startswith("no leak found")
    counts = summary["curate"]["counts"]
    assert counts["in"] == counts["kept"] + counts["decided_out"] + counts["rejected"]
    assert summary["wall_seconds"] > 0
    assert 100 < summary["peak_memory_mb"] < 6000


def test_the_report_is_one_page_whose_links_lead_somewhere(finished: Path) -> None:
    import re

    report = finished / "report" / "index.html"
    text = report.read_text(encoding="utf-8")
    assert "http://" not in text.replace("http://www.w3.org", "")
    assert "https://" not in text
    links = re.findall(r'href="([^"#]+)"', text)
    assert len(links) >= 10
    for link in links:
        assert (report.parent / link).is_file(), link
    assert "<svg" in text
    assert "nan" not in re.sub(r"<[^>]+>", " ", text).lower().split()


def test_a_second_run_reuses_what_is_finished(finished: Path) -> None:
    before = results(finished)
    start = time.perf_counter()
    demo(finished)
    assert time.perf_counter() - start < 30
    assert results(finished) == before
    manifest = json.loads((finished / "manifest.json").read_text(encoding="utf-8"))
    assert all(stage["reused"] for stage in manifest["stages"].values())


def test_the_starter_config_holds_the_defaults() -> None:
    assert load_config(DemoConfig, ROOT / "configs" / "demo.yaml") == DemoConfig()


@pytest.mark.slow
@pytest.mark.timeout(1800)
def test_killed_at_many_moments_it_ends_with_the_same_results(finished: Path, tmp_path: Path) -> None:
    out = tmp_path / "killed"
    for seconds in (3, 8, 14, 20, 9, 16, 12, 18):
        process = subprocess.Popen(
            command(out), stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, start_new_session=True
        )
        try:
            process.wait(timeout=seconds)
            break  # it got to the end between two kills
        except subprocess.TimeoutExpired:
            os.killpg(process.pid, signal.SIGKILL)
            process.wait()
    demo(out)
    assert results(out) == results(finished)


@pytest.mark.browser
def test_the_report_works_in_a_browser(finished: Path, tmp_path: Path) -> None:
    chromium = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
    if chromium is None:
        pytest.skip("no Chromium here (apt-get install chromium)")
    flags = (
        "--headless",
        "--no-sandbox",
        "--disable-gpu",
        "--disable-background-networking",
        "--no-first-run",
    )
    quiet = ("--disable-component-update", "--disable-sync", f"--user-data-dir={tmp_path}")
    page = (finished / "report" / "index.html").as_uri()
    done = subprocess.run(
        [chromium, *flags, *quiet, "--dump-dom", page],
        capture_output=True,
        text=True,
        check=True,
        timeout=120,
    )
    # The tables' sort buttons are made by the page's own script, under its own policy.
    assert "<button" in done.stdout
    assert "hinterland on the World Factbook" in done.stdout
