"""What a run is entrusted with: variables of operators, credentials of AWS, and what references stand for."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import datetime
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from engine.core import provider_overrides, run_env
from engine.core.address import Kind
from engine.core.credentials import Errand
from engine.worker import credentials, env_files, references
from engine.worker.credentials import Means, Session

if TYPE_CHECKING:
    from engine.core.provider_overrides import Overrides
    from engine.core.run_env import EnvValue
    from engine.external.aws import Access
    from engine.settings import Settings
    from engine.worker.journal import Kept
    from engine.worker.work import Work


@dataclass(frozen=True)
class Entrusted:
    """Where all that comes from, for the runs of one home."""

    settings: Settings
    now: Callable[[], datetime]
    tmp: Path
    """Where credentials may lie for as long as a run goes on."""

    def opened(self, work: Work) -> Work:
        """The work, with the values of its run environment that lie in files read once for all that follows.

        Raises Invalid with every file that cannot be used.
        """
        if work.secret_env is not None:
            return work
        read = self._read(work)
        return read if work.is_unsigned else replace(read, session=self._session(read))

    def resolved(self, work: Work) -> Work:
        """As opened(), with what the references in the inputs stand for, looked up once for all that follows.

        Raises as opened(), Invalid with everything wrong with them, ExternalFailure when AWS cannot be asked.
        """
        if work.references is not None:
            return work
        work = self.opened(work)
        return replace(work, references=references.of(work, self.settings, partial(self.access, work)))

    def unsigned(self, work: Work) -> Work:
        """As opened(), without credentials and references: for what asks nobody. Raises as opened() but for them."""
        read = self._read(work) if work.secret_env is None else work
        return replace(read, session=None, is_unsigned=True, references=work.references or {})

    def credentials(self, work: Work) -> str:
        """The name of the credentials that the run works with; "" for those that everybody gets."""
        return self.settings.pipeline_credentials if work.address.kind is Kind.PIPELINE else work.credentials

    def env(self, work: Work) -> dict[str, str]:
        """The variables for the run's Terraform: those of operators, and its credentials.

        Raises as opened(), and ExternalFailure when AWS gives it no credentials.
        """
        work = self.opened(work)
        given = self.run_env(work)
        return work.session.laid_over(given) if work.session else given

    def run_env(self, work: Work) -> dict[str, str]:
        """The variables that operators set for the run's Terraform, secrets among them. Raises as opened()."""
        return {**run_env.plain(self._variables(work)), **(self.opened(work).secret_env or {})}

    def access(self, work: Work) -> Access:
        """To AWS, as the run has it. Raises as env()."""
        from engine.external.aws import Access

        return Access({**self._places(), **self.env(work)})

    def kept(self, work: Work) -> Kept | None:
        """What keeps the credentials of a run valid while its journal is open; None when there are none."""
        return work.session.kept if work.session else None

    def secrets(self, work: Work) -> tuple[str, ...]:
        """The texts that must not be seen in anything that is said of the run. Raises as resolved()."""
        work = self.opened(self.resolved(work))
        signed = work.session.secrets if work.session else ()
        return (*(work.references or {}).values(), *(work.secret_env or {}).values(), *signed)

    def overrides(self) -> Overrides:
        """What the settings lay over providers. Raises Invalid with all that is wrong with it."""
        found = self.settings.tables.get(provider_overrides.TABLE)
        return provider_overrides.parse(found, str(self.settings.config_file))

    def basis(self, work: Work) -> dict[str, object]:
        """What a plan depends on beside code, values and state: never the keys, which are others each time."""
        profile = credentials.profile(self.settings, self.credentials(work))
        found: dict[str, object] = {f"provider override {name}": given for name, given in self.overrides().items()}
        return found | ({"credentials": profile.basis()} if profile else {})

    def _read(self, work: Work) -> Work:
        return replace(work, secret_env=env_files.read(run_env.files(self._variables(work))))

    def _session(self, work: Work) -> Session | None:
        profile = credentials.profile(self.settings, self.credentials(work))
        if profile is None:
            return None
        means = Means(
            base=self.settings.config_file.parent,
            parent=self.tmp,
            now=self.now,
            enough_s=self.settings.apply_timeout_s + self.settings.grace_s,
            env={**self._places(), **self.run_env(work)},
            region="" if "AWS_REGION" in work.run_env else profile.region,
        )
        return Session(profile, Errand(str(work.address), work.run_id), means)

    def _places(self) -> dict[str, str]:
        """Where services of AWS are."""
        return provider_overrides.endpoint_variables(self.overrides())

    def _variables(self, work: Work) -> dict[str, EnvValue]:
        files = {name: run_env.from_file(str(path)) for name, path in self.settings.run_env_files.items()}
        return {**self.settings.run_env, **files, **work.run_env}
