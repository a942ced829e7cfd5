"""Files that are none, and names that are odd."""

from __future__ import annotations

import os
from pathlib import Path

from damage.kinds import AFTER, around, damage, line


@damage("a link to nothing", {"dangling_link": 1})
def dangling_link(folder: Path) -> None:
    (folder / "a.jsonl").write_bytes(around(b""))
    (folder / "b.jsonl").symlink_to(folder / "gone.jsonl")


@damage("a link to itself", {"link_loop": 1})
def link_loop(folder: Path) -> None:
    (folder / "a.jsonl").write_bytes(around(b""))
    (folder / "b.jsonl").symlink_to(folder / "b.jsonl")


@damage("a folder linked into itself", {"folder_loop": 1})
def folder_loop(folder: Path) -> None:
    (folder / "a.jsonl").write_bytes(around(b""))
    (folder / "again").symlink_to(folder)


@damage("a pipe, which never ends", {"not_a_file": 1})
def pipe(folder: Path) -> None:
    (folder / "a.jsonl").write_bytes(around(b""))
    os.mkfifo(folder / "b.jsonl")


@damage("a file and a folder that may not be read", {"unreadable_file": 1, "unreadable_folder": 1})
def no_permission(folder: Path) -> None:
    (folder / "a.jsonl").write_bytes(around(b""))
    (folder / "b.jsonl").write_bytes(around(b""))
    (folder / "b.jsonl").chmod(0)
    (folder / "c").mkdir(mode=0)


@damage("files of unknown kinds", {"unknown_kind": 2})
def unknown_kinds(folder: Path) -> None:
    (folder / "a.jsonl").write_bytes(around(b""))
    (folder / "b.docx").write_bytes(b"PK")
    (folder / "LICENSE").write_text("all rights")


@damage("attributes of another document", {"no_attributes": 1})
def dolma_attributes(folder: Path) -> None:
    for place in ("documents", "attributes/toxic"):
        (folder / place).mkdir(parents=True)
    (folder / "documents" / "a.jsonl").write_bytes(line(id="a1") + line(AFTER, id="a2"))
    (folder / "attributes" / "toxic" / "a.jsonl").write_bytes(
        b'{"id": "a1", "attributes": {"score": [[0, 5, 0.1]]}}\n{"id": "other", "attributes": {}}\n'
    )
