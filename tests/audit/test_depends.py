"""What an audit depends on: whatever changes its result changes this."""

from __future__ import annotations

from pathlib import Path

import pytest

from hinterland.core.run import fingerprint
from hinterland.curate.audit.command import CommandConfig
from hinterland.curate.audit.depends import depends, depends_on_settings

MANIFEST = {"shards": ["a"], "rules": [], "counts": {"rejected": 0}, "cards": {}}


def _settings(**given: object) -> CommandConfig:
    return CommandConfig.model_validate(given)


def test_depends_on_the_file_of_a_function(tmp_path: Path) -> None:
    file = tmp_path / "mine.py"
    config = _settings(filters={"mine": {"callable": f"{file}:keep"}})
    file.write_text("def keep(text):\n    return True\n")
    before = depends_on_settings(config)
    assert depends_on_settings(config) == before
    file.write_text("def keep(text):\n    return False\n")
    assert depends_on_settings(config) != before


@pytest.mark.parametrize("kind", ["callable", "datatrove"])
def test_depends_on_the_module_of_a_function(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, kind: str
) -> None:
    monkeypatch.syspath_prepend(str(tmp_path))
    package = tmp_path / "rv_package_of_filters"
    package.mkdir()
    (package / "__init__.py").write_text("raise RuntimeError('not to be imported to know this')\n")
    (package / "inner.py").write_text("one = 1\n")
    config = _settings(filters={"mine": {kind: "rv_package_of_filters.inner:keep"}})
    before = depends_on_settings(config)
    assert str(package / "inner.py") in before["files"]
    (package / "inner.py").write_text("one = 2\n")
    assert depends_on_settings(config) != before


def test_a_function_that_is_not_there_depends_on_nothing_more() -> None:
    for spec in ("no_such_package_at_all.inner:keep", "no/such/file.py:keep", "json.no_such:keep", ":keep"):
        assert depends_on_settings(_settings(filters={"mine": {"callable": spec}}))["files"] == {}


def test_depends_on_a_named_file_that_changes(tmp_path: Path) -> None:
    table = tmp_path / "own.csv"
    table.write_text("iso3,books\nKEN,1\n")
    config = _settings(covariates=str(table))
    before = depends_on_settings(config)
    table.write_text("iso3,books\nKEN,2\n")
    assert depends_on_settings(config) != before


def test_depends_on_the_workers_and_the_folder_of_nothing() -> None:
    one, other = _settings(workers=1, out="a"), _settings(workers=2, out="b")
    assert depends_on_settings(one) == depends_on_settings(other)


@pytest.mark.parametrize(
    "changed",
    [
        {"shards": ["b"]},
        {"rules": [{"column": "x"}]},
        {"counts": {"rejected": 3}},
        {"cards": {"places": {"not_placed": {"body": 1}}}},
    ],
)
def test_depends_on_what_the_manifest_says_of_documents(changed: dict[str, object]) -> None:
    config = _settings()
    assert fingerprint(depends({**MANIFEST, **changed}, config)) != fingerprint(depends(MANIFEST, config))


def test_an_audit_of_another_format_is_made_again(monkeypatch: pytest.MonkeyPatch) -> None:
    before = depends_on_settings(_settings())
    monkeypatch.setattr("hinterland.curate.audit.depends.FORMAT", -1)
    assert depends_on_settings(_settings()) != before
