"""Campaigns, selections, drift, rollbacks, limited lives and calendars that cannot be: nothing is recorded."""

from __future__ import annotations

from tests.scenarios.bad_input import Case

_BAD_WINDOWS = """\
zone: Europe/Berln
windws: []
windows:
  - {days: [monday, fri], from: 22, to: "25:00"}
  - {from: "08:00", to: "08:00"}
freezes:
  - {from: 2026-12-24, to: 2026-12-20, reason: Christmas}
  - {from: 2026-02-30}
"""
_FREEZE = "freezes: [{from: 2026-12-20, to: 2027-01-03, reason: end of year}]\n"
_LATE = """\
windows:
  - {days: weekdays, from: "08:00"}
  - {to: "08:00", zone: CEST}
freezes:
  - {from: 2026-12-24, to: 2026-12-20, reason: Christmas}
  - {from: tomorrow, reason: ""}
"""
_CALENDAR = "env calendar set prod c.yaml"
_START = "campaign start api@1.2"

CASES = (
    Case("a campaign for nobody in particular", {}, "campaign start"),
    Case("a campaign of a template that is not there", {}, "campaign start wep@1.2"),
    Case("a campaign of a version that is not there", {}, "campaign start web@1.7"),
    Case("a campaign of a version that was yanked", {}, "campaign start web@1.1"),
    Case(
        "a campaign that keeps versions and changes them", {}, "campaign start web@1.2 --redeploy --kind major-version"
    ),
    Case("a campaign for an instance that another one has", {}, f"{_START} --select service=cart"),
    Case("a campaign for what selects nobody", {}, f"{_START} --select environment=prd"),
    Case(
        "selections with everything wrong",
        {},
        "campaign plan web@1.2 --select envronment=prod,kind=instance,outdatd,version=1.x,tag:=pay --select ''",
    ),
    Case("a campaign for what is spelled wrong", {}, f"{_START} --select environment=prd|dev,service=crat"),
    Case("a campaign for a kind that is none", {}, "campaign plan --select kind=instance,outdated"),
    Case("a campaign with a canary that is no number", {}, f"{_START} --canary many --concurrency 0"),
    Case("a campaign that allows everything", {}, f"{_START} --allow everything"),
    Case("a campaign that pauses for a word", {}, f"{_START} --pause soon"),
    Case("a campaign of empty waves", {}, f"{_START} --batch 0"),
    Case("a campaign that may fail half a time", {}, f"{_START} --max-failures 0.5"),
    Case("a health check over FTP", {}, f"{_START} --health-url ftp://{{host}}/ready"),
    Case("a health check with a password", {}, f"{_START} --health-url http://me:hunter2@example.org/ready"),
    Case("a health check with a brace too few", {}, f"{_START} --health-url 'https://{{host/ready'"),
    Case("a health check that lasts for ever", {}, f"{_START} --health-url http://{{host}} --health-timeout 30d"),
    Case("a health check of both kinds", {}, f"{_START} --health-url http://{{host}} --health-command probe"),
    Case("a health command with a quote too few", {}, f'{_START} --health-command "probe \'x"'),
    Case("a health command that is in this folder", {}, f"{_START} --health-command './probe -v'"),
    Case("a health command that is empty", {}, f"{_START} --health-command \"''\""),
    Case("a campaign that is not there", {}, "campaign status 9"),
    Case("a campaign by a word", {}, "campaign status first"),
    Case("a retry where nothing failed", {}, "campaign retry 1"),
    Case("a pause of a campaign that has ended", {}, "campaign pause 1"),
    Case("a campaign that has ended, to go on", {}, "campaign resume 2"),
    Case("a campaign that has ended, to be aborted", {}, "campaign abort 1"),
    Case("a rollback of a campaign that goes on", {}, "campaign rollback 3"),
    Case("a rollback of a campaign that did nothing", {}, "campaign rollback 2"),
    Case("a rollback that says what it is to bring", {}, "campaign rollback 1 --select outdated"),
    Case("a report of a campaign that is not there", {}, "campaign report 9 --format json"),
    Case("a report in another form", {}, "campaign report 1 --format html"),
    Case("an explanation of a bare name", {}, "explain prod"),
    Case("an explanation of a campaign that is not there", {}, "explain c9"),
    Case("an explanation of a run that is not there", {}, "explain 99"),
    Case("an explanation of an instance that is not there", {}, "explain orders/prd"),
    Case("a calendar with everything wrong", {"c.yaml": _BAD_WINDOWS}, _CALENDAR),
    Case("a calendar whose times are wrong", {"c.yaml": _LATE}, _CALENDAR),
    Case("a calendar with nothing in it", {"c.yaml": "{}\n"}, _CALENDAR),
    Case("a calendar that is a list", {"c.yaml": "- mon\n"}, _CALENDAR),
    Case("a calendar that is no YAML", {"c.yaml": "windows: [\n"}, _CALENDAR),
    Case("a calendar that is not there", {}, _CALENDAR),
    Case("a calendar of an environment that is not there", {"c.yaml": _FREEZE}, "env calendar set prd c.yaml"),
    Case(
        "rules of a fleet with everything wrong",
        {},
        "env update prod --rule rank=first --rule drift_every_s=daily --rule drift_budget=-1 "
        "--rule expiry_warning_s=soon --rule rnak=1",
    ),
    Case("drift of a selection with a typing error", {}, "drift check --select drfted"),
    Case("drift of an instance that is not there", {}, "drift check orders/prd"),
    Case("drift with a budget of nothing", {}, "drift check --budget 0"),
    Case("drift ignored until a word", {}, "drift ignore environment/prod --until tomorrow --reason x"),
    Case("drift ignored until a day that is over", {}, "drift ignore environment/prod --until 2020-01-01 --reason x"),
    Case("drift ignored for ten years", {}, "drift ignore environment/prod --until 3650d --reason x"),
    Case("drift ignored without an end", {}, "drift ignore environment/prod --reason x"),
    Case("drift ignored for no reason", {}, "drift ignore environment/prod --until 72h --reason ' '"),
    Case("drift ignored by no pattern", {}, "drift ignore environment/prod '' --until 72h --reason x"),
    Case("drift that nobody ignores, to be told again", {}, "drift unignore environment/prod nothing"),
    Case("a repair of nothing", {}, "drift repair"),
    Case("a repair of what hibernates", {}, "drift repair environment/asleep"),
    Case("a rollback of a first deploy", {}, "instance rollback orders/prod"),
    Case("a rollback to what is live", {}, "instance rollback orders/prod --to 2"),
    Case("a rollback to a run of another instance", {}, "instance rollback orders/prod --to 1"),
    Case("a rollback to a run that failed", {}, "instance rollback orders/prod --to 12"),
    Case("a rollback to a run that is not there", {}, "instance rollback orders/prod --to 99"),
    Case("a rollback to a version below the minimum", {}, "instance rollback cart/prod"),
    Case("a rollback of what was never deployed", {}, "instance rollback billing/prod"),
    Case("a rollback of what hibernates", {}, "env rollback asleep --to 7"),
    Case("an environment with inhabitants, to hibernate", {}, "instance hibernate environment/prod"),
    Case("what hibernates, to hibernate", {}, "instance hibernate environment/asleep"),
    Case("what is awake, to wake", {}, "instance wake orders/prod"),
    Case("an update of what hibernates", {}, "env update asleep --set zone=b"),
    Case("a service in an environment that hibernates", {}, "service create shop -t web --env asleep"),
    Case("a time to live that is a word", {}, "env create lake -t lab --ttl soon"),
    Case("a time to live of nothing", {}, "env create lake -t lab --ttl 0h"),
    Case("a time to live of years", {}, "env create lake -t lab --ttl 4000d"),
    Case("an end that is moved where there is none", {}, "instance extend orders/prod 24h"),
    Case("an end that is past", {}, "instance extend environment/brief --until 2026-01-01"),
    Case("an end that is a word", {}, "instance extend environment/brief --until tomorrow"),
    Case("an end that is too far away", {}, "instance extend environment/brief --until 2999-01-01"),
    Case("an extension that says nothing", {}, "instance extend environment/brief"),
    Case("an extension that says two things", {}, "instance extend environment/brief 24h --forever"),
    Case("an extension by a word", {}, "instance extend environment/brief longer"),
    Case("a comparison of one run", {}, "run compare 1"),
    Case("a comparison with a run that is not there", {}, "run compare 1 99"),
    Case("wiring of what is not there", {}, "wiring orders/prd"),
    Case("wiring of an instance by half its name", {}, "wiring orders"),
    Case("wiring of a version that nobody can use", {}, "wiring --templates web@1.9"),
    Case("drift of an environment that is not there", {}, "drift check --select environment=prd"),
    Case("a repair of what nobody has", {}, "drift repair --select drifted,service=order"),
    Case("wiring of what is no environment", {}, "wiring environment/prd -o dot"),
    Case("an environment with inhabitants, to be destroyed", {}, "env delete prod --yes"),
    Case("an environment that is to lose what others read", {}, "env update prod --version 1.1"),
)
