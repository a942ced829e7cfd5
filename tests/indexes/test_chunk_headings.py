"""Sections of Markdown and HTML: headings found, spans of the original text, title paths."""

from __future__ import annotations

import time
from itertools import pairwise

import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from letter_embedder import WordTokenizer

from hinterland.core.errors import ConfigError
from hinterland.indexes.chunk_headings import find_headings, heading_sections
from hinterland.indexes.chunk_types import Document
from hinterland.indexes.chunking import ChunkConfig, cut_documents

MARKDOWN = """---
title: not a heading
---
Before.

# Kenya #
About it.

## Government
### Capital
Nairobi.

```
# a comment in code
```
~~~python
## another
```
~~~

## [Geography](http://x) of *Kenya* {#geo}
Mountains.

Setext One
==========
Text
over two lines
---
- a list
---
    # indented code
#no space
"""

HTML = """<!DOCTYPE html><title>x</title>
<!-- <h1>no</h1> --><script>"<h2>no</h2>"</script>
<p>Before.
<H1 class="a">Kenya &amp; <b>Co</b></H1 >About.
<h2>Never closed<p>Nairobi.
<h2>Next<h3>Deeper</h3><style><h1>no</h1></style>Text
"""


def paths(text: str, title: str = "Doc") -> list[str]:
    return [section.title for section in heading_sections(Document("d", text, title))]


def test_markdown_by_hand() -> None:
    found = [(each.level, each.title) for each in find_headings(MARKDOWN)]
    assert found == [
        (1, "Kenya"),
        (2, "Government"),
        (3, "Capital"),
        (2, "Geography of Kenya"),
        (1, "Setext One"),
        (2, "Text over two lines"),
    ]
    assert paths(MARKDOWN) == [
        "Doc",
        "Doc › Kenya",
        "Doc › Kenya › Government › Capital",
        "Doc › Kenya › Geography of Kenya",
        "Doc › Setext One › Text over two lines",
    ]


def test_html_by_hand() -> None:
    found = [(each.level, each.title) for each in find_headings(HTML)]
    assert found == [(1, "Kenya & Co"), (2, "Never closed"), (2, "Next"), (3, "Deeper")]
    first = find_headings(HTML)[0]
    assert HTML[first.start : first.end] == '<H1 class="a">Kenya &amp; <b>Co</b></H1 >'
    assert paths(HTML) == [
        "Doc",
        "Doc › Kenya & Co",
        "Doc › Kenya & Co › Never closed",
        "Doc › Kenya & Co › Next › Deeper",
    ]


def test_a_heading_that_repeats_the_title_is_named_once() -> None:
    assert paths("# Kenya\ntext\n## Rivers\nTana", "World › Kenya") == [
        "World › Kenya",
        "World › Kenya › Rivers",
    ]
    assert paths("# Kenya\ntext", "") == ["Kenya"]
    assert paths("no heading", "T") == ["T"]


def test_chunks_do_not_cross_sections() -> None:
    text = "# A\nOne two.\n# B\nThree four.\n## C\n" + "Five six seven. " * 20
    documents = [Document("d", text, "Doc"), Document("e", " ")]
    chunks, counts = cut_documents(documents, WordTokenizer(), ChunkConfig(by="headings", tokens=24))
    assert [chunk.title for chunk in chunks[:3]] == ["Doc › A", "Doc › B", "Doc › B › C"]
    assert chunks[0].text == "# A\nOne two."
    assert chunks[0].passage == "Doc › A\n# A\nOne two."
    assert (counts.documents, counts.empty, counts.sentences_cut) == (2, 1, 0)
    assert len(chunks) > 4


MARKUP = (
    "# a\n|## b\n|c\n===\n|```\n|~~~\n|---\n|word. |\n|\r\n|<h1>x</h1>|<h2>y|<p>|</h1 >|<!--|-->|<script>"
    "|</script>|<![if x|<|&amp;|\ud800|é|<!DOCTYPE html>"
)
PIECES = st.lists(st.sampled_from(MARKUP.split("|")), max_size=40).map("".join)


@given(PIECES, st.sampled_from(["", "T", "a very long title that goes on and on " * 3]))
@example("<html><h1>never closed, to the end", "")
@example("<!DOCTYPE html><![if foo", "")
@example("<h1><h2>a", "")
def test_sections_hold_all_and_chunks_fit(text: str, title: str) -> None:
    tokenizer = WordTokenizer()
    document = Document("d", text, title)
    sections = heading_sections(document)
    assert sections[-1].end == len(text)
    for before, after in pairwise(sections):
        assert before.end == after.start
    chunks, counts = cut_documents([document], tokenizer, ChunkConfig(by="headings", tokens=16))
    covered: set[int] = set()
    for chunk in chunks:
        assert chunk.text == text[chunk.start : chunk.end]
        covered |= set(range(chunk.start, chunk.end))
        assert len(tokenizer.token_spans([chunk.passage])[0]) + tokenizer.overhead <= 16
    assert {i for i, character in enumerate(text) if not character.isspace()} <= covered
    assert counts.chunks == len(chunks)


@pytest.mark.parametrize(
    "piece", ["<!--", "<", "<h1", "</", "<h1>", "&", "<![", "```\n", "# \t\n", "# " + " #" * 9]
)
def test_broken_text_takes_no_long_time(piece: str) -> None:
    start = time.process_time()
    heading_sections(Document("d", "<h1>x</h1>" + piece * (100_000 // len(piece))))
    heading_sections(Document("d", piece * (100_000 // len(piece))))
    assert time.process_time() - start < 4


def test_overlap_is_for_windows() -> None:
    with pytest.raises(ConfigError, match="do not overlap"):
        cut_documents([], WordTokenizer(), ChunkConfig(by="headings", overlap=2))
    with pytest.raises(ConfigError, match="more than half of 20"):
        cut_documents([], WordTokenizer(), ChunkConfig(by="tokens", tokens=20, overlap=11))
    with pytest.raises(ConfigError, match="leaves 2 for text"):
        cut_documents([], WordTokenizer(max_tokens=4), ChunkConfig())
