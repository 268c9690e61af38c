"""What every test relies on, whoever starts the tests."""

from __future__ import annotations

import signal


def pytest_configure() -> None:
    """Tests interrupt programs: who starts us in the background may have had the signal ignored, also for them."""
    if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
        signal.signal(signal.SIGINT, signal.default_int_handler)
