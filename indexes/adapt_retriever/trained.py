"""What a run trained, as an encoder to look at: let through by the gate or refused."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

from hinterland.core.config import parse_config
from hinterland.core.errors import ConfigError, StorageError
from hinterland.core.files import atomic_dir, read_json
from hinterland.indexes.adapt_retriever.training import load_encoder, quiet
from hinterland.indexes.embed import EmbedConfig

__all__ = ["ENCODER", "WEIGHTS", "TrainedRun", "load_trained", "save_encoder", "trained_encoder"]

#: Where a run's files are, under its folder.
WEIGHTS = Path("train") / "weights.safetensors"
ENCODER = Path("model") / "encoder"


@dataclass(frozen=True, slots=True)
class TrainedRun:
    """A finished run's encoder.

    Attributes:
        embed: The config of the trained encoder, used as the base was.
        let_through: Whether the gate let it through. Where it did not, this encoder is for
            measuring: the run says that the base is to be used.
        gate: The gate's comparison, as `Verdict.as_json` has it.
    """

    embed: EmbedConfig
    let_through: bool
    gate: dict[str, Any]


def trained_encoder(run: Path, place: Path) -> TrainedRun:
    """Return the encoder that a run trained, whatever the gate said of it.

    One that was refused is not in the run folder as an encoder; it is written to ``place``.

    Args:
        run: The folder of a finished run.
        place: Where a refused encoder is written; what is there is replaced.

    Raises:
        ConfigError: The folder holds no finished run.
        ModelSourceError: The base cannot be loaded.
        StorageError: A file cannot be read or written.
    """
    cure = "give the run folder of `hinterland index adapt-retriever`, and let it end"
    try:
        manifest = read_json(run / "manifest.json")
        config, gate = manifest["config"], manifest["result"]["gate"]
        embed = parse_config(EmbedConfig, config["embed"], where=str(run / "manifest.json"))
        let_through = manifest["result"]["verdict"] == "adapted"
    except (StorageError, KeyError, TypeError) as error:
        raise ConfigError("no finished run is here", where=str(run), cure=cure) from error
    found = run / ENCODER
    if not let_through:
        if not (run / WEIGHTS).is_file():
            raise ConfigError("the run's weights are gone", where=str(run / WEIGHTS), cure=cure)
        found = place
        with atomic_dir(place) as temporary:
            save_encoder(embed, run / WEIGHTS, temporary)
    return TrainedRun(embed.model_copy(update={"model": str(found)}), let_through, gate)


def save_encoder(embed: EmbedConfig, weights: Path, folder: Path) -> None:
    """Write the base with trained weights as a sentence-transformers model."""
    model = load_encoder(embed, tokens=10**6)  # its own limit
    load_trained(model, weights)
    with quiet():
        model.save_pretrained(str(folder), create_model_card=False)


def load_trained(model: Any, weights: Path) -> None:
    """Put trained weights into a model, in its own number format."""
    from safetensors.torch import load_file

    found = load_file(str(weights))
    model.load_state_dict({name: value.to(model.dtype) for name, value in found.items()})
