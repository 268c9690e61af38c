"""What a machine remembers of the state in an instance's workspace: which kept state it has grown from.

Where several machines work on one catalog, a state may lie here that was never kept, because this machine died or was
cut off; whether others have gone on without it, its serial cannot tell.
"""

from __future__ import annotations

import json
from pathlib import Path

from engine.terraform import files

_FILE = ".landform.state.json"


class Trail:
    """The last steps of one instance's state on this machine, in the folder of the instance."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def read(self) -> frozenset[str] | None:
        """The digests of which one was the newest that was kept when the state in the workspace was written; "" stands
        for none at all. None when nobody has written it down.
        """
        try:
            found = json.loads((self._folder / _FILE).read_bytes())
        except (OSError, ValueError):
            return None
        return frozenset(map(str, found)) if isinstance(found, list) else None

    def note(self, *digests: str) -> None:
        """Writes down that the newest one that was kept is one of these; two while a step is being taken."""
        if self.read() != frozenset(digests):
            text = json.dumps(sorted(frozenset(digests))) + "\n"
            files.folder(self._folder)
            files.put(self._folder, _FILE, text.encode(), self._folder / f"{_FILE}.new")
