"""Who carries the runs of an environment or a pipeline out: Landform, or others by way of a repository."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from engine.actions.refusals import refuse_busy
from engine.core import address, provisioning
from engine.core.address import Kind
from engine.core.provisioning import Style, Wish
from engine.errors import Conflict

if TYPE_CHECKING:
    from engine.actions.desk import Desk
    from engine.catalog.tables import Instance
    from engine.catalog.tx import Tx
    from engine.settings import Settings


@dataclass(frozen=True)
class Chosen:
    """What somebody says about the repository of an environment; None for what stays as it is."""

    url: str | None = None
    """"" for none: Landform carries the runs out."""
    branch: str | None = None
    host: str | None = None
    api: str | None = None

    @property
    def is_empty(self) -> bool:
        """Whether nothing was said."""
        return self == Chosen()


def of_environment(chosen: Chosen, before: dict[str, Any]) -> dict[str, Any]:
    """As catalog.tables.Instance.provisioning: what was there before, with what was said laid over it.

    Raises Invalid with everything that is wrong with it.
    """
    if chosen.is_empty:
        return before
    if chosen.url == "":
        return {}
    # another repository has another host, and another host is asked elsewhere
    known = before if chosen.url in (None, before.get("url")) else {}
    if chosen.host not in (None, known.get("host")):
        known = {**known, "api": ""}
    said = {name: getattr(chosen, name) for name in ("url", "branch", "host", "api")}
    wanted = {name: str(known.get(name, "")) if value is None else value for name, value in said.items()}
    return provisioning.chosen(Wish(**wanted)).to_json()


def of_pipelines(settings: Settings) -> dict[str, Any]:
    """As of_environment(), of every new pipeline. Raises Invalid."""
    if not settings.pipeline_provisioning_repository:
        return {}
    wish = Wish(
        settings.pipeline_provisioning_repository,
        settings.pipeline_provisioning_branch,
        settings.pipeline_provisioning_host,
        settings.pipeline_provisioning_api,
        "pipeline_provisioning_",
    )
    return provisioning.chosen(wish).to_json()


def change(tx: Tx, environment: Instance, chosen: Chosen) -> None:
    """Takes another repository for an environment, or another way.

    Raises Conflict when what is deployed there would be in the hands of somebody else, Busy while a run is under way.
    """
    after = of_environment(chosen, environment.provisioning)
    if after == environment.provisioning:
        return
    refuse_busy(tx, [environment, *tx.instances_in(environment)], f"{environment.address} cannot go elsewhere")
    if bool(after) != bool(environment.provisioning):
        _refuse_in_use(tx, environment)
    environment.provisioning = after
    tx.save(environment)


def _refuse_in_use(tx: Tx, environment: Instance) -> None:
    """Raises Conflict when there may be a state, which whoever takes over does not have."""
    is_used = environment.deployed_run_id is not None or tx.applied_runs(environment.id or 0)
    if is_used or tx.instances_in(environment):
        raise Conflict(
            f"{environment.address} has been deployed: who carries its runs out cannot be changed any more.",
            hint="Its state would stay behind. Make a new environment, or delete this one first.",
        )


def refuse_same_folder(tx: Tx, desk: Desk, instance: Instance) -> None:
    """Raises Conflict when a new instance would have the folder of another one in the repository."""
    if instance.environment_id is None or instance.deployed_run_id is not None:
        return
    environment = tx.instance_by_id(instance.environment_id)
    if not environment.provisioning or instance.kind not in (Kind.SERVICE_INSTANCE, Kind.COMPONENT):
        return
    others = [address.parse(other.address) for other in tx.instances_in(environment)]
    style = Style(desk.settings.component_path_style)
    provisioning.refuse_same_folder(address.parse(instance.address), others, style)
