"""Tags of people: where they are kept, who gets them, and when."""

from __future__ import annotations

from tests.scenarios.world import World


def own_tags(world: World, address: str) -> list[tuple[str, str]]:
    """Those of people, as Terraform was given them."""
    tags = world.given(address)["proton_tags"].items()
    return [(key, value) for key, value in tags if not key.startswith("proton:")]


def test_an_instance_has_the_tags_of_its_environment_and_service_and_its_own(deployed: World) -> None:
    deployed.do("env", "update", "prod", "--tag", "team=platform", "--tag", "cost=1")
    deployed.do("service", "update", "orders", "--tag", "team=shop", "--tag", "app=orders")

    deployed.do("instance", "update", "orders/prod", "--tag", "app=blue", "--set", "port=81", "--auto-approve")

    expected = [("app", "blue"), ("cost", "1"), ("team", "shop")]
    assert own_tags(deployed, "service/orders/prod") == expected
    row = deployed.row("instance", "show", "orders/prod")
    assert (row["tags"], row["effective_tags"]) == ({"app": "blue"}, dict(expected))
    assert deployed.row("service", "show", "orders")["tags"] == {"app": "orders", "team": "shop"}


def test_a_tag_alone_needs_no_run_and_the_next_one_applies_it(deployed: World) -> None:
    result = deployed.do("env", "update", "prod", "--tag", "team=platform")

    assert result.out.strip() == ("Environment prod was changed; no run was needed. The next run applies the tags.")
    assert own_tags(deployed, "environment/prod") == []
    deployed.do("env", "update", "prod", "--kind", "current-version", "--auto-approve")
    assert own_tags(deployed, "environment/prod") == [("team", "platform")]
    deployed.do("env", "update", "prod", "--tag", "team=")
    assert deployed.row("env", "show", "prod")["tags"] == {}


def test_tags_that_aws_would_not_take_are_all_refused_at_once(deployed: World) -> None:
    result = deployed.run("service", "update", "orders", "--tag", "aws:x=1", "--tag", "proton:y=a;b")

    assert result.code == 1
    assert "--tag: aws:x: Keys that begin with aws: are not for people." in result.err
    assert "--tag: proton:y: Keys that begin with proton: are not for people." in result.err
    assert "';' cannot be in the value of a tag" in result.err
    assert deployed.row("service", "show", "orders")["tags"] == {}
