"""Pipelines, components, tags, credentials, events, keys and words of others that cannot be: nothing is recorded."""

from __future__ import annotations

import json

from tests.scenarios.bad_input import Case

_COMPONENT = 'output "bucket" {\n  value = "b"\n}\n'
_BAD_COMPONENT = """\
locals {
  pipeline = var.pipeline.inputs.stages
  region   = var.region
}
"""
_BAD_MANIFEST = """\
infrastructure:
  templates:
    - file: "other.tf"
      rendering_engine: hcl
      template_language: terraform
"""
_SPEC = "proton: ServiceSpec\ninstances:\n  - name: far\n    environment: far\n    spec: {port: 0, prot: 1}\n"
_STAGES = "proton: ServiceSpec\npipeline: {stages: 9, stage: 1}\ninstances:\n  - {name: far, environment: far}\n"
_CREATE = "component create store --file c.tf"
_LAKE = "env create lake -t lab"
_SOURCE = """\
[credentials.prod]
source = "statik"
"""
_KEYS = """\
[credentials.prod]
source = "static"
access_key_id = "AKIA123"
secret_access_key_file = 1
profile = "prod"
role_arn = "arn:aws:iam::12:role/deploy"
duration_s = 60
account_id = "12"
"""
_CHAIN = """\
[credentials.prod]
source = "ambient"
role_arn = "arn:aws:iam::123456789012:role/hub"
roles = [{arn = "arn:aws:iam::123456789012:role/a", external_ID = "x"}, {duration_s = 7200}]
[credentials.prod.tags]
"aws:owner" = "me"
"""
_EVENTS = """\
[events.team]
to = "webhook"
url = "http://example.org/hook"
secret = "hunter2-and-more"
kinds = ["run", "rum"]
[events.Bus]
to = "eventbridge"
[events.topic]
to = "sms"
"""
_HOOK = """\
[events.team]
to = "webhook"
url = "http://NOWHERE/hook"
secret_file = "secret"
"""
_MANY = json.dumps({f"output_{number}": {"value": "x" if number else "x" * 1025} for number in range(51)})


def _toml(text: str) -> dict[str, str]:
    return {"landform.toml": text}


CASES = (
    Case("a component without a place", {"c.tf": _COMPONENT}, _CREATE),
    Case(
        "a component in an environment and elsewhere", {"c.tf": _COMPONENT}, f"{_CREATE} --env prod --instance cart/far"
    ),
    Case("a component whose name is taken", {"c.tf": _COMPONENT}, "component create lone --file c.tf --env prod"),
    Case("a component for an instance that takes none", {"c.tf": _COMPONENT}, f"{_CREATE} --instance orders/prod"),
    Case("a second component for an instance", {"c.tf": _COMPONENT}, f"{_CREATE} --instance shop/far"),
    Case("a component for what is no instance", {"c.tf": _COMPONENT}, f"{_CREATE} --instance environment/prod"),
    Case("a component for an instance that is not there", {"c.tf": _COMPONENT}, f"{_CREATE} --instance shop/fra"),
    Case("a component without its file", {}, f"{_CREATE} --env prod"),
    Case(
        "a component with everything wrong",
        {"c.tf": _BAD_COMPONENT, "m.yaml": _BAD_MANIFEST},
        f"{_CREATE} --manifest m.yaml --env prod",
    ),
    Case(
        "a component with everything wrong for programs",
        {"c.tf": _BAD_COMPONENT, "m.yaml": _BAD_MANIFEST},
        f"{_CREATE} --manifest m.yaml --env prod -o json",
    ),
    Case("a component that is no Terraform", {"c.tf": "output {\n"}, f"{_CREATE} --env prod"),
    Case("a component with a spec that does not fit", {"s.yaml": _SPEC}, "component update cache -f s.yaml"),
    Case("a detached component with inputs", {"c.tf": _COMPONENT, "s.yaml": _SPEC}, f"{_CREATE} --env prod -f s.yaml"),
    Case("a component that is attached and detached", {}, "component update cache --attach shop/far --detach"),
    Case("a component that is attached to another environment", {}, "component update lone --attach cart/far"),
    Case("a component that is attached twice", {}, "component update cache --attach orders/prod"),
    Case("a component that is not attached, to be detached", {}, "component update lone --detach"),
    Case("a manifest without its file", {"m.yaml": _BAD_MANIFEST}, "component update lone --manifest m.yaml"),
    Case("a component that is attached, to be deleted", {}, "component delete lone cache --yes"),
    Case("an instance with a component, to be deleted", {}, "service delete shop --yes"),
    Case("an environment that a component is in", {}, "env delete prod --yes"),
    Case("an unknown component", {}, "component show cahce"),
    Case("a pipeline of a template without one", {}, "pipeline update orders"),
    Case("a pipeline of no service", {}, "pipeline show shpo"),
    Case("a pipeline with inputs that do not fit", {"s.yaml": _STAGES}, "pipeline update shop -f s.yaml"),
    Case("a pipeline to a version that is not there", {}, "pipeline update shop --version 2.0"),
    Case("tags with everything wrong", {}, f"{_LAKE} --tag aws:owner=me --tag proton:x=1 --tag a=b?c"),
    Case("a tag that is no key and value", {}, f"{_LAKE} --tag owner"),
    Case("more than 50 tags", {}, _LAKE + "".join(f" --tag k{number}=v" for number in range(51))),
    Case("credentials that are not there", _toml(_KEYS), f"{_LAKE} --credentials prd"),
    Case("credentials where there are none", {}, f"{_LAKE} --credentials prod"),
    Case("credentials of an unknown source", _toml(_SOURCE), f"{_LAKE} --credentials prod"),
    Case("credentials with everything wrong", _toml(_KEYS), f"{_LAKE} --credentials prod"),
    Case("roles with everything wrong", _toml(_CHAIN), f"{_LAKE} --credentials prod"),
    Case("credentials that are no tables", _toml('credentials = "prod"\n'), f"{_LAKE} --credentials prod"),
    Case("events with everything wrong", _toml(_EVENTS), "events test team"),
    Case("events to nobody", {}, "events send"),
    Case("a target of events that is not there", _toml(_HOOK), "events test taem"),
    Case("a webhook without its secret", _toml(_HOOK), "events test team"),
    Case("a webhook with a secret that is too short", {**_toml(_HOOK), "secret": "abc"}, "events test team"),
    Case(
        "a webhook that does not answer",
        {**_toml(_HOOK), "secret": "hunter2-and-more-of-it-and-more"},
        "events test team",
    ),
    Case("an event that is not there", {}, "events retry 7"),
    Case("events that nobody chose", {}, "events retry"),
    Case("a key file that is none", {}, "keys open catalog.db"),
    Case("a file that is no plan", {"plan": "x"}, "keys open plan"),
    Case("an unknown key in KMS", {}, "keys rotate", {"LANDFORM_KMS_KEY": "alias/none?region=us-east-1&endpoint=MOTO"}),
    Case("a key in KMS that has no form", {}, "keys rotate", {"LANDFORM_KMS_KEY": "my key"}),
    Case("a word that says nothing", {}, "run notify 7"),
    Case("a word for a run that nobody was asked to carry out", {}, "run notify 2 --status succeeded"),
    Case("a word for an instance that nobody was asked for", {}, "run notify orders/prod --status succeeded"),
    Case("a word for a run that is not there", {}, "run notify 70 --status succeeded"),
    Case("another end of a run that has ended", {}, "run notify 3 --status failed"),
    Case("outputs of a run that has ended", {}, "run notify 3 --output zone=b"),
    Case(
        "a word for another run",
        {},
        "run notify 7 --status succeeded --deployment-id 00000000-0000-0000-0000-000000000000",
    ),
    Case(
        "a deleted deployment of what is not deleted",
        {},
        "run notify 7 --deployment-id '<proton-resource-deleted>' --status failed",
    ),
    Case("outputs over the limits", {"o.json": _MANY}, "run notify 7 --outputs o.json"),
    Case("outputs that are no JSON", {"o.json": "zone = a\n"}, "run notify 7 --outputs o.json"),
    Case("outputs in another form", {"o.json": '["a"]'}, "run notify 7 --outputs o.json"),
    Case("outputs without a value", {}, "run notify 7 --output =x --output size="),
    Case("outputs that are no pairs", {}, "run notify 7 --output zone --output size"),
    Case("sensitive outputs that are not given", {}, "run notify 7 --output zone=a --sensitive zoen"),
    Case("an ARN of something else", {}, "run notify arn:aws:s3:::bucket --status failed"),
    Case("a status that is none", {}, "run notify 7 --status done"),
    Case(
        "references that cannot be read",
        {},
        "env create lake -t secret --set login=x{{resolve:ssm:/a}} --set password={{resolve:ssn:/a}} "
        "--set port={{resolve:ssm:/a:latest}}",
    ),
    Case("a reference where the value would be shown", {}, "env create lake -t open --set zone={{resolve:env:ZONE}}"),
)
