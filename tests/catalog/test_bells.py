"""Promises about bells: who listens hears of news as soon as they are kept, and of nothing twice."""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from threading import Event

import pytest

from engine.catalog.bells import Bell
from engine.catalog.catalog import Catalog
from tests import postgres
from tests.catalog.world import World, opened

SOON_S, NEVER_S = 30, 0.3


@pytest.fixture
def bell(catalog: Catalog) -> Iterator[Bell]:
    with catalog.listen() as found:
        yield found


def ring(catalog: Catalog, name: str = "web") -> None:
    with catalog.write() as tx:
        tx.add_template("service", name)
        tx.ring()


def test_nothing_is_heard_where_nobody_rang(bell: Bell) -> None:
    assert not bell.wait(NEVER_S)


def test_news_from_before_one_waits_are_heard_once(catalog: Catalog, bell: Bell) -> None:
    ring(catalog, "web")
    ring(catalog, "worker")

    assert [bell.wait(SOON_S), bell.wait(NEVER_S)] == [True, False]


def test_who_waits_is_woken(catalog: Catalog) -> None:
    listening = Event()

    def wait() -> bool:
        with catalog.listen() as bell:
            listening.set()
            return bell.wait(SOON_S)

    with ThreadPoolExecutor(1) as pool:
        heard = pool.submit(wait)
        listening.wait()
        ring(catalog)

        assert heard.result()


def test_a_bell_does_not_ring_for_a_transaction_that_was_not_kept(catalog: Catalog, bell: Bell) -> None:
    def act() -> None:
        with catalog.write() as tx:
            tx.add_template("service", "web")
            tx.ring()
            raise RuntimeError("stop")

    with pytest.raises(RuntimeError):
        act()

    assert not bell.wait(NEVER_S)


def test_everybody_who_listens_hears(catalog: Catalog, bell: Bell) -> None:
    with catalog.listen() as another:
        ring(catalog)

        assert (bell.wait(SOON_S), another.wait(SOON_S)) == (True, True)


def test_a_bell_rings_after_an_outage_as_nobody_knows_what_was_missed(own_postgres: postgres.Server) -> None:
    with postgres.database(own_postgres.url) as url, closing(opened(url)) as catalog, catalog.listen() as bell:
        own_postgres.stop("immediate")
        during = bell.wait(0.05)
        own_postgres.start()
        after = bell.wait(SOON_S)
        World(catalog).template("unheard")
        ring(catalog)

        assert (during, after, bell.wait(SOON_S), bell.wait(NEVER_S)) == (False, True, True, False)
