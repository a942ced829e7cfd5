"""The bodies that the service takes, bounded in size."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field, StringConstraints

__all__ = ["AskBody", "ChatBody", "ChatMessage", "TextPart"]

_MAX_QUESTION = 8_000  # characters
_Question = Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=_MAX_QUESTION)]


class AskBody(BaseModel):
    """The body of POST /ask."""

    model_config = ConfigDict(extra="forbid")

    question: _Question


class TextPart(BaseModel):
    """A part of a message's content; only text is answered."""

    type: Literal["text"]
    text: Annotated[str, StringConstraints(max_length=_MAX_QUESTION)]


class ChatMessage(BaseModel):
    """One turn, as OpenAI's API writes it."""

    role: Literal["system", "developer", "user", "assistant", "tool"]
    content: Annotated[str, StringConstraints(max_length=_MAX_QUESTION)] | list[TextPart] | None = None
    name: str | None = None

    @property
    def text(self) -> str:
        """The words of the turn."""
        if isinstance(self.content, list):
            return "".join(part.text for part in self.content)
        return self.content or ""


class ChatBody(BaseModel):
    """The body of POST /v1/chat/completions.

    Settings of sampling are accepted and have no effect: the system's own hold.
    """

    model_config = ConfigDict(extra="allow")

    model: str = Field(default="", max_length=200)
    messages: list[ChatMessage] = Field(min_length=1, max_length=200)
    stream: bool | None = False
    n: int | None = 1

    @property
    def question(self) -> str:
        """The last user turn."""
        turns: list[Any] = [message.text for message in self.messages if message.role == "user"]
        return str(turns[-1]).strip() if turns else ""
