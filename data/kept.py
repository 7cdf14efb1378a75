"""A bounded store in memory, shared by threads: what was used longest ago makes room for the new."""

from __future__ import annotations

import threading
from collections import OrderedDict
from collections.abc import Callable, Hashable
from typing import Generic, Protocol, TypeVar


class Sized(Protocol):
    """What knows how many bytes it takes."""

    @property
    def nbytes(self) -> int:
        """Bytes taken now; may grow while it is kept."""


K = TypeVar("K", bound=Hashable)
V = TypeVar("V", bound=Sized)


class Kept(Generic[K, V]):
    """
    Values by key, at most so many bytes of them; the newest stays even if it is larger alone.

    Parameters
    ----------
    max_bytes
        Looked at whenever a value is added.
    """

    def __init__(self, max_bytes: int) -> None:
        self.max_bytes = max_bytes
        self._values: OrderedDict[K, V] = OrderedDict()
        self._making: dict[K, threading.Lock] = {}
        self._lock = threading.Lock()

    def find(self, key: K) -> V | None:
        """Return the value if it is kept."""
        with self._lock:
            if key in self._values:
                self._values.move_to_end(key)
            return self._values.get(key)

    def get(self, key: K, make: Callable[[], V]) -> V:
        """Return the value, made if it is not kept; of threads that ask for one key at once, one makes it."""
        if (found := self.find(key)) is not None:
            return found
        with self._lock:
            making = self._making.setdefault(key, threading.Lock())
        with making:
            if (found := self.find(key)) is not None:
                return found
            try:
                self.put(key, value := make())
            finally:
                with self._lock:
                    self._making.pop(key, None)
            return value

    def put(self, key: K, value: V) -> None:
        """Keep a value."""
        with self._lock:
            self._values[key] = value
            self._values.move_to_end(key)
            taken = self._taken()
            while taken > self.max_bytes and len(self._values) > 1:
                taken -= self._values.popitem(last=False)[1].nbytes

    def clear(self) -> None:
        """Let go of everything."""
        with self._lock:
            self._values.clear()

    @property
    def nbytes(self) -> int:
        """Bytes taken by all."""
        with self._lock:
            return self._taken()

    def _taken(self) -> int:
        return sum(value.nbytes for value in self._values.values())

    def __len__(self) -> int:
        return len(self._values)
