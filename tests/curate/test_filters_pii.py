"""Personal data: tables of what is taken and what is not, made by hand."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hinterland.curate.filters.pii import Pii
from hinterland.curate.personal import find_personal
from hinterland.curate.personal_numbers import luhn

TAKEN = {
    "email": [
        ("write to jane.doe@example.com.", "jane.doe@example.com"),
        ("<a href='mailto:info+web@mail.example.co.uk'>", "info+web@mail.example.co.uk"),
        ("(o'neil_7@uni-köln.de)", "o'neil_7@uni-köln.de"),
        ("'quoted@example.org'", "quoted@example.org"),
        ("A%B-c@sub.example.museum,", "A%B-c@sub.example.museum"),
        ("...dots@example.com", "dots@example.com"),
        ("mail x@example.com: it works", "x@example.com"),
    ],
    "ip": [
        ("from 8.8.8.8 and", "8.8.8.8"),
        ("host 93.184.216.34:8080/", "93.184.216.34"),
        ("http://151.101.1.69/index", "151.101.1.69"),
        ("block 91.198.174.0/24.", "91.198.174.0"),
        ("ends with 91.198.174.192. Next", "91.198.174.192"),
        ("server 5.9.1.20 answers", "5.9.1.20"),
        ("5.9.1.20:443", "5.9.1.20"),
        ("to 2001:4860:4860::8888 it", "2001:4860:4860::8888"),
        ("[2620:0:862:ed1a:0:0:0:1]:443", "2620:0:862:ed1a:0:0:0:1"),
    ],
    "card": [
        ("card 4111 1111 1111 1111 12/27", "4111 1111 1111 1111"),
        ("no. 4111-1111-1111-1111.", "4111-1111-1111-1111"),
        ("5555555555554444", "5555555555554444"),
        ("amex 3782 822463 10005", "3782 822463 10005"),
        ("378282246310005,", "378282246310005"),
        ("6011111111111117", "6011111111111117"),
        ("3530 1113 3330 0000", "3530 1113 3330 0000"),
        ("2223003122003222", "2223003122003222"),
    ],
    "phone": [
        ("ring +44 20 7946 0958 now", "+44 20 7946 0958"),
        ("+1 (212) 555-0123", "+1 (212) 555-0123"),
        ("+4917612345678", "+4917612345678"),
        ("+1.212.555.0123", "+1.212.555.0123"),
        ("+48 600 123 456", "+48 600 123 456"),
        ("(212) 555-0123", "(212) 555-0123"),
        ("212-555-0123", "212-555-0123"),
        ("1-800-555-0199.", "1-800-555-0199"),
        ("212.555.0123", "212.555.0123"),
        ("(020) 7946 0958", "(020) 7946 0958"),
        ("020 7946 0958", "020 7946 0958"),
        ("01 23 45 67 89", "01 23 45 67 89"),
        ("Tel: 555-0123", "555-0123"),
        ("Tel. 7946 0958 (office)", "7946 0958"),
        ("Fax no. 030 1234567", "030 1234567"),
        ("call us at 2125550123!", "2125550123"),
        ("Téléphone : 01.23.45.67.89", "01.23.45.67.89"),
        ("WhatsApp 600123456", "600123456"),
    ],
}

NOT_TAKEN = [
    # addresses that are none
    "see image@2x.png and icon@3x.jpg",
    "npm i react@18.2.0 lodash@4.17.21 x@1.0.0-beta.rc",
    "git@github.com:owner/project.git",
    "https://user:secret@example.com/path",
    "@property def x(self): return a @ b",
    "follow @someone on the site",
    "user@localhost and root@host",
    "a..b@example.com",
    "x@y.c",
    # versions, sections, private and reserved addresses
    "Python 3.11.7, version 10.15.7.2 and v12.34.56.78",
    "section 91.4.16.2 and § 91.4.16.3",
    "1.2.3.4 Scope",
    "upgrade V8 to 4.4.63.12 or 3.0.5.130-5a1e7, path 2.83-2.12 3.51.98.32 2",
    "Chrome/91.0.4472.124 Firefox/93.18.21.3",
    "127.0.0.1, 192.168.0.1, 10.0.0.1, 255.255.255.0, 0.0.0.0, 192.0.2.44",
    "OID 1.3.6.1.4.1.311 and 93.184.216.34.5",
    "300.400.500.600",
    "libfoo-12.34.56.78.tar.gz",
    "std::vector<int>::iterator a::b::c dead::beef 12:30:45 00:1A:2B:3C:4D:5E",
    "fe80::1, ::1, 2001:db8::1 and fd00::12",
    # cards that are none
    "4111 1111 1111 1112",
    "4111111111111111.5 and 0.4111111111111111",
    "0000 0000 0000 0000",
    "9999999999999995",
    "ISBN 978-0-306-40615-7, 9780306406157 and 0-306-40615-2",
    "10.1000/4111111111111111",
    "https://example.com/?id=4111111111111111",
    "4111 11111111 1111",
    "timestamp 20210101123000 id 1234567890123456",
    # telephone numbers that are none
    "in 2020-01-15, 15.01.2020, 01/15/2020, 2020 01 15",
    "from 1998-2003 and 1914-1918, 1939 - 1945",
    "between 1,234,567 and 12 345 678 people, 1 000 000 of them",
    "+1 000 000 000 and +10 000 000",
    "at 48.856614, +2.352222 and +48.856614",
    "call 2020-01-15, or on 1998-2003; phones sold: 12 000 000 000",
    "UTC+0100 and 2020-01-01T00:00:00+01:00",
    "$1,299.00 or 1299.99 or 3.14159265358979",
    "ISBN 0306 406 1520 and ISSN 0317-8471",
    "SSN-like 123-45-6789, part 555-1234",
    "rows 12 34 56 78 90 12 34",
    "bytes 04 03 02 01 08 07 06 05",
    "+1980-02-29 01:02:03",
    "lotto 01 12 23 34 45 46",
    "12345678901",
    "a 3-2-1 b 10-20-30-40",
    "call it 42 and phone 7",
]


@pytest.mark.parametrize(
    ("kind", "text", "part"), [(kind, *row) for kind, rows in TAKEN.items() for row in rows]
)
def test_what_is_taken(kind: str, text: str, part: str) -> None:
    assert [(span.kind, text[span.start : span.end]) for span in find_personal(text)] == [(kind, part)]


@pytest.mark.parametrize("text", NOT_TAKEN)
def test_what_is_not_taken(text: str) -> None:
    assert [(span.kind, text[span.start : span.end]) for span in find_personal(text)] == []


def test_counts() -> None:
    text = "jane@example.com, joe@example.com, tel. 555-0123, 8.8.8.8; 4111 1111 1111 1111"
    scores = Pii().score([text, "nothing here", ""])
    assert {name: values.tolist() for name, values in scores.items()} == {
        "pii.emails": [2, 0, 0],
        "pii.phones": [1, 0, 0],
        "pii.ips": [1, 0, 0],
        "pii.cards": [1, 0, 0],
        "pii.any": [True, False, False],
    }
    assert Pii.rules == ()
    assert all(len(values) == 0 for values in Pii().score([]).values())


@pytest.mark.parametrize(
    ("digits", "right"),
    [("79927398713", True), ("79927398710", False), ("4111111111111111", True), ("0", True), ("1", False)],
)
def test_luhn(digits: str, right: bool) -> None:
    assert luhn(digits) is right


MARKS = st.text(st.sampled_from("0123456789 .-+()@:/abcxé\n"), max_size=60)


@settings(max_examples=300, deadline=None)
@given(MARKS | st.text(max_size=40))
def test_spans_are_in_order_and_do_not_overlap(text: str) -> None:
    spans = find_personal(text)
    ends = [0, *(span.end for span in spans)]
    assert all(end <= span.start < span.end <= len(text) for end, span in zip(ends, spans, strict=False))


@settings(max_examples=100, deadline=None)
@given(st.lists(MARKS, max_size=3), MARKS)
def test_a_count_depends_on_its_own_text_alone(others: list[str], text: str) -> None:
    alone, together = Pii().score([text]), Pii().score([*others, text])
    assert {name: values[0] for name, values in alone.items()} == {
        name: values[-1] for name, values in together.items()
    }


@pytest.mark.parametrize(
    "text", ["1 " * 50_000, "+1(" * 30_000, "@a." * 30_000, "a" * 200_000, "1:" * 50_000, "a@b.org " * 30_000]
)
def test_long_odd_texts_take_no_time(text: str) -> None:
    find_personal(text)  # the suite's time limit is the check
