"""A system behind HTTP: POST /ask, GET /health, and OpenAI's POST /v1/chat/completions."""

from __future__ import annotations

import time
import uuid
from typing import TYPE_CHECKING, Any

from hinterland.core.errors import EndpointError, HinterlandError
from hinterland.core.system import Answer, System
from hinterland.rag.command import answer_as_dict
from hinterland.rag.schemas import AskBody, ChatBody

if TYPE_CHECKING:
    from fastapi import FastAPI
    from starlette.types import ASGIApp, Message, Receive, Scope, Send

__all__ = ["create_app"]

_MAX_BODY = 256 * 1024  # bytes


class LimitBody:
    """Refuse request bodies above a size before anything reads them.

    Args:
        app: The application.
        limit: Bytes.
    """

    def __init__(self, app: ASGIApp, limit: int) -> None:
        self._app, self._limit = app, limit

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Read the body up to the limit, then hand it on."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        body, more = b"", True
        while more:
            message = await receive()
            if message["type"] != "http.request":  # the client is gone
                return
            body += message.get("body", b"")
            more = message.get("more_body", False)
            if len(body) > self._limit:
                from starlette.responses import JSONResponse

                refusal = JSONResponse(_error(f"the body is over {self._limit} bytes", "too_large"), 413)
                await refusal(scope, receive, send)
                return
        handed = False

        async def replay() -> Message:
            nonlocal handed
            if handed:
                return await receive()
            handed = True
            return {"type": "http.request", "body": body, "more_body": False}

        await self._app(scope, replay, send)


def _error(message: str, kind: str) -> dict[str, Any]:
    """Return an error body in OpenAI's shape."""
    return {"error": {"message": message, "type": kind, "param": None, "code": None}}


def _chat_answer(answer: Answer, name: str) -> dict[str, Any]:
    """Return an answer as an OpenAI chat completion, its sources under ``hinterland``."""
    usage = answer.usage
    marks = "".join(f" [{number + 1}]" for number in answer.citations)
    detailed = answer_as_dict(answer)
    return {
        "id": f"chatcmpl-{uuid.uuid4().hex}",
        "object": "chat.completion",
        "created": int(time.time()),
        "model": name,
        "choices": [
            {
                "index": 0,
                "message": {"role": "assistant", "content": answer.text + marks, "refusal": None},
                "logprobs": None,
                "finish_reason": "stop",
            }
        ],
        "usage": {
            "prompt_tokens": usage.prompt_tokens,
            "completion_tokens": usage.completion_tokens,
            "total_tokens": usage.prompt_tokens + usage.completion_tokens,
        },
        "hinterland": {"citations": detailed["citations"], "passages": detailed["passages"]},
    }


def create_app(system: System, *, max_body: int = _MAX_BODY) -> FastAPI:
    """Return an application that answers with ``system``.

    It has no authentication: bind it to loopback, or put a gateway before it.

    Args:
        system: What answers.
        max_body: The largest request body, in bytes.
    """
    from fastapi import FastAPI, Request
    from fastapi.exceptions import RequestValidationError
    from fastapi.responses import JSONResponse

    app = FastAPI(title="hinterland", docs_url=None, redoc_url=None)
    app.add_middleware(LimitBody, limit=max_body)

    @app.exception_handler(RequestValidationError)
    async def invalid(_: Request, error: RequestValidationError) -> JSONResponse:
        first = error.errors()[0]
        where = ".".join(str(part) for part in first["loc"] if part != "body")
        return JSONResponse(_error(f"{where or 'body'}: {first['msg']}", "invalid_request_error"), 400)

    @app.exception_handler(HinterlandError)
    async def failed(_: Request, error: HinterlandError) -> JSONResponse:
        behind = isinstance(error, EndpointError)
        return JSONResponse(
            _error(str(error), "upstream_error" if behind else "server_error"), 502 if behind else 500
        )

    @app.get("/health")
    def health() -> dict[str, str]:
        return {"status": "ok", "system": system.name, "fingerprint": system.fingerprint}

    @app.get("/v1/models")
    def models() -> dict[str, Any]:
        entry = {"id": system.name, "object": "model", "created": 0, "owned_by": "hinterland"}
        return {"object": "list", "data": [entry]}

    # Plain functions: FastAPI runs them in threads, so one slow answer does not stop the others.
    @app.post("/ask")
    def ask(body: AskBody) -> dict[str, Any]:
        return {"question": body.question, **answer_as_dict(system.answer(body.question))}

    @app.post("/v1/chat/completions", response_model=None)
    def chat(body: ChatBody) -> dict[str, Any] | JSONResponse:
        for wrong, message in (
            (body.stream, "stream: true is not supported; leave it out"),
            (body.n not in (None, 1), "n: only one answer is given"),
            (not body.question, "messages: there is no user turn with text"),
        ):
            if wrong:
                return JSONResponse(_error(message, "invalid_request_error"), 400)
        return _chat_answer(system.answer(body.question), system.name)

    return app
