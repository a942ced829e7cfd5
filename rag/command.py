"""`hinterland ask`: a question in, an answer with its numbered sources out."""

from __future__ import annotations

import textwrap
from dataclasses import asdict
from typing import Any

from hinterland.core.errors import ConfigError
from hinterland.core.system import Answer
from hinterland.rag.open import SystemConfig, describe_system, open_system

__all__ = ["CommandConfig", "answer_as_dict", "plan", "render", "run"]


class CommandConfig(SystemConfig):
    """What to ask, and of whom.

    Attributes:
        question: The question.
    """

    question: str = ""


def _question(config: CommandConfig) -> str:
    if not config.question.strip():
        raise ConfigError("no question", where="question", cure='give one: --set question="…"')
    return config.question.strip()


def answer_as_dict(answer: Answer) -> dict[str, Any]:
    """Return an answer as JSON-able values; passages are numbered from 1 as the model saw them."""
    return {
        "answer": answer.text,
        "citations": [number + 1 for number in answer.citations],
        "passages": [
            {"number": number, **asdict(passage)} for number, passage in enumerate(answer.passages, 1)
        ],
        "usage": asdict(answer.usage),
    }


def plan(config: CommandConfig) -> dict[str, Any]:
    """Say what would be asked of whom; nothing is started or sent."""
    return {"question": _question(config), **describe_system(config), "calls": 1}


def run(config: CommandConfig) -> dict[str, Any]:
    """Ask."""
    question = _question(config)
    with open_system(config) as system:
        return {"question": question, "system": system.name, **answer_as_dict(system.answer(question))}


def render(result: dict[str, Any]) -> str:
    """Return the answer with its citations, and the passages it was shown."""
    marks = "".join(f" [{number}]" for number in result["citations"])
    lines = [f"{result['answer'] or '(the model said nothing)'}{marks}"]
    if result["passages"]:
        lines.append("")
    for passage in result["passages"]:
        cited = "*" if passage["number"] in result["citations"] else " "
        origin = ", ".join(part for part in (passage["source"], passage["license"]) if part)
        title = passage["title"] or passage["document_id"]
        lines.append(
            f"{cited}[{passage['number']}] {title} ({passage['score']:.3f}; {origin or 'no source'})"
        )
        shown = textwrap.shorten(passage["text"], 200, placeholder=" …")
        lines.append(textwrap.indent(textwrap.fill(shown, 92), "     "))
    usage = result["usage"]
    lines.append("")
    lines.append(
        f"{result['system']}: {usage['prompt_tokens']} + {usage['completion_tokens']} tokens, "
        f"{usage['seconds']:.1f} s" + ("; * cited" if result["citations"] else "")
    )
    return "\n".join(lines)
