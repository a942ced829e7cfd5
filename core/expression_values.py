"""What an expression is worth, for all documents at once; see `core.expressions`."""

from __future__ import annotations

import ast
import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

import numpy as np
from numpy.typing import NDArray

if TYPE_CHECKING:
    from hinterland.core.expressions import Expression

__all__ = ["Evaluation", "Truth", "constant"]

Bools = NDArray[np.bool_]
_NONE: Final = np.array(None, dtype=object)  # compares with each element

_COMPARE: Final[dict[type[ast.cmpop], Callable[[Any, Any], Any]]] = {
    ast.Lt: np.less,
    ast.LtE: np.less_equal,
    ast.Gt: np.greater,
    ast.GtE: np.greater_equal,
    ast.Eq: np.equal,
    ast.NotEq: np.not_equal,
}
_COMPUTE: Final[dict[type[ast.operator], Callable[[Any, Any], Any]]] = {
    ast.Add: np.add,
    ast.Sub: np.subtract,
    ast.Mult: np.multiply,
    ast.Div: np.divide,
}


_FUNCTIONS: Final[dict[str, Callable[..., Any]]] = {
    "abs": np.abs,
    "log": np.log,
    "log10": np.log10,
    "log2": np.log2,
    "sqrt": np.sqrt,
}
#: Functions that have no value where their last argument is 0.
_NOT_AT_ZERO: Final = {np.divide, np.log, np.log10, np.log2}


@dataclass(frozen=True)
class Truth:
    """For which documents something holds and for which not; unknown is neither."""

    yes: Bools
    no: Bools

    def numbers(self) -> NDArray[np.float64]:
        """Return 1, 0 and NaN for unknown."""
        return np.where(self.yes, 1.0, np.where(self.no, 0.0, math.nan))


def constant(node: ast.expr) -> float | str | None:
    """Return a number or a string that is written out; booleans are 0 and 1."""
    match node:
        case ast.Constant(value=str() as text):
            return text
        case ast.Constant(value=bool() | int() | float() as number):
            return float(number)
        case ast.UnaryOp(op=ast.USub(), operand=ast.Constant(value=int() | float() as number)):
            return -float(number)
    return None


class Evaluation:
    """One walk over a tree, with the columns' values."""

    def __init__(self, whole: Expression, values: dict[str, NDArray[Any]]) -> None:
        self.whole, self.values = whole, values

    def truth(self, node: ast.expr) -> Truth:
        """Return for which documents a condition holds."""
        match node:
            case ast.BoolOp(op=operation, values=parts):
                first, *rest = (self.truth(part) for part in parts)
                for each in rest:
                    first = (
                        Truth(first.yes & each.yes, first.no | each.no)
                        if isinstance(operation, ast.And)
                        else Truth(first.yes | each.yes, first.no & each.no)
                    )
                return first
            case ast.UnaryOp(op=ast.Not(), operand=operand):
                inner = self.truth(operand)
                return Truth(inner.no, inner.yes)
            case ast.Compare(left=left, ops=operations, comparators=rights):
                first, *rest = (
                    self._compare(node, each, one, two)
                    for each, one, two in zip(operations, [left, *rights], rights, strict=False)
                )
                for each in rest:
                    first = Truth(first.yes & each.yes, first.no | each.no)
                return first
            case ast.Call(func=ast.Name(id="isnan" | "ismissing"), args=[operand]):
                return _is_missing(self.value(operand))
        value = self.value(node)
        if value.dtype == object:
            raise self.whole.error_at(node, "a string is not a condition", cure="compare it with == or in")
        return Truth(np.asarray((value != 0) & ~np.isnan(value)), np.asarray(value == 0))

    def _compare(self, node: ast.expr, operation: ast.cmpop, left: ast.expr, right: ast.expr) -> Truth:
        if isinstance(operation, ast.In | ast.NotIn):
            inside = self._inside(node, left, right)
            return inside if isinstance(operation, ast.In) else Truth(inside.no, inside.yes)
        for one, two in ((left, right), (right, left)):
            if isinstance(two, ast.Constant) and two.value is None:
                missing = _is_missing(self.value(one))
                if isinstance(operation, ast.Eq | ast.Is):
                    return missing
                if isinstance(operation, ast.NotEq | ast.IsNot):
                    return Truth(missing.no, missing.yes)
        compare = _COMPARE.get(type(operation))
        if compare is None:
            raise self.whole.error_at(node, "`is` is for None alone", cure="write == or !=")
        values = self.value(left), self.value(right)
        known = ~(_is_missing(values[0]).yes | _is_missing(values[1]).yes)
        if values[0].dtype != values[1].dtype:
            if known.any():
                raise self.whole.error_at(
                    node, "a number is compared with a string", cure="strings stand in quotes, numbers do not"
                )
            return Truth(np.zeros_like(known), np.zeros_like(known))
        if values[0].dtype == object:
            values = np.where(known, values[0], ""), np.where(known, values[1], "")
        found = np.asarray(compare(*values), dtype=bool)
        return Truth(found & known, ~found & known)

    def _inside(self, node: ast.expr, left: ast.expr, right: ast.expr) -> Truth:
        items = [constant(each) for each in right.elts]  # type: ignore[attr-defined]
        value = self.value(left)
        known = ~_is_missing(value).yes
        found = np.zeros(value.shape, dtype=bool)
        for item in items:
            if isinstance(item, str) != (value.dtype == object):
                if known.any():
                    raise self.whole.error_at(
                        node, "a number is looked for among strings, or the reverse", cure="use one kind"
                    )
                continue
            found = found | np.asarray(value == item, dtype=bool)
        return Truth(found & known, ~found & known)

    def value(self, node: ast.expr) -> NDArray[Any]:  # noqa: PLR0911 - one for each kind of node
        """Return numbers (NaN for missing) or strings (``None`` for missing)."""
        match node:
            case ast.Constant(value=str() as text):
                return np.array(text, dtype=object)
            case ast.Constant(value=None):
                return np.array(math.nan)
            case ast.Constant(value=bool() | int() | float() as number):
                return np.array(float(number))
            case ast.Name() | ast.Attribute():
                return self.values[str(self.whole.name_of(node))]
            case ast.UnaryOp(op=ast.USub(), operand=operand):
                return np.asarray(-self._number(operand))
            case ast.UnaryOp(op=ast.UAdd(), operand=operand):
                return self._number(operand)
            case ast.BinOp(op=operation, left=left, right=right):
                return self._compute(_COMPUTE[type(operation)], self._number(left), self._number(right))
            case ast.Call(func=ast.Name(id=name), args=[operand]) if name in _FUNCTIONS:
                return self._compute(_FUNCTIONS[name], self._number(operand))
            case ast.Call(func=ast.Name(id="min" | "max" as name), args=args):
                numbers = np.broadcast_arrays(*(self._number(each) for each in args))
                return np.asarray((np.minimum if name == "min" else np.maximum).reduce(numbers))
        return np.asarray(self.truth(node).numbers())

    def _number(self, node: ast.expr) -> NDArray[np.float64]:
        value = self.value(node)
        if value.dtype == object:
            raise self.whole.error_at(node, "a string where a number is needed", cure="compute with numbers")
        return value

    @staticmethod
    def _compute(function: Callable[..., Any], *values: Any) -> NDArray[Any]:
        with np.errstate(all="ignore"):
            result = np.asarray(function(*values), dtype=np.float64)
        if function in _NOT_AT_ZERO:
            result = np.where(values[-1] == 0, math.nan, result)
        return result


def _is_missing(value: NDArray[Any]) -> Truth:
    missing: Bools = np.asarray(value == _NONE if value.dtype == object else np.isnan(value), dtype=np.bool_)
    return Truth(missing, ~missing)
