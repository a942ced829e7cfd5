"""US ZIP codes: the state by the first three digits.

A number of five digits is a postal code in a third of all countries, so the caller says that
the codes are American ones: the column is called ZIP, or the row's country is the United States.
"""

from __future__ import annotations

import re
from typing import Any

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from hinterland.core.us_states import by_code, state_code, zip_state

__all__ = ["plain_zip", "zip_place", "zip_places"]

_ZIP = re.compile(r"(\d{3,5})(?:\.0+)?|(\d{5})[-\s]?(\d{4})")
_STATE_ZIP = re.compile(r"([A-Za-z]{2})[,\s]+(\d{5}(?:-\d{4})?)")
#: Fewest digits that a ZIP code has left after a program took it for a number: 501 is 00501.
_FEWEST = 3


def plain_zip(value: Any) -> str | None:
    """Return the five digits of a ZIP code, or null if it is none.

    Numbers and digits that lost their leading zeros get them back; of nine digits the first
    five count.

    >>> plain_zip("02139-4307"), plain_zip(2139), plain_zip("021394307"), plain_zip("K1A 0B1")
    ('02139', '02139', '02139', None)
    """
    if isinstance(value, int | float) and not isinstance(value, bool):
        if not (np.isfinite(value) and value == int(value) and value >= 0):
            return None
        digits = str(int(value))
        if len(digits) > 5:  # ZIP+4 as a number
            return digits.zfill(9)[:5] if len(digits) <= 9 else None
        return digits.zfill(5) if len(digits) >= _FEWEST else None
    match = _ZIP.fullmatch(value.strip()) if isinstance(value, str) else None
    if not match:
        return None
    return (match[1] or match[2]).zfill(5)


def zip_place(value: Any) -> tuple[str, str | None] | None:
    """Return the country and the state of a ZIP code, or null if it is none or not in use.

    The state is null for post of the armed forces (AA, AE, AP), which lies anywhere, and
    where the country is a territory or associated state of its own. "MA 02139" is read too,
    where both agree.

    >>> zip_place("90210"), zip_place("00901"), zip_place("09007"), zip_place("00000")
    (('USA', 'CA'), ('PRI', None), ('USA', None), None)
    """
    said = _STATE_ZIP.fullmatch(value.strip()) if isinstance(value, str) else None
    code = plain_zip(said[2] if said else value)
    state = zip_state(code) if code else None
    if state is None or (said and state_code(said[1]) != state):
        return None
    if state not in by_code():
        return "USA", None
    country = by_code()[state].iso3
    return country, state if country == "USA" else None


def zip_places(values: pa.Array) -> tuple[NDArray[np.object_], NDArray[np.object_]]:
    """Return country and state of many ZIP codes, null where there is none, shape (rows,) each.

    Each distinct value is looked up once.
    """
    encoded = values if pa.types.is_dictionary(values.type) else values.dictionary_encode()
    found = [zip_place(value) or (None, None) for value in encoded.dictionary.to_pylist()]
    indices = encoded.indices.cast(pa.int64()).fill_null(len(found)).to_numpy(zero_copy_only=False)
    table = np.empty((len(found) + 1, 2), dtype=object)
    for number, pair in enumerate(found):
        table[number] = pair
    return table[indices, 0], table[indices, 1]
