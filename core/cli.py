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
        import yaml

        plan = {"config": resolved.model_dump(mode="json"), **room.plan(resolved)}
        plan["config"] = plan.pop("config")  # the long part last
        _emit(plan, yaml.safe_dump(plan, sort_keys=False, allow_unicode=True).rstrip(), as_json=as_json)
        return
    result = room.run(resolved)
    _emit(result, room.render(result), as_json=as_json)


@click.group(context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100})
@click.version_option(__version__, prog_name="hinterland")
def cli() -> None:
    """Adapt a language model to your domain, and see who your filters leave out."""


def _config_command(name: str, module: str, summary: str, *, group: click.Group | None = None) -> None:
    """Add a command that takes a config file: ``hinterland NAME [CONFIG]``."""

    @_common
    @click.argument("config", required=False, type=click.Path(path_type=Path, dir_okay=False))
    def command(config: Path | None, overrides: tuple[str, ...], dry_run: bool, as_json: bool) -> None:
        _run(module, config, overrides, dry_run=dry_run, as_json=as_json)

    (group or cli).command(name, help=summary)(command)


def _corpus_command(name: str, module: str, summary: str) -> None:
    """Add a command on a corpus: ``hinterland NAME CORPUS [--config FILE]``."""

    @_common
    @click.option("--config", type=click.Path(path_type=Path, dir_okay=False), help="A YAML config.")
    @click.option("--out", type=click.Path(path_type=Path), help="The folder to write.")
    @click.argument("corpus", type=click.Path(path_type=Path))
    def command(
        corpus: Path,
        out: Path | None,
        config: Path | None,
        overrides: tuple[str, ...],
        dry_run: bool,
        as_json: bool,
    ) -> None:
        given = [f"corpus={_quoted(corpus)}", *([f"out={_quoted(out)}"] if out else []), *overrides]
        _run(module, config, tuple(given), dry_run=dry_run, as_json=as_json)

    cli.command(name, help=summary)(command)


def _quoted(value: object) -> str:
    """Return ``value`` as a YAML string, whatever characters are in it."""
    return json.dumps(str(value))


class _DefaultGroup(click.Group):
    """A group whose first command is meant where no other is named."""

    default = "run"

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        """Put the default command in front of arguments that name none."""
        if not args or args[0] not in (*self.commands, *ctx.help_option_names):
            args = [self.default, *args]
        return super().parse_args(ctx, args)

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        """Leave the default command's name out of usage lines: nobody typed it."""
        name, command, rest = super().resolve_command(ctx, args)
        return ("" if name == self.default else name), command, rest

    def format_help(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """Show the default command's help, and the other commands below it."""
        command = self.commands[self.default]
        with click.Context(command, info_name=ctx.command_path) as inner:
            command.format_help(inner, formatter)
        others = [
            (name, each.get_short_help_str(80))
            for name, each in sorted(self.commands.items())
            if name != self.default
        ]
        with formatter.section("Also"):
            formatter.write_dl([(f"{ctx.command_path} {name}", text) for name, text in others])


@cli.group("curate", cls=_DefaultGroup, short_help="Score every filter over a corpus, then decide.")
def curate_group() -> None:
    """Score every filter over a corpus, then decide what to keep."""


_files = click.argument("files", nargs=-1, metavar="[CONFIG] [FILES]...", type=click.Path(path_type=Path))
_out = click.option("--out", type=click.Path(path_type=Path), help="The folder to write.")


def _inputs(files: tuple[Path, ...], out: Path | None) -> tuple[Path | None, list[str]]:
    """Tell a config from files to read: a first argument that ends in .yaml or .yml."""
    config = files[0] if files and files[0].suffix in (".yaml", ".yml") else None
    rest = files[1:] if config else files
    given = [f"input={json.dumps([str(path) for path in rest])}"] if rest else []
    return config, given + ([f"out={_quoted(out)}"] if out else [])


def _files_command(name: str, module: str, summary: str) -> None:
    """Add a command of ``curate`` that takes a config, files to read, or both."""

    @_common
    @_out
    @click.option("--strict", is_flag=True, help="Stop at the first document that cannot be read.")
    @_files
    def command(
        files: tuple[Path, ...],
        out: Path | None,
        strict: bool,
        overrides: tuple[str, ...],
        dry_run: bool,
        as_json: bool,
    ) -> None:
        config, given = _inputs(files, out)
        given += ["read.strict=true"] if strict else []
        _run(module, config, (*given, *overrides), dry_run=dry_run, as_json=as_json)

    curate_group.command(name, help=summary)(command)


_files_command(
    "run", "hinterland.curate.command", "Score every filter over a corpus, then decide what to keep."
)
_files_command(
    "agreement",
    "hinterland.curate.agreement_command",
    "Compare the paper's, datatrove's and dolma's readings of the same rules.",
)


@cli.command("audit")
@_common
@click.option("--config", type=click.Path(path_type=Path, dir_okay=False), help="A YAML config.")
@click.option(
    "--covariates", type=click.Path(path_type=Path, dir_okay=False), help="Your own figures by country."
)
@_out
@click.argument("inputs", nargs=-1, metavar="CORPUS | FILES...", type=click.Path(path_type=Path))
def audit(
    inputs: tuple[Path, ...],
    out: Path | None,
    covariates: Path | None,
    config: Path | None,
    overrides: tuple[str, ...],
    dry_run: bool,
    as_json: bool,
) -> None:
    """Say whom a corpus holds and what each filter keeps, by place and source.

    Takes a curated corpus, the folder of a curate run, or files of any kind that `curate`
    reads; those are placed, scored and decided first.
    """
    given = [f"input={json.dumps([str(path) for path in inputs])}"] if inputs else []
    given += [f"out={_quoted(out)}"] if out else []
    given += [f"covariates={_quoted(covariates)}"] if covariates else []
    module = "hinterland.curate.audit.command"
    _run(module, config, (*given, *overrides), dry_run=dry_run, as_json=as_json)


_corpus_command(
    "debias", "hinterland.curate.debias.command", "Even out what is kept across places, at a stated cost."
)


@curate_group.command("train-quality")
@_common
@_out
@click.option("--positive", multiple=True, type=click.Path(path_type=Path), help="Texts to score high.")
@click.option("--negative", multiple=True, type=click.Path(path_type=Path), help="Texts to score low.")
@click.argument("config", required=False, type=click.Path(path_type=Path, dir_okay=False))
def train_quality(
    config: Path | None,
    positive: tuple[Path, ...],
    negative: tuple[Path, ...],
    out: Path | None,
    overrides: tuple[str, ...],
    dry_run: bool,
    as_json: bool,
) -> None:
    """Train a quality classifier as GPT-3's was, with a card that says what it learnt."""
    given = [f"out={_quoted(out)}"] if out else []
    for name, paths in (("positive", positive), ("negative", negative)):
        if paths:
            given.append(f"{name}={json.dumps([str(path) for path in paths])}")
    module = "hinterland.curate.train_quality_command"
    _run(module, config, (*given, *overrides), dry_run=dry_run, as_json=as_json)


@cli.group("index")
def index_group() -> None:
    """Build, tune, search and change a domain index."""


_config_command(
    "build", "hinterland.indexes.command", "Chunk, embed and publish a corpus as an index.", group=index_group
)


def _index_command(
    name: str, module: str, summary: str, *params: click.Parameter, always: tuple[str, ...] = ()
) -> None:
    """Add a command on an index: ``hinterland index NAME INDEX``; each parameter sets the key of its name."""

    @_common
    @click.option("--config", type=click.Path(path_type=Path, dir_okay=False), help="A YAML config.")
    @click.argument("index", type=click.Path(path_type=Path))
    def command(
        index: Path,
        config: Path | None,
        overrides: tuple[str, ...],
        dry_run: bool,
        as_json: bool,
        **keys: Any,
    ) -> None:
        told = {
            key.replace("__", "."): value for key, value in keys.items() if value not in (None, (), False)
        }
        given = [f"index={_quoted(index)}", *always]
        given += [f"{key}={json.dumps(value, default=str)}" for key, value in told.items()]
        _run(module, config, (*given, *overrides), dry_run=dry_run, as_json=as_json)

    made = index_group.command(name, help=summary)(command)
    made.params[-1:-1] = [each for each in params if isinstance(each, click.Option)]
    made.params += [each for each in params if isinstance(each, click.Argument)]


def _option(flag: str, key: str, summary: str, **more: Any) -> click.Option:
    return click.Option([flag, key], help=summary, **more)


_path = click.Path(path_type=Path)
_several = {"multiple": True, "metavar": "NAME"}
_index_command(
    "search",
    "hinterland.indexes.search_command",
    "Search an index.",
    click.Argument(["query"]),
    click.Option(["-k"], type=int, help="How many results.  [default: 5]"),
    _option("--mode", "how__mode", "What ranks.", type=click.Choice(["dense", "bm25", "hybrid"])),
    _option("--where", "where", "A condition over columns, such as \"country == 'KEN'\"."),
)
_index_command(
    "add",
    "hinterland.indexes.change_command",
    "Add a corpus' documents to an index.",
    click.Argument(["corpus"], type=_path),
    _option("--replace", "replace", "Documents whose ids are there take their place.", is_flag=True),
)
_index_command(
    "remove",
    "hinterland.indexes.remove_command",
    "Remove documents for good, with a receipt.",
    _option("--source", "source", "All of a source.", **_several),
    _option("--license", "license", "All under a licence.", **_several),
    _option("--country", "country", "All of a country.", **_several),
    _option("--id", "ids", "A document.", **_several),
    _option("--where", "where", "All that fit a condition over columns."),
    _option("--lift", "lift", "Let a rule of an earlier removal no longer hold.", metavar="RULE"),
    _option("--queries", "queries", "Queries on which to estimate what the removal costs.", type=_path),
    _option("--qrels", "qrels", "Judgements of these queries.", type=_path),
    _option("--keep-versions", "keep_versions", "Leave older versions, and the texts in them.", is_flag=True),
)
_index_command(
    "receipt",
    "hinterland.indexes.receipt_command",
    "Check that what was removed is still gone.",
    click.Argument(["receipt"], type=_path, required=False),
)
_index_command(
    "compact", "hinterland.indexes.compact_command", "Drop the vectors of what was removed or replaced."
)
_index_command(
    "fill-store",
    "hinterland.indexes.fill_command",
    "Send an index's or a corpus's chunks to a vector store that is served.",
    _option("--kind", "store__kind", "The kind of store.  [default: qdrant]"),
    _option("--collection", "store__settings__collection", "Its collection, made where there is none."),
    _option("--url", "store__settings__url", "Its address."),
    _option("--path", "store__settings__path", "Its folder, without a server.", type=_path),
)
_index_command("versions", "hinterland.indexes.versions_command", "List the versions on disk.")
_index_command(
    "rollback",
    "hinterland.indexes.versions_command",
    "Serve the version before again, or the one named.",
    _option("--to", "rollback", "A version's name, or its beginning.", metavar="VERSION"),
    always=("rollback=true",),
)
_index_command(
    "tune",
    "hinterland.indexes.tune_command",
    "Find the fastest search that keeps a promise.",
    _option("--recall", "recall", "The share of the exact neighbours that must be found.", type=float),
    _option("--queries", "queries", "Queries to measure on; without them chunks are held out.", type=_path),
    _option("--qrels", "qrels", "Judgements, to tune the mix of vectors and words.", type=_path),
    _option("--check", "check", "Measure whether the promise still holds.", is_flag=True),
    _option("--plot", "plot", "Draw the curve of recall and speed into an SVG file.", type=_path),
)
_config_command(
    "adapt-retriever",
    "hinterland.indexes.adapt_retriever.command",
    "Fine-tune the encoder without labels.",
    group=index_group,
)


@cli.command("ask")
@_common
@click.option("--config", type=click.Path(path_type=Path, dir_okay=False), help="A YAML config.")
@click.option(
    "--index", type=click.Path(path_type=Path), help="The index; without one the model answers alone."
)
@click.argument("question")
def ask(
    question: str,
    index: Path | None,
    config: Path | None,
    overrides: tuple[str, ...],
    dry_run: bool,
    as_json: bool,
) -> None:
    """Answer a question, with citations where there is an index."""
    given = (f"question={_quoted(question)}", *([f"index={_quoted(index)}"] if index else []), *overrides)
    _run("hinterland.rag.command", config, given, dry_run=dry_run, as_json=as_json)


_config_command(
    "serve", "hinterland.rag.serve_command", "Serve answers over HTTP, on this machine unless told."
)
_config_command("adapt", "hinterland.adapt.command", "Continue a model's pretraining on a corpus (DAPT).")
_config_command("eval", "hinterland.eval.command", "Measure systems on a task, with paired intervals.")


@cli.command("demo")
@_common
@click.option("--quick", is_flag=True, help="A small part of everything, within 3 minutes.")
@click.option("--out", type=click.Path(path_type=Path), help="Where to put it.  [default: hinterland-demo]")
@click.option("--config", type=click.Path(path_type=Path, dir_okay=False), help="A YAML config.")
def demo(
    out: Path | None,
    quick: bool,
    config: Path | None,
    overrides: tuple[str, ...],
    dry_run: bool,
    as_json: bool,
) -> None:
    """Go the whole way on the World Factbook: corpus to measured model, with a report."""
    given = ([f"out={_quoted(out)}"] if out else []) + (["quick=true"] if quick else [])
    _run("hinterland.demo.command", config, (*given, *overrides), dry_run=dry_run, as_json=as_json)


@cli.command("init")
@click.argument("folder", type=click.Path(path_type=Path), default=Path("configs"))
def init(folder: Path) -> None:
    """Write the commented starter configs to FOLDER; files that exist are left alone."""
    from importlib.resources import files

    from hinterland.core.files import write_text

    for source in sorted(files("hinterland.configs").iterdir(), key=lambda item: item.name):
        if source.name.endswith(".yaml"):
            target = folder / source.name
            if target.exists():
                click.echo(f"kept    {target}")
            else:
                write_text(target, source.read_text(encoding="utf-8"))
                click.echo(f"written {target}")


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
