"""Inputs that do not fit what the template takes."""

from __future__ import annotations

from tests.scenarios.bad_input import Case

_CREATE = "service create shop -t app -f spec.yaml"
_SET = "service create shop -t app --env prod"


def _spec(inputs: str) -> dict[str, str]:
    """A ServiceSpec whose one instance has these inputs, which begin in line 6."""
    head = "proton: ServiceSpec\ninstances:\n  - name: live\n    environment: prod\n    spec:\n"
    return {"spec.yaml": head + "".join(f"      {line}\n" for line in inputs.splitlines())}


_KINDS = """\
image: [a]
title: 80
port: high
share: true
memory: 64.5
public: "yes"
size: {s: 1}
hosts: one
server: [1]"""
_SEVERAL = """\
proton: ServiceSpec
instances:
  - name: live
    environment: prod
    spec:
      image: web:1
      port: 99999
      hosts: [a, a]
      server: {cpu: 8, limits: [{seconds: 5}, {seconds: 0}]}
  - name: next
    environment: prodd
    spec:
      titel: Shop
"""

CASES = (
    Case("the wrong kind of value everywhere", _spec(_KINDS), _CREATE),
    Case("values that are empty", _spec("image:\nport: ~\nserver: null"), _CREATE),
    Case("more than the maximum", _spec("image: web:1\nport: 99999"), _CREATE),
    Case("less than the minimum", _spec("image: web:1\nport: 0"), _CREATE),
    Case("just at an excluded minimum", _spec("image: web:1\nshare: 0"), _CREATE),
    Case("no multiple", _spec("image: web:1\nmemory: 100"), _CREATE),
    Case("too short", _spec("image: web:1\ntitle: ab"), _CREATE),
    Case("too long", _spec("image: web:1\ntitle: a title that is rather long"), _CREATE),
    Case("a pattern that is not matched", _spec("image: web:latest"), _CREATE),
    Case("none of the choices", _spec("image: web:1\nsize: Smal"), _CREATE),
    Case("a password that is too short is not shown", _spec("image: web:1\ntoken: hunter2"), _CREATE),
    Case("a required input that is missing", _spec("port: 80"), _CREATE),
    Case("a required input inside an object", _spec("image: web:1\nserver: {limits: []}"), _CREATE),
    Case("an unknown name inside an object", _spec("image: web:1\nserver: {cpu: 1, limit: []}"), _CREATE),
    Case(
        "an item of a list in an object",
        _spec("image: web:1\nserver:\n  cpu: 2\n  limits:\n    - seconds: 1\n    - seconds: 0"),
        _CREATE,
    ),
    Case(
        "a list with too much, twice and too long", _spec("image: web:1\nhosts: [a, a, b, a-very-long-host]"), _CREATE
    ),
    Case("an unknown input that is like another", _spec("image: web:1\nprot: 80"), _CREATE),
    Case("an unknown input that is like none", _spec("image: web:1\ncolour: blue"), _CREATE),
    Case("a name that terminals would obey", _spec('image: web:1\n"\\u202Eport": 80'), _CREATE),
    Case("everything wrong in both instances", {"spec.yaml": _SEVERAL}, _CREATE),
    Case(
        "a current value where there is none yet",
        _spec("image: ${Proton::CURRENT_VAL}\nserver: {cpu: '${Proton::CURRENT_VAL}'}"),
        _CREATE,
    ),
    Case(
        "an environment's inputs",
        {"spec.yaml": "proton: EnvironmentSpec\nspec: {zone: 1, size: 0, sise: 2}\n"},
        "env create lake -t lab -f spec.yaml",
    ),
    Case("an update that does not fit", {}, "instance update orders/prod --set port=99999 --set titel=x"),
    Case("an assignment without =", {}, _SET + " --set port"),
    Case("an assignment without a name", {}, _SET + " --set =80"),
    Case("an assignment to no name", {}, _SET + " --set 'a b=80'"),
    Case("an assignment given twice", {}, _SET + " --set image=web:1 --set port=80 --set port=81"),
    Case("an assignment to a whole and to its part", {}, _SET + " --set 'server={cpu: 1}' --set server.cpu=2"),
    Case("an assignment to an unknown input", {}, _SET + " --set image=web:1 --set imag=web:2"),
    Case("an assignment of the wrong kind", {}, _SET + " --set image=web:1 --set port=high"),
    Case("an assignment inside a text", {}, _SET + " --set image.tag=1"),
    Case("an assignment inside a text of the spec", _spec("image: web:1\nport: 1"), _CREATE + " --set port.low=1"),
    Case("an assignment to an item of a list", {}, _SET + " --set 'hosts[0]=a'"),
    Case("an assignment of a list that is not closed", {}, _SET + " --set 'hosts=[a'"),
    Case("assignments with everything wrong at once", {}, _SET + " --set port --set 'a b=1' --set 'hosts=[a'"),
    Case("an assignment below a hundred names", {}, _SET + f" --set {'a.' * 100}b=1"),
    Case("a required input that no assignment gives", {}, _SET),
)
