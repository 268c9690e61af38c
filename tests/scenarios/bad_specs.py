"""Documents that are read well and say what cannot be done."""

from __future__ import annotations

from tests.scenarios.bad_input import Case

_CREATE = "service create shop -t web -f spec.yaml"
_LIVE = "proton: ServiceSpec\ninstances:\n  - name: live\n    environment: prod\n"


def _spec(text: str) -> dict[str, str]:
    return {"spec.yaml": text}


CASES = (
    Case("a service spec for an environment", _spec(_LIVE), "env create lake -t lab -f spec.yaml", FILL, FILL),
    Case("an environment spec for a service", _spec("proton: EnvironmentSpec\nspec: {}\n"), _CREATE, FILL, FILL),
    Case("an environment spec for an instance", _spec("proton: EnvironmentSpec\n"), "instance update orders/prod -f spec.yaml", FILL, FILL),
    Case("no kind of spec", _spec("instances: []\n"), _CREATE, FILL, FILL),
    Case("an unknown kind of spec", _spec("proton: ServiceSpek\n"), _CREATE, FILL, FILL),
    Case("an unknown key at the top", _spec(_LIVE + "instance: []\n"), _CREATE, FILL, FILL),
    Case("a pipeline that the template does not have", _spec(_LIVE + "pipeline: {branch: main}\n"), _CREATE, FILL, FILL),
    Case("instances as a mapping", _spec("proton: ServiceSpec\ninstances:\n  live: {environment: prod}\n"), _CREATE, FILL, FILL),
    Case("no instances", _spec("proton: ServiceSpec\ninstances: []\n"), _CREATE, FILL, FILL),
    Case("an instance that is a word", _spec("proton: ServiceSpec\ninstances: [live]\n"), _CREATE, FILL, FILL),
    Case("an instance without name and environment", _spec("proton: ServiceSpec\ninstances:\n  - spec: {}\n"), _CREATE, FILL, FILL),
    Case("an unknown key of an instance", _spec(_LIVE + "    env: prod\n    specs: {}\n"), _CREATE, FILL, FILL),
    Case("inputs as a list", _spec(_LIVE + "    spec: [port, 80]\n"), _CREATE, FILL, FILL),
    Case("an instance whose name is a number", _spec("proton: ServiceSpec\ninstances:\n  - {name: 1, environment: prod}\n"), _CREATE, FILL, FILL),
    Case("two instances of one name", _spec(_LIVE + "  - name: live\n    environment: prod\n"), _CREATE, FILL, FILL),
    Case("an environment that does not exist", _spec(_LIVE.replace("prod", "prd")), _CREATE, FILL, FILL),
    Case("neither spec nor environment", {}, "service create shop -t web", FILL, FILL),
    Case("environments in two places", _spec(_LIVE), _CREATE + " --env prod", FILL, FILL),
    Case("one environment twice", {}, "service create shop -t web --env prod --env prod", FILL, FILL),
    Case("an unknown environment on the command line", {}, "service create shop -t web --env prd", FILL, FILL),
    Case("a service that moves an instance", _spec(_LIVE.replace("live", "prod").replace("environment: prod", "environment: island")), "service update orders -f spec.yaml", FILL, FILL),
    Case("an instance that moves", _spec(_LIVE.replace("live", "prod").replace("environment: prod", "environment: island")), "instance update orders/prod -f spec.yaml", FILL, FILL),
    Case("a spec without the instance", _spec(_LIVE), "instance update orders/prod -f spec.yaml", FILL, FILL),
    Case("a service edit that changes inputs", _spec(_LIVE.replace("live", "prod") + "    spec: {port: 81}\n"), "service update orders -f spec.yaml", FILL, FILL),
    Case("a service edit without instances", _spec("proton: ServiceSpec\n"), "service update orders -f spec.yaml", FILL, FILL),
    Case("a service edit with an unknown environment", _spec(_LIVE.replace("live", "prod") + "  - name: live\n    environment: prd\n"), "service update orders -f spec.yaml", FILL, FILL),
    Case("a service edit of nothing", {}, "service update orders", FILL, FILL),
)
