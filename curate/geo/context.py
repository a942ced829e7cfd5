"""Words around a name that say whether it is a place."""

from __future__ import annotations

__all__ = ["BEFORE", "FUNCTION", "MEDIA", "PLACED", "SPEAKS", "THERE", "TITLES"]


def _words(text: str) -> frozenset[str]:
    return frozenset(text.split())


#: Words before a place, with their log-odds.
BEFORE = {
    **dict.fromkeys(("in", "near", "outside", "downtown", "throughout", "across", "inside"), 2.2),
    **dict.fromkeys(("from", "at", "into", "towards", "toward", "around", "northern", "southern"), 1.4),
    **dict.fromkeys(("eastern", "western", "central", "north", "south", "east", "west", "nearby"), 1.4),
    **dict.fromkeys(("via", "through", "within", "en", "em", "nach", "visiting", "leaving"), 1.2),
    **dict.fromkeys(("to", "of", "between", "against", "over", "and", "or", "neighbouring"), 0.6),
    **dict.fromkeys(("by", "with", "said", "says", "named", "called", "told", "when", "he", "she"), -0.6),
    **dict.fromkeys(("the", "a", "an", "his", "her", "my", "their", "our", "your", "this"), -0.5),
}
#: Titles, and words that come before a person's name.
TITLES = _words(
    """
    mr mrs ms miss dr sir lord lady prof professor judge justice sen senator rep congressman gov
    governor gen general col colonel capt captain lt lieutenant sgt sergeant major maj cpl officer
    detective chief king queen prince princess president chancellor minister secretary ambassador
    pope father rev reverend bishop cardinal imam sheikh coach mayor sheriff saint aunt uncle actor
    actress singer author director
    """
)
#: Words after a person's name.
SPEAKS = _words(
    """
    said says told added asked replied wrote writes tweeted testified smiled laughed recalled
    """
)
#: Words that make what is before them a paper or an agency: no place is meant.
MEDIA = _words(
    """
    post times globe herald tribune journal gazette chronicle telegraph mail observer examiner
    inquirer mirror guardian daily news review weekly magazine press sun star standard bee enquirer
    sentinel dispatch today tv radio
    """
)
#: Words that follow a place's name in the name of something that is there.
THERE = _words(
    """
    university college school hospital airport police department court council city town county
    province state district region government governorate parliament embassy hotel street avenue
    road square station museum stadium prison port harbour harbor area island islands river lake bay
    mountains valley beach zoo park metro authorities area officials residents republic prefecture
    north south east west central marathon
    """
)
#: Words in capitals before a name that leave it a place.
PLACED = _words(
    """
    north south east west northern southern eastern western central downtown greater upper lower old
    inner metro southeast southwest northeast northwest mid in at from near the of and to for on
    """
)
#: Words that stand with a capital only because they begin a sentence or a heading.
FUNCTION = _words(
    """
    a an the this that these those some any all each every both no one two three four five many most few
    several another other such its his her their our my your he she it we they i you who what which when
    where why how while as if although though because since until unless after before during despite
    following amid among also and but or nor so yet then than thus however meanwhile in on at by for
    from with without of to into over under between against about across through throughout inside
    outside near like unlike neither either former late current new young old first last next now today
    yesterday tomorrow only even just still not is are was were be been has have had do does did will
    would can could may might must should there here police officials authorities residents people
    """
)
