"""What could be done at another time; command lines, settings and homes that cannot be used."""

from __future__ import annotations

import sqlite3
from contextlib import closing

from tests.scenarios.bad_input import Case, environment


def _newer_catalog() -> bytes:
    with closing(sqlite3.connect(":memory:")) as connection:
        connection.execute("CREATE TABLE alembic_version (version_num VARCHAR(32) NOT NULL)")
        connection.execute("INSERT INTO alembic_version VALUES ('9999')")
        connection.commit()
        return connection.serialize()


def _other_database() -> bytes:
    with closing(sqlite3.connect(":memory:")) as connection:
        connection.execute("CREATE TABLE recipes (name TEXT)")
        connection.commit()
        return connection.serialize()


CASES = (
    Case("an environment that is in use, for programs", {}, "env delete prod --yes -o json"),
    Case("an environment that is in use", {}, "env delete prod --yes"),
    Case("an environment that has a run under way", {}, "env delete held --yes"),
    Case("an environment whose run was approved, to be updated", {}, "env update held --set zone=b"),
    Case("a version that is in use", {}, "template delete web@1.0 --yes"),
    Case("a recommended version with siblings", {}, "template delete lab@1.1 --yes"),
    Case("a template that has versions", {}, "template delete lab --yes"),
    Case("a published version to be published", {}, "template publish lab@1.0"),
    Case("a template to be published without a version", {}, "template publish lab"),
    Case("a template of which nothing changes", {}, "template update lab"),
    Case("an update of kind none", {}, "instance update orders/prod --kind none"),
    Case("an environment update of kind none", {}, "env update prod --kind none"),
    Case("a current-version update to another version", {}, "env update prod --kind current-version --version 1.1"),
    Case("a minor-version update to another major", {}, "env update prod --kind minor-version --version 2.0"),
    Case("a major-version update that stays", {}, "env update prod --kind major-version"),
    Case("a major-version update to a minor", {}, "env update prod --kind major-version --version 1.1"),
    Case("an unknown kind of update", {}, "env update prod --kind minor"),
    Case("the last instance of a service", {}, "instance delete orders/prod --yes"),
    Case("a service in an environment that is being made", {}, "service create shop -t web --env queued"),
    Case("a service in an environment that was never made", {}, "service create shop -t web --env bare"),
    Case("a service in an environment of another template", {}, "service create shop -t web --env island"),
    Case("a service that reads an output that is not there", {}, "service create shop -t needy --env prod"),
    Case("a run that has succeeded, to be approved", {}, "run approve 1"),
    Case("a run that has succeeded, to be discarded", {}, "run discard 1"),
    Case("a run that has succeeded, to be retried", {}, "run retry 1"),
    Case("a run that was discarded, to be approved", {}, "run approve 6"),
    Case("a run that was discarded, to be applied", {}, "run apply 6 -o name"),
    Case("a queued run to be approved", {}, "run approve 5"),
    Case("a queued run to be retried", {}, "run retry 5"),
    Case("a run that waits for approval, to be retried", {}, "run retry 3"),
    Case("a run that waits for approval, to be applied", {}, "run apply 3 -o name"),
    Case("a plan that was never made", {}, "run show 5 --plan"),
    Case("a deletion that nobody can confirm", {}, "template delete web@1.1"),
    Case("a comparison with a version that failed", {}, "template diff web@1.0 web@1.2"),
    Case("an unknown noun that is like another", {}, "servce list"),
    Case("an unknown noun that is like none", {}, "deploy"),
    Case("an unknown verb that is like another", {}, "template registr"),
    Case("an unknown verb that is like none", {}, "env explode"),
    Case("an unknown option that is like another", {}, "env list --outdate"),
    Case("an unknown option that is like none", {}, "env list --verbose"),
    Case("an unknown option before the noun", {}, "--hom x env list"),
    Case("an option without its value", {}, "env create lake -t"),
    Case("a missing option", {}, "env create lake"),
    Case("a missing argument", {}, "env show"),
    Case("an argument too many", {}, "env show prod island"),
    Case("an unknown form of output", {}, "env list -o xml"),
    Case("a number that is none", {}, "env create lake -t lab --parallel many"),
    Case("a time that never ends", {}, "env create lake -t lab --timeout inf"),
    Case("a time that is no number", {}, "env create lake -t lab --timeout nan"),
    Case("an argument in another encoding", {}, "env create lake -t lab --description Z\udcfcrich"),
    Case("a page of no rows", {}, "env list --limit 0"),
    Case("a page after a run that is none", {}, "run list --after yesterday"),
    Case("an unknown status", {}, "run list --status done"),
    Case("an unknown shell", {}, "completion tcsh"),
    Case("run-env without =", {}, "env create lake -t lab --run-env AWS_REGION"),
    Case("run-env given twice", {}, "env create lake -t lab --run-env A=1 --run-env A=2"),
    Case(
        "run-env that Landform sets itself",
        {},
        "env create lake -t lab --run-env TF_INPUT=1 --run-env TF_CLI_ARGS_apply=-refresh=false --run-env 2x=1",
    ),
    Case("run-env of an environment that is there", {}, "env update prod --run-env HOME=/root"),
    Case("rules with everything wrong", {}, "env update prod --rule approvals=0 --rule label=eu --rule plan_ttl_s=72"),
    Case("a rule without =", {}, "env create lake -t lab --rule max_runs"),
    Case("an idempotency key that is empty", {}, "env update prod --set zone=b --idempotency-key="),
    Case("a setting that is none", {}, "env list", {"LANDFORM_PARALLEL": "x"}),
    Case(
        "settings with everything wrong",
        {},
        "env list",
        {"LANDFORM_GRACE_S": "soon", "LANDFORM_ACCOUNT_ID": "12", "LANDFORM_LOG_LEVEL": "LOUD"},
    ),
    Case("landform.toml that is not TOML", {"landform.toml": "home = \n"}, "env list"),
    Case("landform.toml in another encoding", {"landform.toml": b'user = "J\xfcrgen"\n'}, "env list"),
    Case(
        "landform.toml with everything wrong",
        {"landform.toml": 'paralel = 2\nregion = ["eu"]\ngrace_s = -1\n[run_env]\nHOME = "/"\nA = 1\n'},
        "env list",
    ),
    Case("a home that is a file", {"file": "x"}, "--home file template register lake b"),
    Case("a list from a home that is a file", {"file": "x"}, "--home file env list"),
    Case("a home below a file", {"file": "x"}, "--home file/home env create lake -t lab"),
    Case(
        "a catalog that is no database",
        {"old/catalog.db": "once upon a time, there was a catalog\n" * 100},
        "--home old env list",
    ),
    Case(
        "a catalog that is no database, to be written",
        {"old/catalog.db": "once upon a time, there was a catalog\n" * 100},
        "--home old env create lake -t lab",
    ),
    Case("a catalog that is another database", {"old/catalog.db": _other_database()}, "--home old env list"),
    Case("a catalog of a newer Landform", {"old/catalog.db": _newer_catalog()}, "--home old env list"),
    Case(
        "a catalog of a newer Landform, to be written",
        {"old/catalog.db": _newer_catalog()},
        "--home old env create lake -t lab",
    ),
    Case("a catalog that is a folder", {"old/catalog.db/x": ""}, "--home old env list"),
    Case("a folder that has a landform.toml", {"landform.toml": ""}, "init"),
    Case("a new home below a file", {"file": "x"}, "init --dir file/here"),
    Case("a new bundle where one is", environment(), "template init shop --dir b"),
    Case("a new bundle below a file", {"file": "x"}, "template init shop --dir file"),
    Case("rendered files where others are", {**environment(), "out/main.tf": ""}, "template render ./b --dir out"),
    Case("an unknown name for programs", {}, "env show prd -o json"),
    Case("a wrong command line for programs", {}, "env list --limit 0 --output=json"),
    Case(
        "a spec with everything wrong for programs",
        {"spec.yaml": "proton: EnvironmentSpec\nspec: {size: 0, sise: 2}\n"},
        "env create lake -t lab -f spec.yaml -o json",
    ),
    Case("a held instance for programs", {}, "env update held --set zone=b -o json"),
)
