"""A stop that follows another one."""

from __future__ import annotations

from engine.external.process import Stop


def test_a_follower_hears_every_pull() -> None:
    leader, follower = Stop(), Stop()

    with leader.followed_by(follower):
        leader.request()
        asked = (follower.requested, follower.forced)
        leader.force()

    assert asked == (True, False)
    assert follower.forced is True


def test_a_follower_hears_what_came_before() -> None:
    leader, follower = Stop(), Stop()
    leader.force()

    with leader.followed_by(follower):
        assert follower.forced is True


def test_a_follower_is_its_own_when_it_is_pulled_itself_and_afterwards() -> None:
    leader, follower = Stop(), Stop()

    with leader.followed_by(follower):
        pass
    leader.request()
    first = follower.requested
    follower.request()

    assert (first, follower.requested, leader.forced) == (False, True, False)
