"""Objects named in a config: ``package.module:name`` or ``folder/file.py:name``."""

from __future__ import annotations

import importlib
import importlib.util
import sys
from pathlib import Path
from types import ModuleType
from typing import Any

from hinterland.core.errors import ConfigError, MissingDependencyError, nearest
from hinterland.core.run import fingerprint

__all__ = ["resolve"]


def resolve(spec: str, *, where: str) -> Any:
    """Import and return an object. Its module's code runs, as with any import.

    Args:
        spec: ``package.module:name``, where the name may have dots, or ``folder/file.py:name``.
        where: Its place in the config, for errors.

    Raises:
        ConfigError: It is not of this form, the module has no such name, or importing it failed.
        MissingDependencyError: There is no such module.
    """
    module_name, colon, name = spec.rpartition(":")
    if not colon or not module_name or not name:
        raise ConfigError(
            f"{spec!r} names no function",
            where=where,
            cure="write package.module:function or file.py:function",
        )
    try:
        found: Any = _from_file(Path(module_name), where) if module_name.endswith(".py") else None
        found = importlib.import_module(module_name) if found is None else found
    except ModuleNotFoundError as error:
        missing = error.name or module_name
        raise MissingDependencyError(
            f"no module {missing!r}",
            where=f"{where}: {spec}",
            cure=f"install the package, write the file ({module_name.split('.')[0]}.py:{name}),"
            " or add its folder to PYTHONPATH",
        ) from error
    except ConfigError:
        raise
    except Exception as error:
        raise ConfigError(
            f"importing {module_name!r} failed: {type(error).__name__}: {error}",
            where=where,
            cure="correct it",
        ) from error
    for part in name.split("."):
        if not hasattr(found, part):
            raise ConfigError(
                f"{module_name!r} has no {part!r}",
                where=where,
                cure=nearest(part, [each for each in dir(found) if not each.startswith("_")]),
            )
        found = getattr(found, part)
    return found


def _from_file(path: Path, where: str) -> ModuleType:
    """Import a file that need not be in a package, once in a process."""
    if not path.is_file():
        raise ConfigError(f"no file {str(path)!r}", where=where, cure="check the path")
    name = f"_hinterland_filter_{fingerprint(str(path.resolve()))[:12]}"
    if name in sys.modules:
        return sys.modules[name]
    spec = importlib.util.spec_from_file_location(name, path)
    if spec is None or spec.loader is None:
        raise ConfigError(f"{str(path)!r} cannot be imported", where=where, cure="give a Python file")
    module = importlib.util.module_from_spec(spec)
    sys.modules[name] = module
    try:
        spec.loader.exec_module(module)
    except BaseException:
        del sys.modules[name]
        raise
    return module
