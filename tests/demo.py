"""The demonstration, on real Terraform: `up` runs the main job as a person would type it, `down` clears it away."""

from __future__ import annotations

import argparse
import contextlib
import json
import shlex
import shutil
import socket
import sys
import urllib.request
from collections.abc import Iterator
from pathlib import Path

from engine.terraform import seal
from tests import demo_remains
from tests.demo_terminal import PROGRAMS, ROOT, Demo, Unexpected, say, short

HOME = ROOT / "workspaces" / "demo"
FAVOURITE_PORTS = (8081, 8082)
WAITING = 3
INTERRUPTED = 130
LOCAL = urllib.request.build_opener(urllib.request.ProxyHandler({}))
SPEC = """\
proton: ServiceSpec
instances:
  - name: dev
    environment: dev
    spec:
      port: {0}
      title: "Shop (dev)"
      message: "Being worked on."
      colour: "#2f855a"
  - name: prod
    environment: prod
    spec:
      port: {1}
      title: "Shop"
      message: "Open day and night."
"""
NEXT = """
It goes on running. To go on by hand, here or in another terminal:

  export LANDFORM_HOME={home} PATH={programs}:"$PATH"

  See what there is         landform service show shop
  Take the new output       landform instance update shop/dev
  Bring prod to 1.1 too     landform env update prod
                            landform instance update shop/prod
  Bring its pipeline along  landform pipeline update shop
  Change an input           landform instance update shop/dev --set message='Hello!'
  See what was done         landform run list

Look at the pages: http://127.0.0.1:{ports[0]}/ and http://127.0.0.1:{ports[1]}/
To destroy all of it: make demo-clean"""


def up(demo: Demo) -> int:
    """Runs the main job and leaves it running; the exit code."""
    if demo.home.exists():
        return _there_already(demo)
    demo.home.mkdir(mode=0o700, parents=True)
    demo.spec.write_text(SPEC.format(*_free_ports(FAVOURITE_PORTS)))
    for step in (_templates, _environments, _service, _new_versions, _upgrade, _new_environment, _overview):
        step(demo)
    return 0


def down(demo: Demo) -> int:
    """Destroys all that is there through Landform, proves that nothing is left, removes the home; the exit code."""
    if demo.home.exists() and any(demo.home.iterdir()) and not demo.spec.exists():
        raise Unexpected(f"{short(demo.home)} was not made by this demonstration.")
    found = demo_remains.Found(demo.home, demo_remains.served(demo.home, demo.ask))
    if found.has_catalog:
        _destroy(demo)
    say("\n# Is anything left?")
    left = found.remains(demo.ask)
    for line in left:
        say(f"LEFT: {line}")
    if left:
        say(f"Something is left, so {short(demo.home)} stays. Mend what the messages say, then: make demo-clean")
        return 1
    for line in found.proofs(demo.ask):
        say(line)
    _remove(demo)
    return 0


def _templates(demo: Demo) -> None:
    say("# Landform's demonstration: two environments, one service, a new version.")
    say("# Everything is kept in " + short(demo.home))
    demo.type("landform version")
    say("\n# The platform team registers two templates: where services live, and a web site.")
    demo.type("landform template register local-lab modules/environment/local-lab/v1 --publish")
    demo.type("landform template register static-site modules/service/static-site/v1 --publish")


def _environments(demo: Demo) -> None:
    say("\n# It makes two environments. Nothing is destroyed by that, so the plans may approve themselves.")
    demo.type("landform env create dev --template local-lab --auto-approve")
    demo.type("landform env create prod --template local-lab --set tier=prod --auto-approve")


def _service(demo: Demo) -> None:
    spec = short(demo.spec)
    say("\n# A developer asks for a service, with an instance in each.")
    say(f"\n$ cat {spec}\n{demo.spec.read_text().rstrip()}")
    demo.type(f"landform service create shop --template static-site --spec {spec}", ends=WAITING)
    say("# Exit code 3: there are plans, and nothing has been done yet. They wait for somebody's yes.")
    waiting = _waiting(demo)
    demo.type(f"landform run show {waiting[0]}")
    say("\n# Yes to both: exactly these plans are applied.")
    for run in waiting:
        demo.type(f"landform run approve {run}")
    for port in demo.ports:
        _curl(port)
    _pipeline(demo)


def _pipeline(demo: Demo) -> None:
    say("\n# The service has a pipeline as well, made when its instances are there: CI files, ready to be committed.")
    [run] = demo.ask("landform run list --status queued -o name").split()
    demo.type(f"landform run apply {run} --yes")
    outputs = json.loads(demo.ask("landform pipeline outputs shop -o json"))["items"]
    [folder] = [Path(item["value"]) for item in outputs if item["name"] == "folder"]
    say(f"\n$ grep 'landform run' {short(folder / '.gitlab-ci.yml')}")
    lines = (folder / ".gitlab-ci.yml").read_text().splitlines()
    say("\n".join(line for line in lines if "landform run" in line))


def _new_versions(demo: Demo) -> None:
    say("\n# The platform team publishes new versions: the site gets themes, the environments a folder for logs.")
    demo.type("landform template register static-site modules/service/static-site/v1.1 --major 1 --publish")
    demo.type("landform template register local-lab modules/environment/local-lab/v1.1 --major 1 --publish")
    say("\n# Who is behind?")
    demo.type("landform instance list --outdated")
    demo.type("landform env list --outdated")


def _upgrade(demo: Demo) -> None:
    say("\n# One instance goes first. Its page is replaced, so the plan does not approve itself.")
    demo.type("landform instance update shop/dev --version 1.1 --set theme=framed --auto-approve", ends=WAITING)
    for run in _waiting(demo):
        demo.type(f"landform run show {run}")
        demo.type(f"landform run approve {run} --reason 'first look at 1.1'")
    _curl(demo.ports[0])


def _new_environment(demo: Demo) -> None:
    say("\n# Then environment dev gets its folder for logs: a new output.")
    demo.type("landform env update dev --auto-approve")
    say("\n# shop/dev reads that output, so it is stale now; shop/prod does not, it is only behind.")
    demo.type("landform instance list")


def _overview(demo: Demo) -> None:
    say("\n# What there is now.")
    demo.type("landform env list")
    demo.type("landform service list")
    demo.finished.touch()
    _next(demo)


def _there_already(demo: Demo) -> int:
    place = short(demo.home)
    if demo.finished.exists():
        say(f"The demonstration is there already, in {place}. To see it anew, clear it away first: make demo-clean")
        _next(demo)
        return 0
    say(f"In {place} is what an earlier demonstration has left. Clear it away first: make demo-clean")
    return 1


def _next(demo: Demo) -> None:
    quoted = {"home": shlex.quote(str(demo.home)), "programs": shlex.quote(str(PROGRAMS))}
    say(NEXT.format(**quoted, ports=demo.ports))


def _destroy(demo: Demo) -> None:
    """Asks for the end of everything; what a command could not end is found afterwards."""
    say("# What nobody has said yes to is discarded, then services are destroyed, then environments.")
    for status in ("planning", "queued", "planned", "approved"):
        for run in demo.ask(f"landform run list --status {status} -o name").split():
            demo.attempt(f"landform run discard {run}")
    for name in demo.ask("landform service list -o name").split():
        demo.attempt(f"landform service delete {name} --yes")
    for name in demo.ask("landform env list -o name").split():
        demo.attempt(f"landform env delete {name} --yes")


def _remove(demo: Demo) -> None:
    if not demo.home.exists():
        say(f"There is no {short(demo.home)}. Nothing is left.")
        return
    # what instances share is closed to writers
    seal.reopen(demo.home)
    shutil.rmtree(demo.home)
    say(f"Removed {short(demo.home)}. Nothing is left.")


def _waiting(demo: Demo) -> list[str]:
    """The runs that wait for approval, oldest first."""
    return sorted(demo.ask("landform run list --status planned -o name").split(), key=int)


def _curl(port: int) -> None:
    url = f"http://127.0.0.1:{port}/"
    say(f"\n$ curl -s {url} | grep -E '<h1>|<footer>'")
    try:
        with LOCAL.open(url, timeout=10) as answer:
            page = answer.read().decode()
    except OSError as error:
        raise Unexpected(f"{url} does not answer: {error}.") from error
    say("\n".join(line for line in page.splitlines() if "<h1>" in line or "<footer>" in line))


def _free_ports(favourites: tuple[int, ...]) -> list[int]:
    """As many ports that nobody listens on: the favourites where they are free, else what the system offers."""
    with contextlib.ExitStack() as held:
        return [held.enter_context(_bound(port)).getsockname()[1] for port in favourites]


@contextlib.contextmanager
def _bound(port: int) -> Iterator[socket.socket]:
    with socket.socket() as asked:
        # a connection that was closed a moment ago does not make its port busy
        asked.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            asked.bind(("127.0.0.1", port))
        except OSError:
            asked.bind(("127.0.0.1", 0))
        yield asked


def main() -> int:
    """One command line; the exit code."""
    parser = argparse.ArgumentParser(prog="python -m tests.demo", description=__doc__)
    parser.add_argument("what", choices=["up", "down"])
    parser.add_argument("--home", type=Path, default=HOME, help="Folder to use; it must not exist.")
    typed = parser.parse_args()
    try:
        return (up if typed.what == "up" else down)(Demo(typed.home.absolute()))
    except Unexpected as error:
        say(f"\n{error}\nClear away what there is: make demo-clean")
        return 1
    except KeyboardInterrupt:
        say("\nStopped. Clear away what there is: make demo-clean")
        return INTERRUPTED


if __name__ == "__main__":
    sys.exit(main())
