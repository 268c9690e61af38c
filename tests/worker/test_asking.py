"""Instances of campaigns are asked side by side, each once at a time."""

from __future__ import annotations

from threading import Barrier, Event

from engine.external.process import Stop
from engine.worker.asking import Asking

PATIENCE_S = 10


def test_one_that_does_not_answer_keeps_no_other_waiting_and_is_not_asked_twice() -> None:
    asked, both, answer = list[int](), Barrier(3), Event()

    def ask(step_id: int, _stop: Stop) -> None:
        asked.append(step_id)
        both.wait(PATIENCE_S)
        answer.wait(PATIENCE_S)

    asking = Asking(lambda: [1, 2], ask)
    asking.look()
    both.wait(PATIENCE_S)
    asking.look()
    answer.set()

    assert sorted(asked) == [1, 2]
