"""``hinterland demo``: run the steps, write the report, print what was found."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from hinterland.core.files import write_json, write_text
from hinterland.core.progress import console
from hinterland.core.run import Run, StageRecord
from hinterland.demo.config import DemoConfig
from hinterland.demo.memory import PeakMemory
from hinterland.demo.pipeline import STEPS, Step, run_steps
from hinterland.demo.preflight import DISK_BYTES, preflight
from hinterland.demo.summary import findings, summary

__all__ = ["CommandConfig", "plan", "render", "run"]

CommandConfig = DemoConfig


def plan(config: DemoConfig) -> dict[str, Any]:
    """Say what would be done, and about how long it takes on two CPU cores."""
    config = config.preset()
    column = 1 if config.quick else 0
    return {
        "config": config.model_dump(mode="json"),
        "steps": [{"step": step.name, "does": step.title, "seconds": step.seconds[column]} for step in STEPS],
        "seconds": sum(step.seconds[column] for step in STEPS),
        "peak_memory_gb": 3,
        "disk_gb": DISK_BYTES / 1e9,
        "calls_to_a_paid_endpoint": 2 * config.evaluate.answered if config.closed_model.base_url else 0,
        "writes": str(config.out),
    }


def run(config: DemoConfig) -> dict[str, Any]:
    """Do what is not done yet, write ``summary.json`` and ``report/index.html``.

    Raises:
        HinterlandError: A package, model or endpoint is missing, or the disk is full.
    """
    from hinterland.demo.report import report

    config = config.preset()
    talk = console()
    started = time.perf_counter()
    with quiet_libraries(), PeakMemory() as memory:
        if not (config.out / "manifest.json").is_file():
            preflight(config)

        def announce(number: int, step: Step) -> None:
            talk.print(f"[{number}/{len(STEPS)}] {step.title}")

        def done(record: StageRecord) -> None:
            took = "reused" if record.reused else f"{record.seconds:.1f} s"
            talk.print(f"  done ({took})")

        whole = Run(config.out, command="demo", config=config.model_dump(mode="json"), on_stage=done)
        with whole.locked():
            records = run_steps(config, whole, memory=memory, announce=announce)
            values = summary(config, records)
            write_json(config.out / "summary.json", values)
            write_text(config.out / "report" / "index.html", report(config, whole, records, values))
            whole.finish(summary=values)
    talk.print(f"finished in {time.perf_counter() - started:.1f} s")
    return {
        **values,
        "findings": findings(records),
        "report": str(config.out / "report" / "index.html"),
    }


@contextmanager
def quiet_libraries() -> Iterator[None]:
    """Keep the libraries' own bars and warnings out of the demo's output; nothing goes online."""
    import os
    import warnings

    os.environ.setdefault("HF_HUB_OFFLINE", "1")
    os.environ.setdefault("TRANSFORMERS_VERBOSITY", "error")
    os.environ.setdefault("TOKENIZERS_PARALLELISM", "false")
    os.environ.setdefault("TQDM_DISABLE", "1")
    from transformers.utils import logging

    logging.set_verbosity_error()
    logging.disable_progress_bar()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        yield


def render(result: dict[str, Any]) -> str:
    """Return the findings as a table for the terminal."""
    from rich.console import Console
    from rich.table import Table

    table = Table(title="hinterland demo: what was found", title_justify="left", show_lines=True)
    table.add_column("step", no_wrap=True)
    table.add_column("finding")
    for name, sentence in result["findings"]:
        table.add_row(name, sentence)
    wide = Console(width=110, record=True, file=None)
    with wide.capture() as text:
        wide.print(table)
        wide.print(
            f"{result['wall_seconds']:.0f} s of work, peak memory {result['peak_memory_mb'] / 1000:.1f} GB\n"
            f"report: {result['report']}",
            highlight=False,
            soft_wrap=True,
        )
    return text.get().rstrip()
