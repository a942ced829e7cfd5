"""What each FAISS class can be told at search time, and how.

FAISS takes parameters by an object per class, nested as the index is nested. Here they are
one flat dictionary: ``efSearch`` (graphs), ``nprobe`` (inverted lists), ``quantizer_efSearch``
(a graph over the lists' centroids), ``ht`` (polysemous codes in inverted lists: the largest
Hamming distance looked at; Douze et al. 2016), ``qb`` (bits of a query against RaBitQ codes;
Gao and Long 2024), ``k_factor`` (candidates that a second, finer copy re-orders, as a multiple of k).
"""

from __future__ import annotations

from collections.abc import Mapping
from types import ModuleType
from typing import Any

__all__ = ["grid", "searcher", "takes_selector"]

_EF, _PROBE, _FACTOR, _BITS = 64, 16, 4, 8  # where the manifest says nothing


def _powers(low: int, high: int) -> list[int]:
    """Return the powers of two from ``low`` below ``high``, and ``high``."""
    powers = []
    while low < high:
        powers.append(low)
        low *= 2
    return [*powers, high]


def _graph_over_lists(faiss: ModuleType, index: Any) -> bool:
    return isinstance(faiss.downcast_index(index.quantizer), faiss.IndexHNSW)


def grid(faiss: ModuleType, index: Any) -> dict[str, list[int]]:
    """Return the parameters of ``index`` that trade recall for time, each from fast to thorough."""
    index = faiss.downcast_index(index)
    if isinstance(index, faiss.IndexPreTransform):
        return grid(faiss, index.index)
    if isinstance(index, faiss.IndexRefine):
        return {**grid(faiss, index.base_index), "k_factor": _powers(1, 64)}
    if isinstance(index, faiss.IndexHNSW):
        return {"efSearch": _powers(4, 2048)}
    if isinstance(index, faiss.IndexRaBitQ):
        return {"qb": [4, 8, 0]}
    if not isinstance(index, faiss.IndexIVF):
        return {}
    found = {"nprobe": _powers(1, index.nlist)}
    if isinstance(index, faiss.IndexIVFPQ) and _polysemous(index):
        found["ht"] = _hamming(index)
    if isinstance(index, faiss.IndexIVFRaBitQ):
        found["qb"] = [4, 8, 0]
    return found


def _polysemous(index: Any) -> bool:
    return bool(index.do_polysemous_training) and index.pq.nbits == 8 and index.pq.code_size % 8 == 0


def _hamming(index: Any) -> list[int]:
    """Return Hamming thresholds from a quarter of the code's bits to no threshold at all (0)."""
    bits = 8 * int(index.pq.code_size)
    return [*sorted({bits * part // 16 for part in (4, 5, 6, 7)}), 0]


def takes_selector(faiss: ModuleType, index: Any) -> bool:
    """Whether FAISS filters rows within this index's search."""
    index = faiss.downcast_index(index)
    if isinstance(index, faiss.IndexPreTransform):
        return takes_selector(faiss, index.index)
    if isinstance(index, faiss.IndexRefine):
        return takes_selector(faiss, index.base_index)
    plain = isinstance(index, faiss.IndexFlat | faiss.IndexScalarQuantizer | faiss.IndexRaBitQ)
    return plain or isinstance(index, faiss.IndexHNSW | faiss.IndexIVF)


def searcher(  # noqa: PLR0911 - a line to a class
    faiss: ModuleType, index: Any, given: Mapping[str, int], selector: Any = None, *, exhaustive: bool = False
) -> tuple[Any, Any]:
    """Return what to search, and the parameter object of its class (``None`` where it takes none).

    Args:
        faiss: The module.
        index: The index.
        given: Search parameters; those of other classes are not looked at.
        selector: Which rows may be found.
        exhaustive: Look everywhere, whatever is given.
    """
    index = faiss.downcast_index(index)
    if isinstance(index, faiss.IndexPreTransform):
        inner, parameters = searcher(faiss, index.index, given, selector, exhaustive=exhaustive)
        if exhaustive and faiss.downcast_index(index.index).this != inner.this:
            index = _through(faiss, index, inner)
        return index, None if parameters is None else faiss.SearchParametersPreTransform(
            index_params=parameters
        )
    if isinstance(index, faiss.IndexRefine):
        base, parameters = searcher(faiss, index.base_index, given, selector, exhaustive=exhaustive)
        if exhaustive and faiss.downcast_index(index.base_index).this != base.this:
            index = faiss.IndexRefine(base, index.refine_index)
        factor = max(given.get("k_factor", _FACTOR), 1)
        return index, faiss.IndexRefineSearchParameters(k_factor=factor, base_index_params=parameters)
    if isinstance(index, faiss.IndexHNSW):
        if exhaustive:  # a graph may not reach every allowed node; its storage holds them all
            return searcher(faiss, index.storage, given, selector)
        return index, faiss.SearchParametersHNSW(efSearch=given.get("efSearch", _EF), sel=selector)
    if isinstance(index, faiss.IndexIVF):
        return index, _lists(faiss, index, given, selector, exhaustive=exhaustive)
    if isinstance(index, faiss.IndexPQ):  # without lists, FAISS has Hamming thresholds for L2 alone
        return index, faiss.SearchParametersPQ(search_type=faiss.IndexPQ.ST_PQ)
    if isinstance(index, faiss.IndexRaBitQ):
        return index, faiss.RaBitQSearchParameters(qb=given.get("qb", _BITS), sel=selector)
    if selector is None or not takes_selector(faiss, index):
        return index, None
    return index, faiss.SearchParameters(sel=selector)


def _through(faiss: ModuleType, outer: Any, inner: Any) -> Any:
    """Return ``inner`` behind the transforms of ``outer``, both shared."""
    view = faiss.IndexPreTransform(inner)
    for number in reversed(range(outer.chain.size())):
        view.prepend_transform(outer.chain.at(number))
    view.own_fields = False
    return view


def _lists(
    faiss: ModuleType, index: Any, given: Mapping[str, int], selector: Any, *, exhaustive: bool
) -> Any:
    probe = index.nlist if exhaustive else max(1, min(given.get("nprobe", _PROBE), index.nlist))
    more: dict[str, Any] = {"nprobe": probe, "sel": selector}
    if _graph_over_lists(faiss, index):
        ef = index.nlist if exhaustive else given.get("quantizer_efSearch", max(2 * probe, _EF))
        more["quantizer_params"] = faiss.SearchParametersHNSW(efSearch=ef)
    if isinstance(index, faiss.IndexIVFPQ):
        return faiss.IVFPQSearchParameters(polysemous_ht=0 if exhaustive else given.get("ht", 0), **more)
    if isinstance(index, faiss.IndexIVFRaBitQ):
        return faiss.IVFRaBitQSearchParameters(qb=given.get("qb", _BITS), **more)
    return faiss.SearchParametersIVF(**more)
