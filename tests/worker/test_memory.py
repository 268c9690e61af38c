"""What many ask for at once is found out once."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from threading import Barrier

import pytest

from engine.errors import ExternalFailure
from engine.worker.memory import Memory


def test_of_many_who_ask_at_once_one_finds_out() -> None:
    memory, together, asked = Memory(), Barrier(4), list[int]()

    def ask(number: int) -> int:
        def find_out() -> int:
            asked.append(number)
            return number

        together.wait()
        return memory.once("key", find_out)

    with ThreadPoolExecutor(4) as pool:
        found = set(pool.map(ask, range(4)))

    assert len(asked) == 1
    assert found == set(asked)


def test_what_fails_once_is_not_tried_for_each() -> None:
    memory, asked = Memory(), list[int]()

    def fail() -> int:
        asked.append(1)
        raise ExternalFailure("There is no such provider.")

    for _ in range(2):
        with pytest.raises(ExternalFailure, match=r"^There is no such provider\.$"):
            memory.once("key", fail)
    assert asked == [1]


def test_other_keys_are_other_things() -> None:
    memory = Memory()

    assert [memory.once("a", lambda: 1), memory.once("b", lambda: 2), memory.once("a", lambda: 3)] == [1, 2, 1]
