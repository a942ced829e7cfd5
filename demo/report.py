"""The demo's report: one page that opens without a network and links every step's files."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from hinterland.core.charts import IntervalRow, interval_chart
from hinterland.core.files import read_json
from hinterland.core.page import Cell, Value, figure_html, fill, page, table_html
from hinterland.core.run import Run, StageRecord
from hinterland.core.stats import Interval
from hinterland.curate.audit.audit import Audit
from hinterland.curate.audit.compare import compare
from hinterland.curate.audit.html import group_chart, map_of
from hinterland.curate.audit.render import name_of
from hinterland.demo.config import DemoConfig
from hinterland.demo.pipeline import STEPS
from hinterland.demo.summary import findings

if TYPE_CHECKING:
    from markupsafe import Markup

__all__ = ["report"]

#: What each step left that a person would open, from the report's folder.
_FILES = {
    "corpus": [("corpus/corpus/manifest.json", "manifest"), ("corpus/covariates.csv", "covariates")],
    "curate": [("curate/corpus/manifest.json", "scores and decisions")],
    "audit": [("audit/audit.html", "the whole audit"), ("audit/audit.csv", "as CSV")],
    "debias": [("debias/compare.html", "before and after"), ("debias/corpus/manifest.json", "manifest")],
    "index": [("index/stage.json", "what was published")],
    "ask": [("ask/examples.json", "questions and answers")],
    "adapt": [
        ("adapt/dapt/model/transformers/README.md", "model card"),
        ("adapt/dapt/manifest.json", "manifest"),
    ],
    "evaluate": [("evaluate/evaluation.json", "every answer and score")],
}


def report(config: DemoConfig, run: Run, records: Sequence[StageRecord], values: Mapping[str, Any]) -> str:
    """Return the report's HTML."""
    results = {record.name: record.result for record in records}
    audit = Audit.load(run.folder / "audit")
    after = Audit.load(run.folder / "debias" / "after")
    parts = [
        ("steps", "What was found", _steps(records)),
        ("map", "Who is kept, on the map", _map(audit)),
        ("audit", "What the filters keep", _audit(audit)),
        ("debias", "Evened out", _debias(audit, after, config.debias_by, results["debias"])),
        ("retrieval", "Finding the right document", _retrieval(results["evaluate"])),
        ("ask", "Asking the closed model", _ask(read_json(run.folder / "ask" / "examples.json"))),
        ("adapt", "Adapting the open model", _adapt(results["adapt"])),
        ("evaluate", "Answers, side by side", _answers(results["evaluate"])),
        ("method", "Method and limits", _method(config, results, values)),
    ]
    body = fill(
        '<p class="lead">{{ lead }}</p>'
        "{% for anchor, heading, html in parts %}"
        '<section id="{{ anchor }}"><h2>{{ heading }}</h2>{{ html }}</section>{% endfor %}',
        lead=results["audit"]["headline"],
        parts=parts,
    )
    title = "hinterland on the World Factbook" + (" (quick)" if config.quick else "")
    nav = [(f"#{anchor}", heading) for anchor, heading, _ in parts]
    return page(title, body, nav=nav)


def _steps(records: Sequence[StageRecord]) -> Markup:
    sentences = {title: [sentence] for title, sentence in findings(records)}
    sentences["Evaluate"] = sentences.pop("Retrieval") + sentences["Evaluate"]
    seconds = {record.name: record.seconds for record in records}
    rows = [
        {
            "title": step.title,
            "findings": sentences[step.title],
            "files": [(f"../{path}", label) for path, label in _FILES[step.name]],
            "seconds": f"{seconds[step.name]:.0f} s",
        }
        for step in STEPS
    ]
    return fill(
        "<dl>{% for row in rows %}<dt><strong>{{ row.title }}</strong>"
        " <span class=note>{{ row.seconds }}</span></dt>"
        "{% for finding in row.findings %}<dd>{{ finding }}</dd>{% endfor %}<dd><span class=note>"
        '{% for href, label in row.files %}<a href="{{ href }}">{{ label }}</a>'
        "{% if not loop.last %}, {% endif %}{% endfor %}</span></dd>{% endfor %}</dl>",
        rows=rows,
    )


def _map(audit: Audit) -> Markup:
    return figure_html(
        map_of(audit),
        "Each country's share of documents that all filters together keep. A country has about ten "
        "documents, so single countries vary by chance; what the data support is said by group.",
    )


def _audit(audit: Audit) -> Markup:
    rows: list[Sequence[Value]] = []
    for grouping, by_filter in audit.results.items():
        if grouping == "subregion":
            continue
        for number, row in enumerate(by_filter["all filters"].groups):
            cells: list[Value] = [row.group, name_of(grouping), row.documents]
            for name in audit.filters:
                kept = by_filter[name].groups[number].retention
                star = " *" if audit.supported(name, grouping, row.group) else ""
                cells.append(Cell(f"{kept.estimate:.0%}{star}", kept.estimate))
            rows.append(cells)
    table = table_html(
        ["Group", "By", "Documents", *audit.filters],
        rows,
        caption="Share of documents kept by each filter on its own, and by all. * marks a supported gap "
        "(5% false discoveries).",
    )
    chart = figure_html(
        group_chart(audit, "region"),
        "Dots are shares kept by all filters together, lines their 95% intervals.",
    )
    link = fill('<p><a href="../audit/audit.html">The whole audit</a>, with intervals for every figure.</p>')
    return _joined(chart, table, link)


def _debias(before: Audit, after: Audit, by: str, found: Mapping[str, Any]) -> Markup:
    chart = figure_html(
        compare(before, after).chart(by),
        "Each group keeps its best documents up to a common level, so that the total number of tokens stays "
        "the same. Grey groups are too small to compare.",
    )
    words = fill(
        "<p>{{ summary }}</p>"
        "{% for group, why in unmet %}<p>Not met for {{ group }}: {{ why }}.</p>{% endfor %}",
        summary=found["summary"],
        unmet=sorted(found["unmet"].items()),
    )
    return _joined(words, chart)


def _interval(part: Mapping[str, Any]) -> Interval:
    """Return a mean with its bounds, whichever way the harness wrote it."""
    mean = part["mean"]
    low, high = (mean["low"], mean["high"]) if isinstance(mean, Mapping) else (part["low"], part["high"])
    estimate = mean["estimate"] if isinstance(mean, Mapping) else mean
    numbers = [float("nan") if value is None else float(value) for value in (estimate, low, high)]
    return Interval(*numbers)


def _cell(part: Mapping[str, Any]) -> Cell:
    interval = _interval(part)
    return Cell(f"{interval.estimate:.2f} [{interval.low:.2f}, {interval.high:.2f}]", interval.estimate)


def _retrieval(found: Mapping[str, Any]) -> Markup:
    retrieval = found["retrieval"]
    table = table_html(
        ["Index over", "Documents", "Recall@10", "nDCG@10"],
        [
            [name, retrieval["documents"][name], _cell(part), _cell(retrieval["ndcg@10"]["systems"][name])]
            for name, part in retrieval["recall@10"]["systems"].items()
        ],
        caption=f"{found['questions']} questions; a question's gold document holds its answer.",
    )
    regions = retrieval["recall@10"]["regions"]
    rows = [
        IntervalRow(
            part["group"], _interval(part["score"]), n=part["score"]["n"], after=_interval(later["score"])
        )
        for part, later in zip(regions["filtered"], regions["debiased"], strict=True)
    ]
    chart = interval_chart(
        rows,
        title="Recall@10 by region, over filtered and over debiased documents",
        unit="",
        series=("filtered", "debiased"),
    )
    caption = "A filter that drops the document drops the answer: what is not kept cannot be found."
    return _joined(table, figure_html(chart, caption))


def _ask(rows: Sequence[Mapping[str, Any]]) -> Markup:
    shown = []
    for row in rows:
        answers: list[tuple[str, str, list[tuple[str, str]]]] = []
        for name, answer in row["answers"].items():
            if answer is None:
                answers.append((name, "no answer", []))
                continue
            cited = [answer["passages"][number] for number in answer["citations"]]
            answers.append((name, answer["text"], [(item["title"], item["text"]) for item in cited]))
        shown.append((row["question"], " / ".join(row["gold"]), answers))
    return fill(
        "{% for question, gold, answers in rows %}<h3>{{ question }}</h3>"
        "<dl><dt>Gold</dt><dd>{{ gold }}</dd>"
        "{% for name, text, cited in answers %}<dt>{{ name }}</dt><dd>{{ text }}"
        "{% for title, passage in cited %}<details><summary>cites {{ title }}</summary>"
        "<blockquote>{{ passage }}</blockquote></details>{% endfor %}</dd>{% endfor %}</dl>{% endfor %}",
        rows=shown,
    )


def _adapt(found: Mapping[str, Any]) -> Markup:
    labels = {"domain": "Held-out places", "general": "General text (forgetting)"}
    rows: list[Sequence[Value]] = []
    for name, part in found["bits_per_byte"].items():
        known = part["low"] is not None
        change = f"{part['difference']:+.3f}" + (f" [{part['low']:.3f}, {part['high']:.3f}]" if known else "")
        rows.append(
            [
                labels.get(name, name),
                part["documents"],
                part["before"],
                part["after"],
                Cell(change, part["difference"]),
            ]
        )
    table = table_html(
        ["Text", "Documents", "Before", "After", "Change"],
        rows,
        caption="Bits per byte: lower is better. The change has a 95% interval over documents.",
    )
    regions = table_html(
        ["Region of held-out places", "Before", "After"],
        [[name, part["before"], part["after"]] for name, part in found["by_region"].items()],
        caption="Bits per byte by region",
    )
    return _joined(table, regions)


def _answers(found: Mapping[str, Any]) -> Markup:
    answers = found["answers"]
    table = table_html(
        ["System", "Exact match", "F1", "Contains the answer", "Questions", "Unmeasured"],
        [
            [
                name,
                _cell(part["scores"]["exact_match"]),
                _cell(part["scores"]["f1"]),
                _cell(part["scores"]["contains"]),
                part["scores"]["exact_match"]["n"],
                part["scores"]["exact_match"]["unmeasured"],
            ]
            for name, part in answers["systems"].items()
        ],
        caption=f"{found['answered']} questions about held-out places, the same for every system",
    )
    verdicts = fill(
        "<ul>{% for words in verdicts %}<li>{{ words }}</li>{% endfor %}</ul>",
        verdicts=[pair["verdict"] for pair in answers["pairs"]],
    )
    by = {
        key: table_html(
            [key.capitalize(), "Questions", *answers["groups"][key]["f1"]],
            [
                [
                    first["group"],
                    first["n"],
                    *(_cell(groups[number]) for groups in answers["groups"][key]["f1"].values()),
                ]
                for number, first in enumerate(next(iter(answers["groups"][key]["f1"].values())))
            ],
            caption=f"F1 by {key}",
        )
        for key in answers["groups"]
    }
    return _joined(table, verdicts, *by.values())


def _method(
    config: DemoConfig, results: Mapping[str, Mapping[str, Any]], values: Mapping[str, Any]
) -> Markup:
    closed = config.closed_model.model
    if config.closed_model.base_url is None:
        closed = f"{config.model}, served on loopback as a stand-in"
    training = results["adapt"]["training"]
    early = (
        "The time box ended training early: on another machine it may go further."
        if training["stopped_early"]
        else ""
    )
    lines = [
        "Text and covariates: the CIA World Factbook (public domain), one document per place and section, "
        "figures left out.",
        f"Closed model: {closed}. Open model: {config.model}. Encoder: {config.embedder}.",
        "Intervals: 95%, from resampling whole countries (audit), questions (answers) and documents "
        "(bits per byte).",
        "Questions are about held-out countries, whose documents the model was never trained on. "
        + str(values["contamination"]).capitalize()
        + ".",
        "A 135-million-parameter model and a training of minutes show the way, not the state of the art.",
        early,
        f"Seed {config.seed}. {values['wall_seconds']:.0f} s of work, "
        f"{values['peak_memory_mb'] / 1000:.1f} GB of memory at the peak.",
    ]
    return fill(
        "<ul>{% for line in lines if line %}<li>{{ line }}</li>{% endfor %}</ul>"
        '<p><a href="../manifest.json">The run\'s manifest</a> holds every config key, version, hash and '
        'result; <a href="../summary.json">summary.json</a> the figures above.</p>',
        lines=lines,
    )


def _joined(*parts: Markup) -> Markup:
    from markupsafe import Markup

    return Markup("").join(parts)
