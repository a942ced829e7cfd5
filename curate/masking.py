"""Masking personal data: each place becomes a token that says what stood there."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Final

from hinterland.core.errors import ConfigError, nearest
from hinterland.curate.personal import KINDS, find_personal

__all__ = ["TOKENS", "mask"]

#: The tokens do not change between versions: models are trained with them.
TOKENS: Final = {"email": "<EMAIL>", "phone": "<PHONE>", "ip": "<IP>", "card": "<CARD>"}


def mask(texts: Sequence[str], kinds: Iterable[str] = KINDS) -> list[str]:
    """Return the texts with personal data of the given kinds replaced by `TOKENS`.

    What is replaced is what the filter `pii` counts, whichever kinds are asked for.

    Args:
        texts: The documents.
        kinds: Of "email", "phone", "ip" and "card".

    Raises:
        ConfigError: A kind is unknown.
    """
    wanted = set(kinds)
    for kind in sorted(wanted - set(KINDS)):
        raise ConfigError(f"no kind {kind!r} of personal data", where="pii", cure=nearest(kind, KINDS))
    return [_masked(text, wanted) for text in texts]


def _masked(text: str, kinds: set[str]) -> str:
    parts: list[str] = []
    done = 0
    for span in find_personal(text):
        if span.kind in kinds:
            parts += (text[done : span.start], TOKENS[span.kind])
            done = span.end
    return "".join((*parts, text[done:])) if parts else text
