"""The command line. Only this file knows all the rooms, and imports them inside commands."""

from __future__ import annotations

import json
import sys
from collections.abc import Callable
from importlib import import_module
from pathlib import Path
from typing import Any, TypeVar

import click

from hinterland import __version__
from hinterland.core.errors import HinterlandError

__all__ = ["cli", "main"]

F = TypeVar("F", bound=Callable[..., Any])


def _common(command: F) -> F:
    """Add the options that every command takes."""
    for option in (
        click.option("--json", "as_json", is_flag=True, help="Print the result as JSON on stdout."),
        click.option(
            "--dry-run", is_flag=True, help="Say what would be done and what it costs; write nothing."
        ),
        click.option(
            "--set", "overrides", multiple=True, metavar="KEY=VALUE", help="Set a config key (a.b=c)."
        ),
    ):
        command = option(command)
    return command


def _emit(value: dict[str, Any], text: str, *, as_json: bool) -> None:
    """Print a result: JSON for programs, or the text that the room made of it."""
    click.echo(json.dumps(value, ensure_ascii=False, default=str) if as_json else text)


def _run(
    module: str, config: Path | None, overrides: tuple[str, ...], *, dry_run: bool, as_json: bool
) -> None:
    """Do what all commands do: load the room's config, then plan or run it."""
    from hinterland.core.config import load_config

    room = import_module(module)
    resolved = load_config(room.CommandConfig, config, overrides)
    if dry_run:
        plan = {"config": resolved.model_dump(mode="json"), **room.plan(resolved)}
        _emit(plan, "\n".join(f"{key}: {value}" for key, value in plan.items()), as_json=as_json)
        return
    result = room.run(resolved)
    _emit(result, room.render(result), as_json=as_json)


@click.group(context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100})
@click.version_option(__version__, prog_name="hinterland")
def cli() -> None:
    """Adapt a language model to your domain, and see who your filters leave out."""


def main() -> None:
    """Run the command line; a user's mistake ends in one message, never in a traceback."""
    try:
        status = cli(standalone_mode=False)
        sys.exit(status if isinstance(status, int) else 0)
    except click.exceptions.Abort:
        _stop("interrupted; run the same command again to go on from here", 130)
    except KeyboardInterrupt:
        _stop("interrupted; run the same command again to go on from here", 130)
    except click.ClickException as error:
        error.show()
        sys.exit(error.exit_code)
    except HinterlandError as error:
        _stop(f"{error}", 1)
    except BrokenPipeError:
        sys.exit(141)


def _stop(message: str, status: int) -> None:
    click.echo(f"hinterland: {message}", err=True)
    sys.exit(status)


if __name__ == "__main__":
    main()
