"""Damage to plain text, HTML and PDF files."""

from __future__ import annotations

import gzip
import io
import warnings
from pathlib import Path

from damage.kinds import AFTER, BEFORE, MAX_DOCUMENT_BYTES, damage


@damage("a text file in another encoding", {"not_utf8": 1}, [])
def text_encoding(folder: Path) -> None:
    (folder / "a.txt").write_bytes("Curaçao".encode("latin-1"))


@damage("a text file with NULs", {"nul_removed": 1}, [BEFORE])
def text_nul(folder: Path) -> None:
    (folder / "a.txt").write_bytes(BEFORE.encode() + bytes(10))


@damage("a text file of nothing but NULs", {"empty_text": 1}, [])
def text_only_nul(folder: Path) -> None:
    (folder / "a.txt").write_bytes(bytes(4096))


@damage("a text file of 0 bytes", {"empty_text": 1}, [])
def text_empty(folder: Path) -> None:
    (folder / "a.md").write_bytes(b"")


@damage("a text file over the limit", {"too_large": 1}, [])
def text_large(folder: Path) -> None:
    (folder / "a.txt").write_bytes(b"x" * (MAX_DOCUMENT_BYTES + 1))


@damage("text files in UTF-16 and UTF-32", None, [BEFORE, AFTER])
def text_utf16(folder: Path) -> None:
    (folder / "a.txt").write_bytes(BEFORE.encode("utf-16"))
    (folder / "b.txt").write_bytes(AFTER.encode("utf-32"))


@damage("a packed text file that is cut off", {"broken_file": 1}, [])
def text_cut(folder: Path) -> None:
    (folder / "a.txt.gz").write_bytes(gzip.compress(BEFORE.encode() * 100)[:-20])


PAGE = f"<html><body><article><h1>Title</h1><p>{BEFORE}, and {AFTER}, and more.</p></article></body></html>"


@damage("HTML without any text", {"no_main_text": 1}, [])
def html_empty(folder: Path) -> None:
    (folder / "a.html").write_text("<html><body><script>1</script></body></html>")


@damage("HTML that is random bytes", {"no_main_text": 1}, [])
def html_bytes(folder: Path) -> None:
    (folder / "a.html").write_bytes(bytes(range(256)) * 20)


@damage("HTML nested 50,000 deep", {"no_main_text": 1}, [])
def html_deep(folder: Path) -> None:
    (folder / "a.html").write_text("<div>" * 50_000 + "text" + "</div>" * 50_000)


@damage("HTML with tags left open", None, ["Title"])
def html_open(folder: Path) -> None:
    (folder / "a.html").write_text(PAGE.replace("</p>", "").replace("</article>", "").replace("</body>", "<"))


# --- PDF


def pdf(text: str) -> bytes:
    """Return a PDF of one page."""
    content = f"BT /F1 12 Tf 20 100 Td ({text}) Tj ET".encode()
    objects = [
        b"<</Type/Catalog/Pages 2 0 R>>",
        b"<</Type/Pages/Kids[3 0 R]/Count 1>>",
        b"<</Type/Page/Parent 2 0 R/MediaBox[0 0 400 200]/Contents 4 0 R/Resources<</Font<</F1 5 0 R>>>>>>",
        b"<</Length %d>>stream\n%s\nendstream" % (len(content), content),
        b"<</Type/Font/Subtype/Type1/BaseFont/Helvetica>>",
    ]
    out, places = b"%PDF-1.4\n", []
    for number, each in enumerate(objects, 1):
        places.append(len(out))
        out += b"%d 0 obj%s endobj\n" % (number, each)
    table = b"".join(b"%010d 00000 n \n" % place for place in places)
    start = len(out)
    return (
        out
        + b"xref\n0 6\n0000000000 65535 f \n%strailer<</Size 6/Root 1 0 R>>\nstartxref\n%d\n%%%%EOF"
        % (
            table,
            start,
        )
    )


@damage("a PDF that is none", {"broken_file": 1}, [])
def pdf_other(folder: Path) -> None:
    (folder / "a.pdf").write_bytes(b"%PDF-1.4 and no more")


@damage("a PDF cut in half", {"broken_file": 1}, [])
def pdf_cut(folder: Path) -> None:
    (folder / "a.pdf").write_bytes(pdf(BEFORE)[:120])


@damage("a PDF whose table of contents points nowhere", None, [BEFORE])
def pdf_table(folder: Path) -> None:
    (folder / "a.pdf").write_bytes(pdf(BEFORE).replace(b"startxref\n", b"startxref\n9"))


@damage("a PDF with a password", {"encrypted": 1}, [])
def pdf_encrypted(folder: Path) -> None:
    import pypdf

    writer = pypdf.PdfWriter(clone_from=io.BytesIO(pdf(BEFORE)))
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        writer.encrypt("secret", algorithm="RC4-128")
        writer.write(folder / "a.pdf")


@damage("a PDF of pictures, without a text", {"empty_text": 1}, [])
def pdf_scan(folder: Path) -> None:
    (folder / "a.pdf").write_bytes(pdf(""))
