"""The last rule cannot be cut off unnoticed, and a killed writer leaves a ledger that can be gone on with."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from tests.support.changing_index import EMBEDDER, build, documents

from hinterland.core.errors import StorageError
from hinterland.core.files import read_json, write_json
from hinterland.indexes import removal_ledger
from hinterland.indexes.change import Rule, add_documents, lift_rule, remove
from hinterland.indexes.removal_finish import writing
from hinterland.indexes.removal_ledger import HEAD, LEDGER, digest
from hinterland.indexes.removal_rules import lay_down, rules_in_force

RULES = [Rule.make(columns={"source": [name]}) for name in ("forum", "chat", "mail")]


@pytest.fixture
def root(tmp_path: Path) -> Path:
    """A folder with three rules, none of which has a receipt: they were laid down in advance."""
    for rule in RULES:
        lay_down(tmp_path, rule)
    return tmp_path


def lines(root: Path) -> list[str]:
    return (root / LEDGER).read_text().splitlines()


def test_the_head_is_the_hash_of_the_last_line(root: Path) -> None:
    assert list(rules_in_force(root)) == [rule.id for rule in RULES]
    assert read_json(root / HEAD) == {"format": 1, "last": digest(lines(root)[-1])}
    assert [json.loads(line)["after"] for line in lines(root)] == ["", *map(digest, lines(root)[:-1])]


@pytest.mark.parametrize("left", [0, 1, 2, None])
def test_a_line_cut_off_is_missed(root: Path, left: int | None) -> None:
    if left is None:
        (root / LEDGER).unlink()
    else:
        (root / LEDGER).write_text("".join(f"{line}\n" for line in lines(root)[:left]))
    for act in (rules_in_force, lambda root: lift_rule(root, RULES[0].id)):
        with pytest.raises(StorageError, match="cut off at the end") as error:
            act(root)
        assert error.value.where == str(root / LEDGER)
        assert "put the file back" in error.value.cure


def test_the_last_line_edited_is_missed(root: Path) -> None:
    edited = json.loads(lines(root)[-1])
    edited["at"] = "2000-01-01T00:00:00+00:00"
    (root / LEDGER).write_text("\n".join([*lines(root)[:-1], json.dumps(edited)]) + "\n")
    with pytest.raises(StorageError, match="or edited"):
        rules_in_force(root)


def test_without_the_head_it_is_said(root: Path) -> None:
    (root / HEAD).unlink()
    with pytest.raises(StorageError, match=f"{HEAD} is missing") as error:
        rules_in_force(root)
    assert error.value.where == str(root / HEAD)


@pytest.mark.parametrize(
    ("head", "message"),
    [
        ([], "no end of a list"),
        ({"last": "x"}, "no end of a list"),
        ({"format": 2}, "newer"),
        ({"format": 1}, "cut off"),
    ],
)
def test_a_head_that_was_edited(root: Path, head: Any, message: str) -> None:
    write_json(root / HEAD, head)
    with pytest.raises(StorageError, match=message):
        rules_in_force(root)


def test_an_index_of_an_older_version(tmp_path: Path) -> None:
    """Its lines are not anchored; the next writer holds on to the last."""
    root = tmp_path / "index"
    build(root)
    remove(root, RULES[0], in_advance=True)
    (line,) = lines(root)
    old = {name: value for name, value in json.loads(line).items() if name != "anchored"}
    (root / LEDGER).write_text(json.dumps(old) + "\n")
    (root / HEAD).unlink()
    assert list(rules_in_force(root)) == [RULES[0].id]
    assert not (root / HEAD).exists()  # reading writes nothing
    assert add_documents(root, documents(20, 22, source="forum"), EMBEDDER)["withheld"] == 2
    assert read_json(root / HEAD)["last"] == digest(lines(root)[-1])
    (root / LEDGER).write_text("")
    with pytest.raises(StorageError, match="cut off at the end"):
        rules_in_force(root)


@pytest.mark.parametrize("first", [True, False])
@pytest.mark.parametrize(("killed", "there"), [(0, 0), (1, 0), (2, 1)])
def test_killed_between_the_files(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, killed: int, there: int, *, first: bool
) -> None:
    """Head, line, head: before whichever of the three the writer dies, the next one goes on."""
    if not first:
        lay_down(tmp_path, RULES[0])
    known = list(rules_in_force(tmp_path))
    count = 0

    def dying(real: Callable[..., None]) -> Callable[..., None]:
        def write(*arguments: Any) -> None:
            nonlocal count
            if count == killed:
                raise KeyboardInterrupt
            count += 1
            real(*arguments)

        return write

    with monkeypatch.context() as patch:
        for name in ("write_json", "write_text"):
            patch.setattr(removal_ledger, name, dying(getattr(removal_ledger, name)))
        with pytest.raises(KeyboardInterrupt):
            lay_down(tmp_path, RULES[1])
    expected = [*known, RULES[1].id][: len(known) + there]
    assert list(rules_in_force(tmp_path)) == expected
    with writing(tmp_path):
        assert list(rules_in_force(tmp_path)) == expected
        lay_down(tmp_path, RULES[1])
        lay_down(tmp_path, RULES[2])
    assert list(rules_in_force(tmp_path)) == [*known, RULES[1].id, RULES[2].id]
    assert "next" not in read_json(tmp_path / HEAD)
    (tmp_path / LEDGER).write_text("".join(f"{line}\n" for line in lines(tmp_path)[:-1]))
    with pytest.raises(StorageError, match="cut off at the end"):
        rules_in_force(tmp_path)


def test_after_a_kill_the_next_writer_holds_on_to_what_is_there(
    root: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    head = read_json(root / HEAD)
    last = lines(root)
    write_json(root / HEAD, {"format": 1, "last": digest(last[-2]), "next": digest(last[-1])})
    with writing(root):
        pass
    assert read_json(root / HEAD) == head
    (root / LEDGER).write_text("".join(f"{line}\n" for line in last[:-1]))
    with pytest.raises(StorageError, match="cut off at the end"), writing(root):
        rules_in_force(root)
