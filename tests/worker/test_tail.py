"""The log of a run is read while it grows: in whole lines, from any offset on, without gaps or repeats."""

from __future__ import annotations

import random
import threading
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine.worker.tail import LogFile, Tail

WORDS = ("plan", "größer", "日本語", "🦀🦀", "", " ", "\r", "x" * 300, "\x00")


def drained(tail: Tail, *, over: bool) -> bytes:
    """All that there is to be read now."""
    return b"".join(iter(lambda: tail.more(over=over), b""))


def test_a_line_is_read_when_its_end_has_come() -> None:
    log = bytearray(b"one\ntw")
    tail = Tail(lambda offset: bytes(log[offset:]))

    first = drained(tail, over=False)
    log += b"o\n"

    assert first == b"one\n"
    assert drained(tail, over=False) == b"two\n"


def test_a_line_without_an_end_is_read_when_nothing_more_will_come() -> None:
    tail = Tail(lambda offset: b"one\ntw"[offset:])

    assert drained(tail, over=True) == b"one\ntw"
    assert tail.offset == 6


def test_reading_goes_on_at_an_offset_that_was_remembered() -> None:
    content = b"plan: 1 to add\napply: done\n"
    before = Tail(lambda offset: content[:15][offset:])
    drained(before, over=True)

    after = Tail(lambda offset: content[offset:], before.offset)

    assert drained(after, over=True) == b"apply: done\n"


def test_there_is_nothing_behind_the_end() -> None:
    tail = Tail(lambda offset: b"one\n"[offset:], 100)

    assert drained(tail, over=True) == b""
    assert tail.offset == 100


def test_a_file_may_appear_later(tmp_path: Path) -> None:
    with LogFile(tmp_path / "log") as log:
        tail = Tail(log)
        first = drained(tail, over=False)
        (tmp_path / "log").write_bytes(b"one\n")

        assert first == b""
        assert drained(tail, over=False) == b"one\n"


@given(st.binary(max_size=200), st.integers(0, 220), st.lists(st.integers(1, 40), min_size=1))
def test_whatever_comes_in_whatever_pieces_is_read_once(content: bytes, start: int, sizes: list[int]) -> None:
    pieces = iter(sizes * 300)
    tail = Tail(lambda offset: content[offset : offset + next(pieces)], start)

    assert drained(tail, over=True) == content[start:]
    assert tail.offset == max(start, len(content))


@given(st.lists(st.binary(max_size=30), min_size=1, max_size=8))
def test_while_a_log_grows_only_whole_lines_are_read(chunks: list[bytes]) -> None:
    log = bytearray()
    tail = Tail(lambda offset: bytes(log[offset:]))
    read = b""
    for chunk in chunks:
        log += chunk
        read += drained(tail, over=False)

        assert read == bytes(log)[: log.rfind(b"\n") + 1]

    assert read + drained(tail, over=True) == bytes(log)


@pytest.mark.parametrize("seed", range(8))
def test_readers_of_a_file_that_grows_miss_nothing_and_repeat_nothing(seed: int, tmp_path: Path) -> None:
    chance = random.Random(seed)
    text = "\n".join(" ".join(chance.choices(WORDS, k=chance.randrange(6))) for _ in range(400)).encode()
    path, over = tmp_path / "log", threading.Event()

    def write() -> None:
        rest = text
        with path.open("ab", buffering=0) as log:
            while rest:
                size = chance.randrange(1, 700)
                log.write(rest[:size])
                rest = rest[size:]
        over.set()

    def read(start: int) -> bytes:
        """As `run logs -f` does, now and then by another process that knows nothing but the offset."""
        content, offset = b"", start
        while True:
            with LogFile(path) as log:
                tail, was_over = Tail(log, offset), over.is_set()
                content += drained(tail, over=was_over)
                offset = tail.offset
            if was_over:
                return content

    starts = [0, *(chance.randrange(len(text)) for _ in range(3))]
    results: dict[int, bytes] = {}
    readers = [threading.Thread(target=lambda at=at: results.update({at: read(at)})) for at in starts]
    for thread in (*readers, writer := threading.Thread(target=write)):
        thread.start()
    for thread in (*readers, writer):
        thread.join()

    assert results == {at: text[at:] for at in starts}
