"""Names of places in phrases that are used far from them: money, units, languages, fixed phrases.

"US dollars" says nothing of where a text is from, nor does "in English" or "Spanish flu". Only what
is used well beyond the place it is called after is listed here: "Kenyan shillings" speaks of Kenya.
"""

from __future__ import annotations

import re

from hinterland.curate.geo.spans import Match

__all__ = ["compared", "idle"]

#: Money in which prices are quoted abroad, or which is the money of another place too, by its issuers.
_MONEY = {
    "dollars?|cents?": (
        "us|usa|united states|american|australia|australian|canada|canadian|hong kong|singapore|"
        "singaporean|new zealand|taiwan|taiwanese"
    ),
    "pounds?|sterling|pence": "uk|british|english|great britain",
    "francs?": "swiss|french",
    "yen": "japanese|japan",
    "yuan|renminbi": "chinese|china",
    "kron[ae]r?": "danish|norwegian",
    "rand": "south african|south africa",
    "rupees?": "indian|india",
    "(?:new )?she[kq]els?": "israeli|israel",
    "marks?|deutschmarks?": "german",
}
#: Measures that are called after where they come from.
_UNITS = {
    "gallons?|pints?|quarts?|(?:fluid )?ounces?|(?:short |customary )?(?:tons?|units?)": "us",
    "thermal units?": "british",
}
#: Languages of many countries that are called as one country's people.
_LANGUAGES = "english|french|spanish|portuguese|german|dutch|italian|russian|chinese"
_LANGUAGE = (
    "speaking|speakers?|languages?|medium|lessons?|translations?|subtitles|versions?|dictionary|grammar"
)
#: Illnesses, food, plants, animals and things that are not where they are called after; agreements and
#: conventions, which are called after where they were signed and hold everywhere.
_FIXED = {
    "african": "violets?|swine fever",
    "basel": "conventions?",
    "bermuda": "shorts|triangle|grass",
    "brazil": "nuts?",
    "brussels": "sprouts?",
    "budapest": "convention",
    "canada": "goose|geese",
    "chinese": "whispers|checkers|chequers|cabbage",
    "crimean": "congo",
    "congo": "h(?:ae|e)morrhagic",
    "danish": "pastry|pastries",
    "dutch": "ovens?|auctions?|elm disease|courage",
    "english": "horn|muffins?|ivy|breakfast",
    "french": "fries|toast|horns?|press|kiss|bulldogs?|doors?|windows?|beans?|polish",
    "geneva": "conventions?",
    "german": "shepherds?|measles",
    "guinea": "pigs?|fowls?|worms?",
    "irish": "coffee|setters?|stew",
    "japanese": "encephalitis|knotweed|beetles?",
    "jerusalem": "artichokes?",
    "kyoto": "protocol",
    "lassa": "fever",
    "lyme": "disease",
    "marburg": "virus(?:es)?|disease|fever",
    "mexican": "waves?|stand-?offs?",
    "minamata": "convention|disease",
    "montreal": "protocol",
    "nile": "virus",
    "panama": "hats?",
    "paris": "agreement|climate agreement",
    "persian": "cats?|carpets?|rugs?",
    "rift valley": "fever",
    "rome": "statute",
    "rotterdam": "convention",
    "russian": "roulette|dolls?",
    "siamese": "twins?|cats?",
    "spanish": "flu|influenza|fly",
    "stockholm": "syndrome|convention",
    "swedish": "massage",
    "swiss": "army knife|army knives|cheese|chard",
    "turkish": "baths?|delight|coffee|towels?",
    "venetian": "blinds?",
    "vienna": "conventions?",
    "west nile": "virus|fever",
    "zika": "virus",
}
#: Names that are part of a group's, by what stands before.
_BEFORE = {"iraq": "Islamic State (?:of|in)"}
#: "larger than", "twice the size of", and what may stand between these and the name.
_COMPARED = re.compile(
    r"\b(?:the (?:size|area) of|(?:larger|smaller|bigger) than)"
    r"(?: the)?(?: US)?(?: (?:state|island|city|country) of| National Mall in)? $"
)
_REACH = 60


def _tails() -> dict[str, re.Pattern[str]]:
    """Return what must follow each name for it to be idle."""
    tails: dict[str, list[str]] = {}
    for table in (_MONEY, _UNITS):
        for words, names in table.items():
            for name in names.split("|"):
                tails.setdefault(name, []).append(words)
    for name in _LANGUAGES.split("|"):
        tails.setdefault(name, []).append(_LANGUAGE)
    for name, words in _FIXED.items():
        tails.setdefault(name, []).append(words)
    dollar = r"|\$|(?<!the US)(?<!the U\.S\.) \$(?=\d)"  # US$5, US $5
    return {
        name: re.compile(rf"[ \u00a0-](?:{'|'.join(words)})\b{dollar * (name == 'us')}", re.IGNORECASE)
        for name, words in tails.items()
    }


_AFTER = _tails()
_HEADS = {name: re.compile(rf"\b{words} $") for name, words in _BEFORE.items()}
_SPOKEN = frozenset(_LANGUAGES.split("|"))
#: "in English", "speaks French and English": no noun follows that the adjective could belong to.
_IN = re.compile(
    r"\b(?:in|into|fluent|sp(?:eak|eaks|eaking|oke|oken)|learn(?:s|t|ed|ing)?|teach(?:es|ing)?|taught) "
    rf"(?:(?:{_LANGUAGES})(?:,? and |,? or |, ))*$",
    re.IGNORECASE,
)
_ENDS = re.compile(r"[.,;:!?)\]\"”—–]|\s*$| (?:and|or|as|but|by|is|was|at|to|with|for|on|in|than|only)\b")
_OFFICIAL = re.compile(r" \(official")


def idle(text: str, match: Match) -> bool:
    """Whether a name stands in a phrase that is used far from the place, and so means no place.

    Args:
        text: The text.
        match: The name.
    """
    key, end = match.name.key, match.end
    tail = _AFTER.get(key)
    if tail is not None and tail.match(text, end):
        return True
    if key in _SPOKEN:
        before = text[max(match.start - _REACH, 0) : match.start]
        return bool(_OFFICIAL.match(text, end) or (_ENDS.match(text, end) and _IN.search(before)))
    head = _HEADS.get(key)
    return head is not None and bool(head.search(text[max(match.start - _REACH, 0) : match.start]))


def compared(text: str, match: Match) -> bool:
    """Whether a place is named only for its size: "slightly larger than Kansas".

    It is a place all the same, though not the one that the text is about. "The size of Kenya's
    economy" compares nothing.
    """
    if text[match.end : match.end + 2] in {"'s", "’s"}:
        return False
    return bool(_COMPARED.search(text[max(match.start - _REACH, 0) : match.start]))
