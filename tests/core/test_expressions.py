"""Conditions over score columns, against plain Python on one document at a time."""

from __future__ import annotations

import operator
from collections.abc import Callable
from contextlib import suppress
from typing import Any

import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from hinterland.core.errors import ConfigError
from hinterland.core.expressions import parse
from hinterland.curate.score_columns import TableColumns

TABLE = TableColumns(
    pa.table(
        {
            "id": ["a", "b", "c", "d"],
            "gopher_quality@dolma.words": [10.0, 50.0, None, 80.0],
            "lang.agree": [True, False, None, True],
            "lang": ["en", None, "de", "fr"],
            "none": pa.nulls(4),
        }
    )
)
WORDS = "`gopher_quality@dolma.words`"


@pytest.mark.parametrize(
    ("text", "true", "unknown"),
    [
        (f"{WORDS} < 50 and lang.agree", "a", "c"),
        (f"{WORDS} < 50 or lang.agree", "ad", "c"),
        ("not lang.agree", "b", "c"),
        ("lang.agree", "ad", "c"),
        ("lang.agree == True", "ad", "c"),
        ("lang != 'en'", "cd", "b"),
        ("lang > 'de'", "ad", "b"),
        ('lang in ["en", "fr"]', "ad", "b"),
        ("lang not in ('de',)", "ad", "b"),
        ("lang in []", "", "b"),
        (f"{WORDS} in [10, -80, 80]", "ad", "c"),
        ("lang == None", "b", ""),
        ("None is not lang", "acd", ""),
        (f"isnan({WORDS}) or ismissing(lang)", "bc", ""),
        (f"3 < {WORDS} / 2 <= 25", "ab", "c"),
        (f"1 / ({WORDS} - 10) > 0", "bd", "ac"),
        (f"log({WORDS} - 50) > 0", "d", "abc"),
        (f"abs(-{WORDS} + 60) <= 20", "bd", "c"),
        (f"log2({WORDS} - 48) == 1 or log10({WORDS} * 10) == 2", "ab", "c"),
        (f"sqrt({WORDS} - 49) == 1", "b", "ac"),
        (f"min({WORDS}, 60) == 60 and max(1, {WORDS}, 70) == 80", "d", "c"),
        ("(lang == 'en') + +1 == 2", "a", "b"),
        ("none > 3", "", "abcd"),
        ("none == 'x'", "", "abcd"),
        ("none in ['x']", "", "abcd"),
        ("True", "abcd", ""),
        ("not True", "", ""),
        ("'a' == 'a'", "abcd", ""),
    ],
)
def test_worked_by_hand(text: str, true: str, unknown: str) -> None:
    yes, open_ = parse(text).holds(TABLE)
    assert "".join(name for name, each in zip("abcd", yes, strict=True) if each) == true
    assert "".join(name for name, each in zip("abcd", open_, strict=True) if each) == unknown


def test_it_knows_its_columns() -> None:
    assert parse(f"{WORDS} < 5 and lang.agree and lang.agree > 0 or x == '`y`'").columns == (
        "gopher_quality@dolma.words",
        "lang.agree",
        "x",
    )


@pytest.mark.parametrize(
    ("text", "found", "place"),
    [
        ("", "not an expression", "▸"),
        ("lang ==", "not an expression", "▸"),
        (f"{WORDS} < 5 and x :=", "not an expression", f"{WORDS} < 5 and x ▸:="),
        (f"{WORDS} > 1 and lang.agre", "no column 'lang.agre'", f"{WORDS} > 1 and ▸lang.agre"),
        ("é == 1 or lang.agre", "no column 'é'", "▸é == 1"),
        ("'é' == lang or lang.agre", "no column 'lang.agre'", "'é' == lang or ▸lang.agre"),
        ("lang < 5", "a number is compared with a string", "▸lang < 5"),
        ("lang in [1]", "among strings", "▸lang in [1]"),
        ("lang", "a string is not a condition", "▸lang"),
        ("lang.agree + 'x' > 1", "a string where a number is needed", "lang.agree + ▸'x'"),
        ("foo(1)", "no function 'foo'", "▸foo"),
        ("abs(1, 2)", "abs of 2 values", "▸abs"),
        ("gopher@dolma.words < 3", "an @ in a name", "▸gopher"),
        ("__import__('os').system('x')", "Call is not part", "▸__import__"),
        ("lang.lower() == 'x'", "Call is not part", "▸lang"),
        ("lang[0] == 'x'", "Subscript is not part", "▸lang"),
        ("[x for x in lang]", "ListComp is not part", "▸["),
        ("lambda: 1", "Lambda is not part", "▸lambda"),
        ("1 if lang else 2", "IfExp is not part", "▸1"),
        ("f'{lang}' == 'x'", "JoinedStr is not part", "▸f'"),
        ("2 ** 9999999 > 1", "BinOp is not part", "▸2"),
        ("1j > 2", "Constant is not part", "▸1j"),
        (f"1{'0' * 400} > 2", "a number too large", "▸1"),
        ("max(1, *lang)", "Starred is not part", "▸*lang"),
        ("max(1, 2, key=3)", "Call is not part", "▸max"),
        ("lang in 'en'", "needs a list", "▸'en'"),
        ("lang in ['a', 1]", "a list of numbers and strings", "▸["),
        ("lang in [lang]", "needs a list", "▸["),
        ("lang is 'en'", "for None alone", "▸lang"),
        ("ꀀ > 1", "Yi script", ""),
        ("(" * 300, "not an expression", ""),
        ("1" + " + 1" * 300 + " > 1", "nested too deep", ""),
    ],
)
def test_what_is_not_in_the_language_is_refused_with_its_place(text: str, found: str, place: str) -> None:
    with pytest.raises(ConfigError, match=found) as caught:
        parse(text, where="drop").holds(TABLE)
    assert caught.value.where.startswith("drop: ")
    assert place in caught.value.where


@pytest.mark.parametrize(
    ("text", "bound"),
    [
        (f"{WORDS} >= 5", (WORDS.strip("`"), ">=", 5.0)),
        ("x <= -1", ("x", "<=", -1.0)),
        ("0.5 <= a.b", ("a.b", ">=", 0.5)),
        ("0.5 > x", ("x", "<=", 0.49999999999999994)),
        ("x > 0.5", ("x", ">=", 0.5000000000000001)),
        ("x == 3", None),
        ("x < y", None),
        ("'a' < x", None),
        ("1 < x < 3", None),
        ("x", None),
        ("not x > 3", None),
    ],
)
def test_a_condition_that_is_one_threshold(text: str, bound: tuple[str, str, float] | None) -> None:
    assert parse(text).threshold() == bound


def test_the_nearest_column_is_named() -> None:
    with pytest.raises(ConfigError, match=r"did you mean 'lang.agree'"):
        parse("lang.agre").check(TABLE.names)


# A tree is its text and a function of one document; None is missing.
Tree = tuple[str, Callable[[dict[str, float | None]], Any]]


def _both(function: Callable[..., Any]) -> Callable[..., Any]:
    return lambda *values: None if None in values else function(*values)


def _and(left: bool | None, right: bool | None) -> bool | None:
    if left is False or right is False:
        return False
    return None if None in (left, right) else True


def _divide(left: float, right: float) -> float | None:
    return None if right == 0 else left / right


def _numbers(inner: st.SearchStrategy[Tree]) -> st.SearchStrategy[Tree]:
    operators: list[tuple[str, Callable[..., Any]]] = [
        ("({} + {})", operator.add),
        ("({} - {})", operator.sub),
        ("({} * {})", operator.mul),
        ("({} / {})", _divide),
        ("min({}, {})", min),
        ("max({}, {})", max),
    ]
    return st.one_of(
        st.builds(
            lambda form, one, two: (
                form[0].format(one[0], two[0]),
                lambda row: _both(form[1])(one[1](row), two[1](row)),
            ),
            st.sampled_from(operators),
            inner,
            inner,
        ),
        st.builds(lambda one: (f"abs(-{one[0]})", lambda row: _both(abs)(one[1](row))), inner),
    )


NUMBERS: st.SearchStrategy[Tree] = st.recursive(
    st.one_of(
        st.sampled_from("xyz").map(lambda name: (f"f.{name}", lambda row: row[name])),
        st.integers(0, 3).map(lambda number: (str(number), lambda row: float(number))),
    ),
    _numbers,
    max_leaves=4,
)
COMPARED: st.SearchStrategy[Tree] = st.one_of(
    st.builds(
        lambda sign, one, two: (
            f"{one[0]} {sign[0]} {two[0]}",
            lambda row: _both(sign[1])(one[1](row), two[1](row)),
        ),
        st.sampled_from(
            [
                ("<", operator.lt),
                ("<=", operator.le),
                (">", operator.gt),
                ("!=", operator.ne),
                ("==", operator.eq),
            ]
        ),
        NUMBERS,
        NUMBERS,
    ),
    st.builds(lambda one: (f"ismissing({one[0]})", lambda row: one[1](row) is None), NUMBERS),
    st.builds(
        lambda one: (f"{one[0]} in [0, 1]", lambda row: _both(lambda v: v in (0, 1))(one[1](row))), NUMBERS
    ),
)
CONDITIONS: st.SearchStrategy[Tree] = st.recursive(
    COMPARED,
    lambda inner: st.one_of(
        st.builds(
            lambda one, two: (f"({one[0]} and {two[0]})", lambda row: _and(one[1](row), two[1](row))),
            inner,
            inner,
        ),
        st.builds(
            lambda one, two: (
                f"({one[0]} or {two[0]})",
                lambda row: _both(operator.not_)(
                    _and(_both(operator.not_)(one[1](row)), _both(operator.not_)(two[1](row)))
                ),
            ),
            inner,
            inner,
        ),
        st.builds(lambda one: (f"not ({one[0]})", lambda row: _both(operator.not_)(one[1](row))), inner),
    ),
    max_leaves=4,
)
ROWS = st.lists(
    st.fixed_dictionaries({name: st.one_of(st.none(), st.integers(-2, 3).map(float)) for name in "xyz"}),
    min_size=1,
    max_size=6,
)


@given(CONDITIONS, ROWS)
def test_all_at_once_is_as_one_by_one(tree: Tree, rows: list[dict[str, float | None]]) -> None:
    text, plain = tree
    table = pa.table({f"f.{name}": pa.array([row[name] for row in rows], pa.float64()) for name in "xyz"})
    yes, unknown = parse(text).holds(TableColumns(table))
    expected = [plain(row) for row in rows]
    assert yes.tolist() == [each is True for each in expected]
    assert unknown.tolist() == [each is None for each in expected]


@given(st.text(max_size=30))
def test_any_text_is_parsed_or_refused(text: str) -> None:
    with suppress(ConfigError):
        assert parse(text).text == text
