"""What is found out once for many instances that are planned side by side, and forgotten with them."""

from __future__ import annotations

from collections.abc import Callable, Hashable
from concurrent.futures import Future
from threading import Lock
from typing import Any, TypeVar

T = TypeVar("T")


class Memory:
    """Of several threads that ask for the same thing, one finds out, and all get what came of it: also an error."""

    def __init__(self) -> None:
        self._lock = Lock()
        self._found: dict[Hashable, Future[Any]] = {}

    def once(self, key: Hashable, find_out: Callable[[], T]) -> T:
        """What `find_out` has given for the key, whoever asked first. Raises what it raised."""
        with self._lock:
            is_first = key not in self._found
            found: Future[T] = self._found.setdefault(key, Future())
        if is_first:
            try:
                found.set_result(find_out())
            except BaseException as error:
                # an init that fails would fail for all of them, one after the other
                found.set_exception(error)
        return found.result()
