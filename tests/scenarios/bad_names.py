"""Names that nothing may have, names of what does not exist, and names of what exists already."""

from __future__ import annotations

from tests.scenarios.bad_input import Case, environment, service

_NAMES = (
    ("a name that climbs out", "../x"),
    ("a name that is an option", "-rf"),
    ("a name with an umlaut", "prüfung"),
    ("a name in other digits", "٣"),
    ("a name of 101 characters", "a" * 101),
    ("a name that is empty", ""),
    ("a name with a space", "my shop"),
    ("a name with a slash", "a/b"),
    ("a name with a line end", "a\nb"),
    ("a name that terminals would obey", "\x1b[2Ja"),
    ("a name with a dollar", "$(reboot)"),
)
_SPEC = """\
proton: ServiceSpec
instances:
  - {name: ../x, environment: -rf}
  - {name: '', environment: a/b}
  - {name: "a\\nb", environment: prüfung}
"""
_NOUNS = (
    ("a template", "template register -- '{name}' b"),
    ("an environment", "env create -t lab -- '{name}'"),
    ("a service", "service create -t web --env prod -- '{name}'"),
)

CASES = (
    *(
        Case(f"{what}, of {noun}", service(), command.format(name=name))
        for noun, command in _NOUNS
        for what, name in _NAMES
    ),
    Case("hostile names in a spec", {"spec.yaml": _SPEC}, "service create shop -t web -f spec.yaml"),
    Case("a hostile environment on the command line", {}, "service create shop -t web --env ../x"),
    Case("a hostile name of a new bundle", {}, "template init ../x"),
    Case("a hostile name to be shown", {}, "env show ../prod"),
    Case("a hostile service to be shown", {}, "service show ../orders"),
    Case("a hostile service to be deleted", {}, "service delete ../orders --yes"),
    Case("a hostile name to be deleted", {}, "env delete ../prod --yes"),
    Case("a hostile instance", {}, "instance show orders/../prod"),
    Case("a hostile instance of two parts", {}, "instance show ../prod"),
    Case("a hostile address", {}, "run list service/../orders"),
    Case("a hostile template", {}, "template show ../web"),
    Case("a hostile template and version", {}, "env create lake -t 'lab@1.0; reboot'"),
    Case("a template of a hostile kind", {}, "template show modul/web"),
    Case("an unknown template that is like another", {}, "service create shop -t wep --env prod"),
    Case("an unknown template that is like none", {}, "env create lake -t kubernetes"),
    Case("a service template for an environment", {}, "env create lake -t web"),
    Case("an environment template for a service", {}, "service create shop -t lab --env prod"),
    Case("an unknown template to be shown", {}, "template show wep"),
    Case("the versions of an unknown template", {}, "template versions wep"),
    Case("a template to be shown of the wrong kind", {}, "template show environment/web"),
    Case("a template name of both kinds", {}, "template publish twin@1.0"),
    Case("a template name of both kinds to be shown", {}, "template show twin@1.0"),
    Case("an unknown version", {}, "env create lake -t lab@2.0"),
    Case("an unknown version to be shown", {}, "template show lab@2.0"),
    Case("an unknown version to go to", {}, "env update prod --version 1.7"),
    Case("a deleted version", {}, "service create shop -t web@1.3 --env prod"),
    Case("a deleted version to be shown", {}, "template show web@1.3"),
    Case("a version that failed", {}, "service create shop -t web@1.2 --env prod"),
    Case("a version that failed, to go to", {}, "instance update orders/prod --version 1.2"),
    Case("a version that failed, to be published", {}, "template publish web@1.2"),
    Case("a version that failed, to be rendered", {}, "template render web@1.2"),
    Case("a draft that is not named", {}, "env create lake -t environment/twin"),
    Case("a version that is none", {}, "env create lake -t lab@latest"),
    Case("a version with a leading zero", {}, "env create lake -t lab@1.01"),
    Case("a version of a thousand digits", {}, f"env update prod --version {'1' * 1000}.0"),
    Case("an unknown environment", {}, "env update prd --set zone=b"),
    Case("an unknown environment to be shown", {}, "env show prd"),
    Case("an unknown environment that is like none", {}, "env delete atlantis --yes"),
    Case("an unknown service", {}, "service show order"),
    Case("an unknown service to be deleted", {}, "service delete order --yes"),
    Case("an unknown instance", {}, "instance show orders/prd"),
    Case("an unknown instance among several to be deleted", {}, "instance delete orders/prod orders/prd --yes"),
    Case("an instance that is named like its service", {}, "instance show orders"),
    Case("an instance with too many parts", {}, "instance update service/orders/prod/x"),
    Case("an environment where an instance is meant", {}, "instance delete environment/prod --yes"),
    Case("an unknown run", {}, "run show 41"),
    Case("an unknown run to be approved", {}, "run approve 41"),
    Case("an unknown run to be applied", {}, "run apply 41"),
    Case("an unknown run whose log is asked for", {}, "run logs 41"),
    Case("a run number that is none", {}, "run show last"),
    Case("a run number below one", {}, "run show 0"),
    Case("a run number beyond every number", {}, f"run show {'9' * 30}"),
    Case("runs of an unknown address", {}, "instance history orders/prd"),
    Case("an address that is none", {}, "run list service/orders/prod/x"),
    Case("an environment name that is taken", {}, "env create prod -t lab"),
    Case("a service name that is taken", {}, "service create orders -t web --env prod"),
    Case("a template name that is taken", environment(code="# other\n"), "template register lab b"),
    Case("a major version that does not exist", environment(code="# other\n"), "template register lab b --major 7"),
    Case("a major version of a new template", environment(code="# other\n"), "template register lake b --major 1"),
    Case("two major versions at once", environment(code="# other\n"), "template register lab b --major 1 --new-major"),
    Case(
        "compatible environments that are none",
        service(),
        "template register shop b --compatible lab --compatible net:1 --compatible net:1",
    ),
)
