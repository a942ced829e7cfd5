"""What the command prints: what is supported, in a screen, and nothing more."""

from __future__ import annotations

import re
from dataclasses import replace

from audits import hostile, realistic

from hinterland.core.stats import Interval
from hinterland.curate.audit.claims import ALL, headline
from hinterland.curate.audit.parts import Attribution, FilterShare
from hinterland.curate.audit.render import coverage
from hinterland.curate.audit.render_brief import brief


def test_the_findings_come_first_and_fit_a_screen() -> None:
    audit = realistic()
    lines = brief(audit).splitlines()
    assert lines[0] == coverage(audit)
    assert lines[1] == headline(audit)
    assert lines[2].startswith("Placed by: ")
    assert len(lines) < 120
    assert all(len(line) <= 100 for line in lines[3:])


def test_every_gap_that_is_listed_is_supported_and_the_widest_stands_first() -> None:
    audit = realistic(groups=4)
    text = " ".join(brief(audit).split())
    found = re.findall(r"(\S+) \((\w+)\) is kept (less|more) by (all filters together|\S+):", text)
    assert found
    for group, _, side, who in found:
        claims = [c for c in audit.claims if c.group.endswith(group) and c.filter in (who, ALL)]
        assert any(c.supported and (c.ratio.estimate < 1) == (side == "less") for c in claims)
    said = [c for c in audit.claims if c.filter == ALL and c.supported]
    assert found[0][3] == ("all filters together" if said else found[0][3])


def test_nothing_supported_is_said_with_its_meaning() -> None:
    audit = realistic()
    silent = replace(audit, claims=tuple(replace(claim, supported=False) for claim in audit.claims))
    text = brief(silent)
    assert f"(0 of {len([c for c in audit.claims if c.p_value == c.p_value])} tests)" in text
    assert "is no evidence that none does" in " ".join(text.split())
    assert " is kept less by " not in text


def _attributed(gap: float, *parts: tuple[str, float]) -> str:
    shares = tuple(
        FilterShare(name, part, part, Interval(part, part - 0.02, part + 0.02), order_matters=False)
        for name, part in parts
    )
    found = Attribution("region", "Asia", Interval(gap, gap - 0.02, gap + 0.02), shares, True, "exact")
    return " ".join(brief(replace(realistic(), attribution=(found,))).split())


def test_the_largest_part_is_one_that_makes_the_gap() -> None:
    narrows = _attributed(0.05, ("c4", -0.15), ("fineweb", 0.12), ("gopher", 0.08))
    assert "kept less than all others, by 5.0 [3.0, 7.0] percentage points." in narrows
    assert "The largest part is that of fineweb: 12.0 [10.0, 14.0]." in narrows
    more = _attributed(-0.10, ("c4", -0.11), ("fineweb", 0.01))
    assert "kept more than all others, by 10.0 [8.0, 12.0] percentage points." in more
    assert "The largest part is that of c4: 11.0 [9.0, 13.0]." in more
    assert "The largest part" not in _attributed(0.03, ("c4", 0.015), ("fineweb", 0.015))


def test_representation_is_said_to_be_of_single_groups() -> None:
    audit = realistic()
    assert "Each group by itself, not corrected for their number." in " ".join(brief(audit).split())
    assert "Each group by itself" not in brief(replace(audit, coverage=()))


def test_names_from_a_corpus_cannot_steer_a_terminal() -> None:
    assert not re.search(r"[\x00-\x09\x0b-\x1f\x7f-\x9f]", brief(hostile()))
