"""Where personal data stands in a text: e-mail and IP addresses, phone and card numbers.

Patterns with checks, made for precision: a number that could as well be a date, a version,
a measure or an ISBN is not taken. An address counts only if it is public (a private or
documentation address names nobody), a card number only with a known issuer, a usual
grouping and a right check digit (Luhn), a phone number only in international form, in the
grouping of a country that has one of its own, or behind a word like "tel". Names, postal
addresses and other identifiers are not looked for.
"""

from __future__ import annotations

import re
from bisect import bisect
from collections.abc import Iterator
from ipaddress import AddressValueError, IPv6Address, IPv6Network
from typing import Final, NamedTuple

from hinterland.curate.personal_numbers import find_numbers

__all__ = ["KINDS", "Span", "find_personal"]

#: What is looked for; where two overlap the first named stays.
KINDS: Final = ("email", "ip", "card", "phone")


class Span(NamedTuple):
    """Personal data in a text.

    Attributes:
        start: Its first character.
        end: The character after it.
        kind: One of `KINDS`.
    """

    start: int
    end: int
    kind: str


def find_personal(text: str) -> list[Span]:
    """Return what is found in ``text``, in its order; no two overlap."""
    found = list(_emails(text)) if "@" in text else []
    if text.count(":") > 1:
        found += _ipv6(text)
    found += (Span(*span) for span in find_numbers(text))
    if len(found) < 2:
        return found
    taken: list[Span] = []  # in the text's order
    for span in sorted(found, key=lambda span: (KINDS.index(span.kind), span.start)):
        place = bisect(taken, span)
        free_before = place == 0 or taken[place - 1].end <= span.start
        if free_before and (place == len(taken) or span.end <= taken[place].start):
            taken.insert(place, span)
    return taken


_DOMAIN = re.compile(r"(?:[^\W_](?:[\w\-]{0,61}[^\W_])?\.){1,8}[^\W\d_]{2,24}(?![\w\-]*[^\W_])")
_SCHEME = re.compile(r"[A-Za-z][A-Za-z0-9+.\-]*://\S*$")
_FILE_SUFFIXES = frozenset(
    [
        "avif", "bmp", "css", "gif", "html", "ico", "jpeg", "jpg", "js", "json", "md", "mp", "pdf", "png",
        "py", "svg", "ts", "tsx", "txt", "webp", "xml", "yaml", "yml",
    ]
)  # fmt: skip
_LOCAL_LENGTH = 64


def _emails(text: str) -> Iterator[Span]:
    at = text.find("@")
    while at >= 0:
        domain = _DOMAIN.match(text, at + 1)
        if domain and _is_domain(text, domain):
            start = _local_start(text, at)
            # user:password@host in an address of the web is no mail address.
            if start < at and not _SCHEME.search(text, max(0, start - 120), start):
                yield Span(start, domain.end(), "email")
        at = text.find("@", at + 1)


def _local_start(text: str, at: int) -> int:
    """Return where the part before the @ begins; ``at`` if there is none."""
    start = at
    while (
        start > 0
        and at - start < _LOCAL_LENGTH
        and (text[start - 1].isalnum() or text[start - 1] in "._%+-'")
    ):
        start -= 1
    while start < at and text[start] in ".'":
        start += 1
    local = text[start:at]
    return at if not local or local[-1] in ".'" or ".." in local else start


def _is_domain(text: str, domain: re.Match[str]) -> bool:
    name, after = domain.group(), text[domain.end() : domain.end() + 2]
    if name.rpartition(".")[2].lower() in _FILE_SUFFIXES or (name[0].isdigit() and name[1:2] == "."):
        return False  # image@2x.png, package@1.0-beta.rc
    return not (len(after) == 2 and after[0] == ":" and (after[1].isalnum() or after[1] in "/~"))  # host:path


_IPV6 = re.compile(r"(?<![\w:.])[23][0-9A-Fa-f]{3}:(?:[0-9A-Fa-f]{0,4}:){1,6}[0-9A-Fa-f]{0,4}(?![\w:])")
_GLOBAL_UNICAST = IPv6Network("2000::/3")


def _ipv6(text: str) -> Iterator[Span]:
    for match in _IPV6.finditer(text):
        try:
            address = IPv6Address(match.group())
        except AddressValueError:
            continue
        if address in _GLOBAL_UNICAST and address.is_global:
            yield Span(match.start(), match.end(), "ip")
