from __future__ import annotations

import io
from collections.abc import Iterator

import pytest
from rich.console import Console

from hinterland.core import progress
from hinterland.core.progress import track


def test_away_from_a_terminal_one_line_says_what_was_done(capsys: pytest.CaptureFixture[str]) -> None:
    assert list(track([1, 2, 3], "score [x/y] shards")) == [1, 2, 3]
    out, err = capsys.readouterr()
    assert out == ""
    assert err.startswith("  score [x/y] shards: 3 in ")
    assert err.count("\n") == 1


def test_nothing_to_do_says_nothing(capsys: pytest.CaptureFixture[str]) -> None:
    assert list(track([], "x")) == []
    assert capsys.readouterr() == ("", "")


def test_on_a_terminal_a_bar_shows_the_time_left(monkeypatch: pytest.MonkeyPatch) -> None:
    screen = io.StringIO()
    monkeypatch.setattr(
        progress, "console", lambda: Console(file=screen, force_terminal=True, width=120, color_system=None)
    )

    def items() -> Iterator[int]:
        yield from range(4)

    assert list(track(items(), "read [/bold]", total=4)) == [0, 1, 2, 3]
    assert "read [/bold]" in screen.getvalue()
    assert "4/4" in screen.getvalue()
    assert "left" in screen.getvalue()


def test_an_error_inside_passes_through() -> None:
    def items() -> Iterator[int]:
        yield 1
        raise KeyError("x")

    with pytest.raises(KeyError):
        list(track(items(), "x"))
