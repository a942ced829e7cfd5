"""The page: self-contained, escaped, accessible."""

from __future__ import annotations

import base64
import hashlib
import json
from html.parser import HTMLParser

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hinterland.core.charts import bar_chart
from hinterland.core.page import Cell, figure_html, fill, json_block, page, panels_html, table_html

VOID = {"meta", "link", "br", "img", "input"}


class Reader(HTMLParser):
    """Collects tags and text, and checks that they nest."""

    def __init__(self) -> None:
        super().__init__()
        self.open: list[str] = []
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.text: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))
        if tag not in VOID:
            self.open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag

    def handle_data(self, data: str) -> None:
        self.text.append(data)


def read(html: str) -> Reader:
    reader = Reader()
    reader.feed(html)
    assert reader.open == []
    return reader


def test_page_is_whole_and_loads_nothing() -> None:
    body = figure_html(bar_chart([("a", 1.0)], title="t"), "A caption")
    html = page("Audit of <x>", body, nav=[("#map", "Map & more")], footer="From me.")
    reader = read(html)
    names = [tag for tag, _ in reader.tags]
    assert {"main", "header", "nav", "footer", "figure", "h1"} <= set(names)
    assert ("a", {"class": "skip", "href": "#main"}) in reader.tags
    assert not {"link", "img", "iframe"} & set(names)
    assert not any(a.get("src") or (a.get("href") or "#")[0] != "#" for _, a in reader.tags)
    assert "default-src 'none'" in html
    assert "Audit of &lt;x&gt;" in html
    assert "Map &amp; more" in html
    assert "prefers-color-scheme: dark" in html
    assert "@media print" in html


def test_table_sets_numbers_right_and_sorts_by_value() -> None:
    rows = [["Oceania", 1200, Cell("41% [36, 47]", 0.41), None], ["<b>", 5, Cell("–", float("nan")), 0.5]]
    html = str(table_html(["Group", "n", "Kept", "Ratio"], rows, caption="C & D", muted=[False, True]))
    reader = read(html)
    assert "<th scope=row>&lt;b&gt;</th>" in html.replace('"', "")
    cells = [attrs for tag, attrs in reader.tags if tag == "td"]
    assert [c.get("data-sort") for c in cells] == ["1200", "0.41", None, "5", "", "0.5"]
    assert all(c.get("class") == "n" for c in cells)
    assert "1,200" in html
    assert "<caption>C &amp; D</caption>" in html
    assert html.count("class=muted") == 1
    assert "data-sortable" in html


def test_table_of_one_row_does_not_sort() -> None:
    assert "data-sortable" not in table_html(["a"], [["x"]])
    assert "data-sortable" not in table_html(["a"], [["x"], ["y"]], sortable=False)


def test_table_refuses_ragged_rows() -> None:
    with pytest.raises(ValueError, match="row 1 has 1 cells, the table has 2"):
        table_html(["a", "b"], [[1, 2], [1]])


def test_links() -> None:
    assert '<a href="steps/x.html">step</a>' in table_html(["a"], [[Cell("step", href="steps/x.html")]])


def test_fill_escapes() -> None:
    assert fill("<p>{{ x }}</p>", x="<script>") == "<p>&lt;script&gt;</p>"


@settings(max_examples=40, deadline=None)
@given(st.text(max_size=20), st.text(max_size=20))
def test_any_words_are_safe(one: str, two: str) -> None:
    html = page(one, str(table_html([one, "b"], [[two, 1.5], [one, 2]], caption=two)), footer=two)
    tags = [tag for tag, _ in read(html.replace("\r", "")).tags]
    assert tags.count("tr") == 3
    assert tags.count("script") == 1


def test_the_page_names_its_script_by_hash() -> None:
    html = page("t", "", script="window.more = 1;")
    script = html.split("<script>")[1].split("</script>")[0]
    digest = base64.b64encode(hashlib.sha256(script.encode()).digest()).decode()
    assert f"script-src 'sha256-{digest}'" in html
    assert "script-src 'unsafe-inline'" not in html
    assert script.endswith("window.more = 1;")


def test_data_cannot_end_its_block() -> None:
    value = {"a": "</script><script>alert(1)</script>", "b": ["\u2028", "é", None, 1.5]}
    block = str(json_block("data", value))
    assert block.count("<") == 2
    inner = block[block.index(">") + 1 : block.rindex("<")]
    assert json.loads(inner) == value
    with pytest.raises(ValueError, match="not JSON compliant"):
        json_block("data", float("nan"))


def test_panels_are_all_there_to_read() -> None:
    html = str(panels_html("Choose", [("g", "one", fill("<p>1</p>")), ("g", "two", fill("<p>2</p>"))]))
    names = [tag for tag, _ in read(html).tags]
    assert names.count("details") == 2
    assert "<p>1</p>" in html
    assert "<p>2</p>" in html
    assert "details" not in panels_html("Choose", [("", "only", fill("x"))])


def test_words_lose_their_control_characters() -> None:
    assert fill("<p>{{ x }}</p>", x="a\x00\x1bb\ud800") == "<p>ab</p>"
