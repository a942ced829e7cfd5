"""Damage to Parquet, Arrow and CSV files."""

from __future__ import annotations

import io
import struct
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from damage.kinds import AFTER, BEFORE, MAX_DOCUMENT_BYTES, damage


def parquet(columns: dict[str, Any]) -> bytes:
    sink = io.BytesIO()
    pq.write_table(pa.table(columns), sink, compression="none", use_dictionary=False)
    return sink.getvalue()


@damage("a Parquet file that is none", {"broken_file": 1}, [])
def parquet_other(folder: Path) -> None:
    (folder / "a.parquet").write_bytes(b"PAR1 nothing of the kind PAR1")


@damage("a Parquet file of 0 bytes", {"broken_file": 1}, [])
def parquet_empty(folder: Path) -> None:
    (folder / "a.parquet").write_bytes(b"")


@damage("a Parquet file without its end", {"broken_file": 1}, [])
def parquet_cut(folder: Path) -> None:
    (folder / "a.parquet").write_bytes(parquet({"text": [BEFORE] * 100})[:-200])


@damage("a Parquet page with bytes flipped", {"broken_file": 1}, [])
def parquet_flipped(folder: Path) -> None:
    whole = bytearray(parquet({"text": [BEFORE]}))
    whole[4:12] = b"\xff" * 8
    (folder / "a.parquet").write_bytes(bytes(whole))


@damage("nulls in a Parquet column", {"null_text": 1})
def parquet_null(folder: Path) -> None:
    (folder / "a.parquet").write_bytes(parquet({"text": [BEFORE, None, AFTER]}))


@damage("Parquet without a text", {"no_text_column": 2}, [])
def parquet_no_text(folder: Path) -> None:
    (folder / "a.parquet").write_bytes(parquet({"label": [1, 2]}))


@damage("Parquet with numbers for texts", {"text_not_a_string": 2}, [])
def parquet_numbers(folder: Path) -> None:
    (folder / "a.parquet").write_bytes(parquet({"text": [1.5, 2.5]}))


@damage("bytes that are not UTF-8 in a Parquet column of strings", {"not_utf8": 1})
def parquet_encoding(folder: Path) -> None:
    whole = parquet({"text": [BEFORE, "#spoilt#", AFTER]})
    (folder / "a.parquet").write_bytes(whole.replace(b"#spoilt#", b"\xff\xfespoilt"))


@damage("Parquet with texts as bytes, one in another encoding", {"not_utf8": 1})
def parquet_bytes(folder: Path) -> None:
    (folder / "a.parquet").write_bytes(parquet({"content": [BEFORE.encode(), b"caf\xe9", AFTER.encode()]}))


def arrow_stream(rows: list[str | None]) -> bytes:
    sink = io.BytesIO()
    with pa.ipc.new_stream(sink, pa.schema([("text", pa.string())])) as writer:
        for row in rows:
            writer.write_batch(pa.record_batch({"text": pa.array([row], pa.string())}))
    return sink.getvalue()


@damage("an Arrow stream that breaks off", {"broken_file": 1})
def arrow_cut(folder: Path) -> None:
    (folder / "a.arrow").write_bytes(arrow_stream([BEFORE, AFTER, "lost " * 100])[:-300])


@damage("an Arrow stream that is none", {"broken_file": 1}, [])
def arrow_other(folder: Path) -> None:
    (folder / "a.arrow").write_bytes(b"ARROW1 and no more")


@damage("an Arrow stream with offsets that point nowhere", {"broken_file": 1}, [])
def arrow_offsets(folder: Path) -> None:
    whole = arrow_stream(["#" * 48])
    (folder / "a.arrow").write_bytes(whole.replace(struct.pack("<ii", 0, 48), struct.pack("<ii", 0, 1 << 30)))


# --- CSV


@damage("rows with too few and too many fields", {"ragged_row": 2})
def csv_ragged(folder: Path) -> None:
    (folder / "a.csv").write_text(f"n,text\n1,{BEFORE}\n2\n3,a,b\n4,{AFTER}\n")


@damage("a quotation mark that is not closed", {"broken_file": 1}, [BEFORE])
def csv_quote(folder: Path) -> None:
    (folder / "a.csv").write_text(f'n,text\n1,{BEFORE}\n2,"never closed\n3,{AFTER}\n')


@damage("letters behind a closed quotation mark", {"bad_csv": 1})
def csv_letters(folder: Path) -> None:
    (folder / "a.csv").write_text(f'n,text\n1,{BEFORE}\n2,"closed" or not\n3,{AFTER}\n')


@damage("a row in another encoding", {"not_utf8": 1})
def csv_encoding(folder: Path) -> None:
    (folder / "a.csv").write_bytes(f"n,text\n1,{BEFORE}\n2,caf\xe9\n3,{AFTER}\n".encode("latin-1"))


@damage("a field over the limit", {"too_large": 1})
def csv_large(folder: Path) -> None:
    (folder / "a.csv").write_text(f"n,text\n1,{BEFORE}\n2,{'x' * 2 * MAX_DOCUMENT_BYTES}\n3,{AFTER}\n")


@damage("a CSV file without a text", {"no_text_column": 1}, [])
def csv_no_text(folder: Path) -> None:
    (folder / "a.csv").write_text("name,colour\na,blue\n")


@damage("a CSV file of a header alone", {"empty_file": 1}, [])
def csv_header(folder: Path) -> None:
    (folder / "a.csv").write_text("n,text\n")


@damage("a CSV file with an empty header", {"no_header": 1}, [])
def csv_no_header(folder: Path) -> None:
    (folder / "a.csv").write_text("\n1,text\n")


@damage("semicolons, and a mark of UTF-8, as spreadsheets write them")
def csv_semicolons(folder: Path) -> None:
    (folder / "a.csv").write_text(f"\ufeffn;Text\n1;{BEFORE}\n2;{AFTER}\n")
