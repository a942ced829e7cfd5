"""Telephone, card and IPv4 numbers in a text; see `curate.personal` for what is taken."""

from __future__ import annotations

import re
from collections.abc import Iterator
from ipaddress import AddressValueError, IPv4Address
from typing import Final

__all__ = ["find_numbers", "luhn"]

#: Start, end and kind.
Found = tuple[int, int, str]

#: Seven characters or more of digits and what groups them: whatever is found lies in one.
#: A set at the front and one behind it is what the engine goes through fastest.
_ZONE = re.compile(r"[0-9][0-9 .\-()/\u00a0\u2010-\u2012]{6,}")
#: Groups are parted by a space, dot or hyphen.
_GAP = r"[ .\-\u00a0\u2010-\u2012]"
_END = r"(?!\w|[.,\-/:][0-9])"
_BEGIN = r"(?<![\w.,+\-/:])"

_IPV4 = re.compile(r"(?<![\w.])[0-9]{1,3}\.[0-9]{1,3}\.[0-9]{1,3}\.[0-9]{1,3}(?!\w|[.\-]\w)")
#: Addresses of one digit each that are addresses: public resolvers.
_SHORT = frozenset(["1.1.1.1", "1.0.0.1", "8.8.8.8", "8.8.4.4", "9.9.9.9"])
#: What stands before a version or the number of a section.
_NUMBERED = re.compile(
    r"(?:\b(?:v|ver|version|revision|rev|release|build|firmware|driver|update|patch|section|sec|chapter|clause|article"
    r"|paragraph|appendix|annex|table|figure|fig|equation|theorem)|§|[A-Za-z]/|[^0-9]-)[.:]?\s{0,2}$",
    re.IGNORECASE,
)

#: What stands before an address. Versions begin with a small number more often than
#: addresses do, so one below 10 needs this, or a port or mask behind it.
_ADDRESSED = re.compile(
    r"(?:\b(?:ip|ips|ipv4|address|addr|host|hosts|server|client|dns|gateway|ping|peer|inet)\b|://|@)"
    r"(?:[ \t]*(?:is|was|at))?[ \t:=\"'`(\[]{0,3}$",
    re.IGNORECASE,
)

_CARD = re.compile(
    _BEGIN + r"[2-6](?:[0-9]{12,18}"
    r"|[0-9]{3}([ -])[0-9]{4}\1[0-9]{4}\1[0-9]{4}(?:\1[0-9]{3})?"
    r"|[0-9]{3}([ -])[0-9]{6}\2[0-9]{4,5})" + _END
)
#: Issuers' numbers and the lengths of their cards (ISO/IEC 7812).
_ISSUERS: Final = (
    (re.compile("4"), (13, 16, 19)),  # Visa
    (re.compile("5[1-5]|222[1-9]|22[3-9]|2[3-6]|27[01]|2720"), (16,)),  # Mastercard
    (re.compile("3[47]"), (15,)),  # American Express
    (re.compile("6011|64[4-9]|65"), (16, 17, 18, 19)),  # Discover
    (re.compile("35(?:2[89]|[3-8])"), (16, 17, 18, 19)),  # JCB
    (re.compile("30[0-5]|3095|36|3[89]"), (14, 15, 16, 17, 18, 19)),  # Diners Club
    (re.compile("62"), (16, 17, 18, 19)),  # UnionPay
    (re.compile("50(?:18|20|38)|5893|6304|6759|676[1-3]"), tuple(range(13, 20))),  # Maestro
)

_INTERNATIONAL = re.compile(
    rf"(?<![\w+.])\+[1-9][0-9]{{0,2}}(?:{_GAP}?(?:\([0-9]{{1,5}}\)|[0-9])){{6,14}}(?!\w|[.,/][0-9])"
)
_NATIONAL = re.compile(
    _BEGIN + r"(?:"
    # North America: (212) 555-0123, 212-555-0123, 1.212.555.0123
    r"(?:1[-. ]?)?\([2-9][0-9]{2}\)[ -]?[2-9][0-9]{2}[-. ][0-9]{4}"
    r"|(?:1([-.]))?[2-9][0-9]{2}([-.])[2-9][0-9]{2}\2[0-9]{4}"
    # A trunk zero: (020) 7946 0958, 020 7946 0958, 01 23 45 67 89
    r"|\(0[1-9][0-9]{1,4}\) ?[0-9]{3,4}[ -]?[0-9]{3,4}"
    r"|0[1-9][0-9]{1,3}([ -])[0-9]{3,4}\3[0-9]{3,4}"
    r"|(?<![0-9][ .\-])0[1-9]([ .\-])[0-9]{2}(?:\4[0-9]{2}){3}(?!\4[0-9])"
    r")" + _END
)
_ANY_GROUPING = re.compile(rf"\(?[0-9](?:[()]{{0,2}}{_GAP}?[()]{{0,2}}[0-9]){{6,14}}" + _END)
#: What says that a telephone number follows.
_CALLED = re.compile(
    r"\b(?:tel|telephone|phone|ph|mobile|mob|cell|cellphone|fax|telefax|whatsapp|hotline|call|dial|sms|tél"
    r"|téléphone|telefon|teléfono|telefone|telefono|handy)\b\.?"
    r"(?:[ \t]*(?:no|nr|num|number|us|me|him|her|them|at|on|is|office|home|work)\b\.?)*[ \t:#=()\-–]*$",
    re.IGNORECASE,
)
#: What says that another kind of number follows.
_OTHERWISE = re.compile(
    r"(?:isbn(?:-1[03])?|issn|doi|ean|upc|gtin|sku|oclc|pmid|orcid|arxiv|lccn|asin|patent|serial|iban|vat"
    r"|:(?://)\S*)[^\n0-9]{0,12}$",
    re.IGNORECASE,
)
_DATE = re.compile(
    r"(?:19|20)[0-9]{2}(?:[ ./\-\u2010-\u2012](?:0?[1-9]|[12][0-9]|3[01])\b"
    r"|[ \-\u2010-\u2012](?:19|20)[0-9]{2}\b)"
)
_BEFORE = 48  # characters looked at before a number


def luhn(digits: str) -> bool:
    """Whether the last digit is the check digit of the others (ISO/IEC 7812-1, annex B).

    >>> luhn("4111111111111111"), luhn("4111111111111112")
    (True, False)
    """
    doubled = (int(digit) * 2 for digit in digits[-2::-2])
    return (sum(value - 9 * (value > 9) for value in doubled) + sum(map(int, digits[::-2]))) % 10 == 0


def find_numbers(text: str) -> Iterator[Found]:
    """Yield telephone, card and IPv4 numbers; they may overlap."""
    for zone in _ZONE.finditer(text):
        start, end = zone.span()
        while start > 0 and text[start - 1] in "+(":
            start -= 1
        stop = min(end + 2, len(text))  # what follows is looked at, not taken
        dots = text.count(".", start, end)
        if dots > 2:
            yield from _ipv4(text, start, stop)
        if sum(map(str.isdigit, zone.group())) < 7 or _OTHERWISE.search(text, max(0, start - _BEFORE), start):
            continue
        yield from _cards(text, start, stop)
        yield from _phones(text, start, stop)


def _ipv4(text: str, start: int, stop: int) -> Iterator[Found]:
    for match in _IPV4.finditer(text, start, stop):
        if _NUMBERED.search(text, max(0, match.start() - 14), match.start()):
            continue
        name = match.group()
        if name[1] == "." and name not in _SHORT and not _is_addressed(text, *match.span()):
            continue
        try:
            public = IPv4Address(name).is_global
        except AddressValueError:
            continue
        if public:
            yield match.start(), match.end(), "ip"


def _is_addressed(text: str, start: int, end: int) -> bool:
    after = text[end : end + 2]
    if len(after) == 2 and after[0] in ":/" and after[1].isdigit():
        return True
    return _ADDRESSED.search(text, max(0, start - _BEFORE), start) is not None


def _digits(text: str) -> str:
    return "".join(filter(str.isdigit, text))


def _cards(text: str, start: int, stop: int) -> Iterator[Found]:
    for match in _CARD.finditer(text, start, stop):
        digits = _digits(match.group())
        known = any(issuer.match(digits) and len(digits) in lengths for issuer, lengths in _ISSUERS)
        if known and len(set(digits)) > 1 and luhn(digits):
            yield match.start(), match.end(), "card"


def _phones(text: str, start: int, stop: int) -> Iterator[Found]:
    if "+" in text[start:stop]:
        for match in _INTERNATIONAL.finditer(text, start, stop):
            if _is_international(match.group()):
                yield match.start(), match.end(), "phone"
    for match in _NATIONAL.finditer(text, start, stop):
        if 10 <= len(_digits(match.group())) <= 11:
            yield match.start(), match.end(), "phone"
    if _CALLED.search(text, max(0, start - _BEFORE), start):
        called = _ANY_GROUPING.search(text, start, stop)
        if called and called.start() <= start + 1 and _is_called(called.group()):
            yield called.start(), called.end(), "phone"


def _is_international(name: str) -> bool:
    digits = _digits(name)
    if not 8 <= len(digits) <= 15 or digits.endswith("000000") or _DATE.match(name, 1):
        return False
    gaps = [mark for mark in name[1:] if not mark.isdigit()]
    if gaps == ["."]:  # +48.856614 is a coordinate
        return False
    return bool(gaps) or len(digits) >= 10


def _is_called(name: str) -> bool:
    digits = _digits(name)
    gaps = [mark for mark in name if not mark.isdigit()]
    return (
        gaps != ["."] and not _DATE.match(name) and not digits.endswith("0000000") and "000 000" not in name
    )
