"""`hinterland serve`: the system of a config behind HTTP, until it is interrupted."""

from __future__ import annotations

import errno
import ipaddress
import socket
from contextlib import ExitStack, suppress
from typing import Any

from pydantic import Field

from hinterland.core.errors import ConfigError
from hinterland.core.progress import console
from hinterland.rag.open import SystemConfig, describe_system, open_system

__all__ = ["CommandConfig", "plan", "render", "run"]


class CommandConfig(SystemConfig):
    """What to serve, and where.

    Attributes:
        host: The address to listen on. There is no authentication: other addresses than
            loopback belong behind a gateway.
        port: The port; 0 takes a free one.
    """

    host: str = "127.0.0.1"
    port: int = Field(default=8000, ge=0, le=65535)


def plan(config: CommandConfig) -> dict[str, Any]:
    """Say what would be served; nothing is started."""
    return {**describe_system(config), "address": f"http://{config.host}:{config.port}"}


def _listen(config: CommandConfig) -> socket.socket:
    """Take the port before anything slow is loaded.

    Raises:
        ConfigError: It is taken, or the address is not this machine's.
    """
    try:
        family = socket.getaddrinfo(config.host, config.port, type=socket.SOCK_STREAM)[0][0]
        with ExitStack() as on_error:
            listener = on_error.enter_context(socket.socket(family, socket.SOCK_STREAM))
            listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            listener.bind((config.host, config.port))
            on_error.pop_all()
    except OSError as error:
        taken = error.errno == errno.EADDRINUSE
        raise ConfigError(
            f"cannot listen there: {error.strerror or error}",
            where=f"{config.host}:{config.port}",
            cure="give another port, or 0 for a free one" if taken else "give an address of this machine",
        ) from error
    return listener


def _is_loopback(host: str) -> bool:
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"


def run(config: CommandConfig) -> dict[str, Any]:
    """Serve until interrupted."""
    import uvicorn

    from hinterland.rag.service import create_app

    with _listen(config) as listener, open_system(config) as system:
        address = f"http://{config.host}:{listener.getsockname()[1]}"
        messages = console()
        messages.print(f"{system.name} at {address} (POST /ask, POST /v1/chat/completions); stop with Ctrl-C")
        if not _is_loopback(config.host):
            messages.print("  note: anyone who reaches this address may ask; there is no authentication")
        server = uvicorn.Server(uvicorn.Config(create_app(system), log_level="warning", access_log=False))
        with suppress(KeyboardInterrupt):  # raised again by uvicorn, after the last answer
            server.run(sockets=[listener])
        return {"address": address, "system": system.name, "requests": server.server_state.total_requests}


def render(result: dict[str, Any]) -> str:
    """Return what was served."""
    return f"served {result['requests']} requests with {result['system']} at {result['address']}"
