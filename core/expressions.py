"""Conditions over columns, as people write them, on all documents at once.

``gopher_quality.words < 50 and not language.agree``. The language is a small part of Python's:

- columns by name (``language.agree``), in backticks where a name is not a Python one
  (`` `gopher_quality@dolma.words` ``);
- numbers, strings in quotes, ``True``, ``False``, ``None``;
- ``and``, ``or``, ``not``; ``<  <=  ==  !=  >=  >``, also in chains (``3 <= x <= 10``);
  ``in`` and ``not in`` a list (``source in ['books', 'web']``);
- ``+ - * /`` and the functions ``abs``, ``log`` (natural), ``log2``, ``log10``, ``sqrt``,
  ``min``, ``max``, ``ismissing`` (also ``isnan``).

Missing values are as in SQL: whatever is computed from or compared with one is unknown,
``not`` unknown is unknown, ``and`` is false if one side is false, ``or`` true if one is
true. A division by zero, the logarithm of what is not positive and the root of what is
negative are missing too. What a condition is unknown for, it does not hold for, so a
document that was not measured passes. To catch those, write ``ismissing(x)`` or
``x == None``.

The text is parsed by Python's parser but never run by Python.
"""

from __future__ import annotations

import ast
import re
import warnings
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Final

import numpy as np
from numpy.typing import NDArray

from hinterland.core.columns import NamedColumns
from hinterland.core.errors import ConfigError, nearest
from hinterland.core.expression_values import Evaluation, constant

__all__ = ["Expression", "parse"]

Bools = NDArray[np.bool_]

_QUOTED = re.compile(r"""'(?:\\.|[^'\\])*'|"(?:\\.|[^"\\])*"|`([^`]*)`""")
#: Stands for a column in backticks while Python's parser looks at it: a letter of the Yi
#: script, which Python allows in a name.
_FIRST, _LAST = 0xA000, 0xA48C
#: Operations inside one another: what is parsed and evaluated by functions that call themselves.
_DEEPEST = 200

_FUNCTIONS: Final = {
    "abs": (1, 1),
    "isnan": (1, 1),
    "ismissing": (1, 1),
    "log": (1, 1),
    "log10": (1, 1),
    "log2": (1, 1),
    "max": (2, 9),
    "min": (2, 9),
    "sqrt": (1, 1),
}


@dataclass(frozen=True)
class Expression:
    """A parsed condition.

    Attributes:
        text: As it was written.
        columns: The columns it names, in order.
        where: Where it stands in the config, for errors.
    """

    text: str
    columns: tuple[str, ...]
    where: str
    _tree: ast.expr = field(repr=False, compare=False)
    _quoted: dict[str, str] = field(repr=False, compare=False)

    def check(self, names: Iterable[str]) -> None:
        """Refuse columns that are not among ``names``.

        Raises:
            ConfigError: There is no such column; the nearest is named.
        """
        known = set(names)
        for name in self.columns:
            if name not in known:
                places = [node for node in ast.walk(self._tree) if self.name_of(node) == name]
                raise self.error_at(places[0], f"there is no column {name!r}", cure=nearest(name, known))

    def holds(self, columns: NamedColumns) -> tuple[Bools, Bools]:
        """Evaluate on all documents.

        Returns:
            For which documents it is true, and for which it is unknown, each (documents,).

        Raises:
            ConfigError: A column is not there, or a number is compared with a string.
        """
        self.check(columns.names)
        values = {name: columns[name] for name in self.columns}
        truth = Evaluation(self, values).truth(self._tree)
        yes, no = (np.broadcast_to(side, len(columns)) for side in (truth.yes, truth.no))
        return yes.copy(), ~(yes | no)

    def numbers(self, columns: NamedColumns) -> NDArray[np.float64]:
        """Compute on all documents; a condition is 1 where it holds and 0 where it does not.

        Returns:
            Numbers with NaN for missing, shape (documents,).

        Raises:
            ConfigError: A column is not there, or the result is a string.
        """
        self.check(columns.names)
        values = {name: columns[name] for name in self.columns}
        result = Evaluation(self, values).value(self._tree)
        if result.dtype == object:
            raise self.error_at(self._tree, "a string where a number is needed", cure="compute with numbers")
        return np.broadcast_to(result, len(columns)).astype(np.float64)

    @property
    def numeric_columns(self) -> frozenset[str]:
        """The columns that stand where only a number can: computed with, or compared with a number."""
        found: set[str | None] = set()
        for node in ast.walk(self._tree):
            match node:
                case ast.BinOp(left=left, right=right):
                    found |= {self.name_of(left), self.name_of(right)}
                case ast.UnaryOp(op=ast.USub() | ast.UAdd(), operand=operand):
                    found.add(self.name_of(operand))
                case ast.Call(func=ast.Name(id=name), args=args) if name not in {"isnan", "ismissing"}:
                    found |= {self.name_of(each) for each in args}
                case ast.Compare(left=left, comparators=rights):
                    sides = [left, *rights]
                    if any(isinstance(constant(each), float) for each in sides):
                        found |= {self.name_of(each) for each in sides}
        return frozenset(name for name in found if name is not None)

    def threshold(self) -> tuple[str, str, float] | None:
        """Return column, ">=" or "<=", and number, where the condition is one bound on one column.

        A strict bound is given as the next number: ``x > 0.5`` holds for the same numbers as
        ``x >= 0.5000000000000001``.
        """
        match self._tree:
            case ast.Compare(left=left, ops=[operation], comparators=[right]):
                name, number, flip = self.name_of(left), constant(right), False
                if name is None:
                    name, number, flip = self.name_of(right), constant(left), True
                upward = isinstance(operation, ast.Gt | ast.GtE) != flip
                if name is None or not isinstance(number, float):
                    return None
                if isinstance(operation, ast.Gt | ast.Lt):
                    number = float(np.nextafter(number, np.inf if upward else -np.inf))
                elif not isinstance(operation, ast.GtE | ast.LtE):
                    return None
                return name, ">=" if upward else "<=", number
        return None

    def name_of(self, node: ast.AST) -> str | None:
        """Return the column that a name or a dotted name stands for."""
        parts: list[str] = []
        while isinstance(node, ast.Attribute):
            parts.append(node.attr)
            node = node.value
        if not isinstance(node, ast.Name):
            return None
        return ".".join([self._quoted.get(node.id, node.id), *reversed(parts)])

    def error_at(self, node: ast.AST, found: str, *, cure: str) -> ConfigError:
        """Return an error that marks a node's place in the text."""
        before = _hidden(self.text)[0].encode()[: getattr(node, "col_offset", 0)].decode()
        return ConfigError(found, where=f"{self.where}: {_mark(self.text, self._column(before))}", cure=cure)

    def _column(self, before: str) -> int:
        """Return the position in the text, given what stands before it with hidden names."""
        return sum(len(self._quoted[each]) + 2 if each in self._quoted else 1 for each in before)


def _mark(text: str, at: int) -> str:
    """Return the text with a mark before the place.

    >>> _mark("a < b", 4)
    'a < ▸b'
    """
    return f"{text[:at]}▸{text[at:]}"


def _hidden(text: str) -> tuple[str, dict[str, str]]:
    """Return the text with one letter for each name in backticks, and those names."""
    names: dict[str, str] = {}

    def hide(match: re.Match[str]) -> str:
        if match.group(1) is None:
            return match.group()
        letter = chr(_FIRST + len(names))
        names[letter] = match.group(1)
        return letter

    return _QUOTED.sub(hide, text), names


def parse(text: str, *, where: str = "expression") -> Expression:
    """Parse a condition and refuse all that is not in the language.

    Args:
        text: The condition.
        where: Its place in the config, for errors.

    Raises:
        ConfigError: It is not in the language; the place is marked with ▸.
    """
    hidden, quoted = _hidden(text)
    if any(_FIRST <= ord(each) <= _LAST for each in text) or len(quoted) > _LAST - _FIRST:
        raise ConfigError("letters of the Yi script", where=f"{where}: {text}", cure="use other names")
    try:
        with warnings.catch_warnings(action="ignore"):  # "\d" in a string is the user's affair
            tree = ast.parse(hidden, mode="eval").body
    except (SyntaxError, ValueError, RecursionError, MemoryError) as error:
        at = (getattr(error, "offset", None) or 1) - 1
        whole = Expression(text, (), where, ast.Constant(0), quoted)
        raise ConfigError(
            f"not an expression: {getattr(error, 'msg', None) or error}",
            where=f"{where}: {_mark(text, whole._column(hidden[:at]))}",
            cure="write a condition such as `gopher_quality.words < 50 and not language.agree`",
        ) from error
    found: dict[str, None] = {}
    draft = Expression(text, (), where, tree, quoted)
    if _is_deeper(tree, _DEEPEST):
        raise ConfigError("nested too deep", where=f"{where}: {text[:80]}…", cure="write it as several rules")
    _check(draft, tree, found)
    return Expression(text, tuple(found), where, tree, quoted)


def _is_deeper(tree: ast.AST, most: int) -> bool:
    """Whether an expression has more than ``most`` operations inside one another."""
    level = [tree]
    for _ in range(most):
        level = [each for node in level for each in ast.iter_child_nodes(node)]
    return bool(level)


def _check(whole: Expression, node: ast.expr, found: dict[str, None]) -> None:  # noqa: PLR0912
    """Refuse what is not in the language, and note the columns."""
    below: list[ast.expr]
    match node:
        case ast.BoolOp(values=below):
            pass
        case ast.UnaryOp(op=ast.Not() | ast.USub() | ast.UAdd(), operand=operand):
            below = [operand]
        case ast.BinOp(op=ast.Add() | ast.Sub() | ast.Mult() | ast.Div(), left=left, right=right):
            below = [left, right]
        case ast.BinOp(op=ast.MatMult()):
            raise whole.error_at(node, "an @ in a name", cure="write the column in backticks, `a@b.c`")
        case ast.Compare(left=left, ops=ops, comparators=comparators):
            below = [left]
            for operation, right in zip(ops, comparators, strict=True):
                if isinstance(operation, ast.In | ast.NotIn):
                    _check_list(whole, right)
                else:
                    below.append(right)
        case ast.Call(func=ast.Name(id=name), args=below, keywords=[]):
            if name not in _FUNCTIONS:
                raise whole.error_at(node, f"there is no function {name!r}", cure=nearest(name, _FUNCTIONS))
            fewest, most = _FUNCTIONS[name]
            if not fewest <= len(below) <= most:
                raise whole.error_at(
                    node,
                    f"{name} of {len(below)} values",
                    cure="give it one" if most == 1 else f"give it {fewest} to {most}",
                )
        case ast.Constant(value=int() | float() as number) if not abs(number) < 1e300:
            raise whole.error_at(node, "a number too large", cure="write a smaller one")
        case ast.Constant(value=bool() | int() | float() | str() | None):
            below = []
        case ast.Name() | ast.Attribute() if whole.name_of(node) is not None:
            found.setdefault(str(whole.name_of(node)))
            below = []
        case _:
            raise whole.error_at(
                node,
                f"{type(node).__name__} is not part of an expression",
                cure="use columns, numbers, 'strings', and or not, comparisons, in [...], + - * /, "
                + ", ".join(sorted(_FUNCTIONS)),
            )
    for each in below:
        _check(whole, each, found)


def _check_list(whole: Expression, node: ast.expr) -> None:
    items = node.elts if isinstance(node, ast.List | ast.Tuple | ast.Set) else None
    if items is None or not all(constant(each) is not None for each in items):
        raise whole.error_at(
            node, "`in` needs a list of numbers or strings", cure="write in ['books', 'web']"
        )
    if len({isinstance(constant(each), str) for each in items}) > 1:
        raise whole.error_at(node, "a list of numbers and strings", cure="compare with one kind")
