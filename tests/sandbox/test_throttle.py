"""Counting calls by wall time, with the time in hand."""

from __future__ import annotations

from sandbox.throttle import Limits, PointsBucket, RollingWindow


class Time:
    """A watch that stands until it is set."""

    now = 0.0

    def __call__(self) -> float:
        return self.now


def test_a_window_rolls() -> None:
    watch = Time()
    window = RollingWindow(2, 10, watch)
    assert [window.take() for _ in range(3)] == [True, True, False]
    watch.now = 9.9
    assert (window.take(), window.remaining) == (False, 0)
    watch.now = 10.0
    assert (window.take(), window.remaining) == (True, 1)


def test_a_bucket_fills_steadily_up_to_its_size() -> None:
    watch = Time()
    bucket = PointsBucket(100, 10, watch)
    assert (bucket.take(90), bucket.take(20)) == (True, False)
    watch.now = 1.0
    assert bucket.available == 20
    assert bucket.take(20)
    bucket.give_back(5)
    assert bucket.available == 5
    watch.now = 1000.0
    assert bucket.available == 100


def test_limits_are_switched_for_all_or_for_one() -> None:
    limits = Limits(are_on=True)
    limits.switch(False, "meta")
    assert (limits.are_on("meta"), limits.are_on("hubspot")) == (False, True)
    limits.switch(False)
    limits.switch(True, "meta")
    assert (limits.are_on("meta"), limits.are_on("hubspot")) == (True, False)
