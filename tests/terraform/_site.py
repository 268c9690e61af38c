"""The only place where tests say what an instance of static-site is given."""

from __future__ import annotations

from pathlib import Path

from tests.terraform._shipped import Instance, defaults_of, free_port, get


class Site(Instance):
    """An instance of static-site on a free port."""

    def __init__(self, folder: Path, bundle: str, **environment_outputs: str) -> None:
        super().__init__(folder, bundle, **environment_outputs)
        self.bundle = bundle
        self.port = free_port()
        self.set()

    def set(self, **inputs: object) -> None:
        """Gives the port, the defaults, and these inputs instead of defaults."""
        is_nested = self.bundle.endswith("v2")
        place = {"listen": {"port": self.port, "host": "127.0.0.1"}} if is_nested else {"port": self.port}
        self.give_inputs({**defaults_of(self.bundle), **place, **inputs})

    def upgrade(self, bundle: str, **inputs: object) -> None:
        """Puts another version in its place, on the same port."""
        self.bundle = bundle
        self.use(bundle)
        self.set(**inputs)

    def get(self, path: str = "/") -> tuple[int, str]:
        """(status, body) of what it answers."""
        return get(f"http://127.0.0.1:{self.port}{path}")
