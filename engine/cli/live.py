"""What updates itself on stderr while something goes on, where there is a terminal to show it."""

from __future__ import annotations

import sys
from collections.abc import Callable
from typing import TYPE_CHECKING

from engine.cli.common import Session

if TYPE_CHECKING:
    from rich.console import RenderableType
    from rich.live import Live

_TIMES_A_SECOND = 8


def started(session: Session, draw: Callable[[], RenderableType], *, stays: bool = True) -> Live | None:
    """What `draw` gives, again and again until its stop(), and for good when it `stays`; None where nobody would see
    it.
    """
    if session.quiet or not sys.stderr.isatty():
        return None
    from rich.console import Console
    from rich.live import Live

    console = Console(stderr=True, no_color=session.color is False)
    live = Live(get_renderable=draw, console=console, refresh_per_second=_TIMES_A_SECOND, transient=not stays)
    live.start()
    return live
