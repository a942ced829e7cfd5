"""Serve a GGUF on loopback: ``python -m hinterland.rag.serve_gguf MODEL``.

Prints ``{"address": …}`` on stdout when it is ready. It ends when its standard input
closes or its parent is gone, so that it never outlives who started it.
"""

from __future__ import annotations

import argparse
import json
import os
import select
import sys

__all__ = ["main"]

_LOOK = 1.0  # seconds between two looks at the parent


def main(arguments: list[str] | None = None) -> int:
    """Serve until standard input closes or the parent ends."""
    parser = argparse.ArgumentParser(prog="hinterland.rag.serve_gguf")
    parser.add_argument("model")
    parser.add_argument("--alias", default="local")
    parser.add_argument("--context", type=int, default=2048)
    parser.add_argument("--parallel", type=int, default=1)
    parser.add_argument("--threads", type=int, default=2)
    options = parser.parse_args(arguments)
    parent = os.getppid()

    import xllamacpp

    parameters = xllamacpp.CommonParams()
    parameters.model.path = options.model
    parameters.model_alias = {options.alias}
    parameters.n_ctx = options.context * options.parallel
    parameters.n_parallel = options.parallel
    parameters.cpuparams.n_threads = options.threads
    parameters.cpuparams_batch.n_threads = options.threads
    parameters.cache_ram_mib = 0  # each answer is computed afresh: the same bytes every time
    parameters.ui = False
    parameters.verbosity = 1  # errors only
    server = xllamacpp.Server(parameters)
    print(json.dumps({"address": server.listening_address}), flush=True)  # noqa: T201 - the protocol
    while os.getppid() == parent:
        readable, _, _ = select.select([sys.stdin], [], [], _LOOK)
        if readable and not os.read(sys.stdin.fileno(), 4096):
            break
    # Without unwinding: the server's threads may be in the middle of an answer.
    os._exit(0)


if __name__ == "__main__":
    sys.exit(main())
