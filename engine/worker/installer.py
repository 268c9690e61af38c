"""Makes a template version ready to be run: the only place that runs `terraform init`, and says what it depends on."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

from engine.core.fingerprint import file_digest
from engine.errors import ExternalFailure
from engine.terraform import config
from engine.terraform.config import Sources
from engine.terraform.preparation import LOCK_FILE, Prepared, Recipe
from engine.worker.following import Step, follow

if TYPE_CHECKING:
    from engine.settings import Settings
    from engine.terraform.cli import Place, Terraform
    from engine.terraform.preparation import Preparation

CONFIG_VARIABLE = "TF_CLI_CONFIG_FILE"
_OTHER_BUILD = "match any of the checksums"
_MISSING = ("was not found in any of the search locations", "no available releases match")
_OUT_OF_REACH = ("could not connect to ", "failed to query provider mirror")


@dataclass(frozen=True)
class Code:
    """What is to be made ready."""

    files: Mapping[str, bytes]
    """As rendered for Terraform."""
    structure: str
    """core.rendering.structure() of them."""
    backend: str
    """Kind of the state backend."""
    sets_up_backend: bool = True
    """False: the backend is set up elsewhere, as it is not the same for all instances."""


@dataclass(frozen=True)
class Installer:
    """Providers and modules for the template versions of one home."""

    settings: Settings
    terraform: Callable[[], Terraform]
    preparation: Preparation

    def config_file(self) -> Path:
        """Terraform's configuration, as the settings have it now."""
        return config.write(self.settings.home, self._sources)

    def prepared(self, step: Step, code: Code, place: Callable[[Path], Place], lock: bytes | None) -> Prepared:
        """The version with what init makes of it, made only when something that init reads has changed.

        `place` says where a command runs in a folder; `lock` is the lock file of a plan that is to be applied: the
        providers it was made with count, whatever would be chosen today. None leaves the choice to init.
        Raises what following.follow() and Preparation.ensure() raise.
        """
        recipe = self._recipe(step, code, place(self.settings.home))
        found = self._ensure(recipe, step, code, place)
        if lock is None or found.lock == lock:
            return found
        locked = replace(code, files={**code.files, LOCK_FILE: lock})
        again = self._ensure(replace(recipe, lock=file_digest(lock)), step, locked, place)
        # init may add checksums of this machine's packages; Terraform wants the plan's own lock file, to the letter
        return replace(again, lock=lock)

    def _ensure(self, recipe: Recipe, step: Step, code: Code, place: Callable[[Path], Place]) -> Prepared:
        def init(folder: Path) -> None:
            self._sources.require()
            self._init(step, code, place(folder))

        return self.preparation.ensure(recipe.key, code.files, init, step.stop)

    def _recipe(self, step: Step, code: Code, place: Place) -> Recipe:
        return Recipe(
            step.work.bundle,
            step.part.name.value,
            self.terraform().identity,
            code.backend,
            code.structure,
            config.seen(Path(place.env[CONFIG_VARIABLE]), self.settings.home),
        )

    def _init(self, step: Step, code: Code, place: Place) -> None:
        terraform, backend = self.terraform(), code.sets_up_backend
        try:
            follow(terraform.init(place, backend=backend), "init", step)
        except ExternalFailure as error:
            if LOCK_FILE not in code.files or not self._may_pass_over_folder(error, place):
                raise self._explained(error, step) from None
            file = config.write_without_folder(self.settings.home, self._sources)
            elsewhere = replace(place, env={**place.env, CONFIG_VARIABLE: str(file)})
            follow(terraform.init(elsewhere, backend=backend), "init", step)

    def _may_pass_over_folder(self, error: ExternalFailure, place: Place) -> bool:
        """Whether the home's copy of a provider does not fit a lock file that knows the registry's checksums only."""
        is_ours = place.env[CONFIG_VARIABLE] == str(self.settings.home / config.FILE)
        return is_ours and not self.settings.offline and _OTHER_BUILD in " ".join(error.message.split())

    def _explained(self, error: ExternalFailure, step: Step) -> ExternalFailure:
        """The error, with what to do about a provider that cannot be had."""
        said = " ".join(error.message.split())
        folder = f"{self.settings.home / 'providers'}, as HOST/NAMESPACE/TYPE/VERSION/OS_ARCH"
        warm = f"landform providers warm {step.work.template}"
        if self.settings.offline and any(words in said for words in _MISSING):
            error.hint = f"offline is set: put it into {folder}, or fetch it where there is a network with: {warm}"
        elif any(words in said for words in _OUT_OF_REACH):
            error.hint = f"Where there is no network, set offline, and put providers into {folder}."
        return error

    @property
    def _sources(self) -> Sources:
        return Sources(self.settings.provider_mirror, self.settings.network_mirror, self.settings.offline)
