"""Bake curate/geo/data/country_names.csv: what countries are called, by language.

Run once, by hand, on the npm package i18n-iso-countries 7.14.0 (MIT):

    npm pack i18n-iso-countries@7.14.0 && tar xf i18n-iso-countries-7.14.0.tgz
    python scripts/make_country_names.py package/langs

English names count before those of other languages; a name that two countries share in
other languages is left out, and so are short ones that could be taken for codes.
"""

from __future__ import annotations

import csv
import json
import sys
from collections import defaultdict
from pathlib import Path

from hinterland.core.places import by_iso3
from hinterland.curate.geo.countries import name_key

OUT = Path(__file__).parents[1] / "curate/geo/data/country_names.csv"
LANGUAGES = (
    *(
        "ar",
        "bg",
        "bn",
        "ca",
        "cs",
        "da",
        "de",
        "el",
        "es",
        "et",
        "fa",
        "fi",
        "fr",
        "he",
        "hi",
        "hr",
        "hu",
        "id",
    ),
    *(
        "is",
        "it",
        "ja",
        "ko",
        "lt",
        "lv",
        "nb",
        "nl",
        "pl",
        "pt",
        "ro",
        "ru",
        "sk",
        "sl",
        "sq",
        "sr",
        "sv",
        "sw",
    ),
    *("th", "tr", "uk", "ur", "vi", "zh"),
)


def names(folder: Path, language: str) -> list[tuple[str, str]]:
    """Return (key, alpha-3) for every name in one language."""
    iso3 = {place.iso2: place.iso3 for place in by_iso3().values()}
    countries = json.loads((folder / f"{language}.json").read_text(encoding="utf-8"))["countries"]
    return [
        (name_key(name), iso3[code])
        for code, given in countries.items()
        if code in iso3
        for name in ([given] if isinstance(given, str) else given)
        if language == "en" or len(name_key(name)) > 3 or (len(name_key(name)) > 1 and not name.isascii())
    ]


def main() -> None:
    """Write the table."""
    folder = Path(sys.argv[1])
    found: dict[str, set[str]] = defaultdict(set)
    for language in LANGUAGES:
        for key, code in names(folder, language):
            found[key].add(code)
    english: dict[str, set[str]] = defaultdict(set)
    for key, code in names(folder, "en"):
        english[key].add(code)
    known = {key: min(codes) for key, codes in {**found, **english}.items() if len(codes) == 1}
    shared = sorted(key for key, codes in {**found, **english}.items() if len(codes) > 1)
    with OUT.open("w", encoding="utf-8", newline="") as handle:
        writer = csv.writer(handle, lineterminator="\n")
        writer.writerow(["key", "iso3"])
        writer.writerows(sorted(known.items()))
    print(f"{len(known)} names; shared and left out: {', '.join(shared)}")


if __name__ == "__main__":
    main()
