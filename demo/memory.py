"""Peak memory of this process and its children, sampled; what `ps` calls resident."""

from __future__ import annotations

import threading
from types import TracebackType

__all__ = ["PeakMemory"]


class PeakMemory:
    """Sample the resident memory of the whole process tree while the block runs.

    Attributes:
        megabytes: The largest sum seen so far, in MB (10^6 bytes).
    """

    def __init__(self, *, interval: float = 0.5) -> None:
        self.megabytes = 0.0
        self._interval = interval
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._watch, daemon=True)

    def _watch(self) -> None:
        import psutil

        process = psutil.Process()
        while not self._stop.is_set():
            total = 0
            for each in (process, *process.children(recursive=True)):
                try:
                    total += each.memory_info().rss
                except psutil.Error:  # it ended between listing and asking
                    continue
            self.megabytes = max(self.megabytes, total / 1e6)
            self._stop.wait(self._interval)

    def __enter__(self) -> PeakMemory:
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, value: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._stop.set()
        self._thread.join(timeout=5)
