"""Git repositories, bundles and states in S3 that cannot be read, or must not be: nothing is recorded."""

from __future__ import annotations

from tests.scenarios.bad_input import Case

_AT_MOTO = "region=us-east-1&endpoint=MOTO"
_AT_S3 = "region=us-east-1&endpoint=S3"
_LAKE = "env create lake -t lab"
_REGISTER = "template register lake"
_OURS = "--provisioning-repository"
_STALE = "0123456789abcdef0123456789abcdef01234567"

CASES = (
    Case("a repository with a password in it", {}, f"{_LAKE} {_OURS} https://ana:hunter2@example.org/infra.git"),
    Case("a repository that would be an option", {}, f"{_LAKE} {_OURS} --upload-pack=touch"),
    Case("a repository with a scheme that runs programs", {}, f"{_LAKE} {_OURS} 'ext::sh -c id'"),
    Case("a repository over plain http", {}, f"{_LAKE} {_OURS} http://example.org/infra.git"),
    Case(
        "a provisioning repository with everything wrong",
        {},
        f"{_LAKE} {_OURS} infra --provisioning-branch=-main --provisioning-api ftp://x",
    ),
    Case("a host of pull requests that is none", {}, f"{_LAKE} {_OURS} REPOSITORY --provisioning-host gitea"),
    Case("a branch without a repository", {}, f"{_LAKE} --provisioning-branch main"),
    Case("an environment that others carry out no longer", {}, "env update far --provisioning-repository ''"),
    Case("an environment that others are to carry out", {}, "env update prod --provisioning-repository REPOSITORY"),
    Case("a plan of what others carry out", {}, "run plan environment/far --speculative --set zone=b"),
    Case("another run while a proposal is open", {}, "env update asked --set zone=b"),
    Case("an approval of a proposal", {}, "run approve 7"),
    Case("a state of what others carry out", {}, "state pull environment/far"),
    Case("a bundle in Git without a branch", {}, f"{_REGISTER} git::REPOSITORY//lab/v1?ref=mian"),
    Case("a bundle in Git at a commit that a branch has left", {}, f"{_REGISTER} git::REPOSITORY//lab/v1?ref={_STALE}"),
    Case("a bundle in Git without its folder", {}, f"{_REGISTER} git::REPOSITORY//lab/v9?ref=main"),
    Case("a bundle in Git whose folder climbs out", {}, f"{_REGISTER} git::REPOSITORY//../../etc?ref=main"),
    Case("a bundle in Git that is none", {}, f"{_REGISTER} git::REPOSITORY//orders?ref=main"),
    Case("a bundle in Git with an unknown option", {}, f"{_REGISTER} git::https://example.org/infra.git//lab?depth=1"),
    Case("a bundle in a repository that is not there", {}, f"{_REGISTER} git::REPOSITORY-gone//lab/v1?ref=main"),
    Case(
        "a bundle in a repository that does not answer", {}, f"{_REGISTER} git::https://NOWHERE/infra.git//lab?ref=main"
    ),
    Case("a template that follows a branch twice", {}, "template sync add lab REPOSITORY"),
    Case("a template that is not there, to follow a branch", {}, "template sync add wbe REPOSITORY"),
    Case("a folder that climbs out, to be followed", {}, "template sync add web REPOSITORY --subdirectory ../x"),
    Case("a branch that would be an option", {}, "template sync add web REPOSITORY --branch=--all"),
    Case("a service that is not there, to follow a branch", {}, "service sync add odrers REPOSITORY"),
    Case("an ops file that is not named", {}, "service sync add cart REPOSITORY --file ''"),
    Case("a sync that is not there", {}, "template sync remove web"),
    Case("a sync that is not there, to be looked at", {}, "service sync run cart"),
    Case("a blocker that is not there", {}, "service sync resolve 7 --reason x"),
    Case("a blocker without a reason", {}, "service sync resolve 7 --reason ''"),
    Case("an interval that is none", {}, "sync run --every soon"),
    Case("a bundle in a bucket that is not there", {}, f"{_REGISTER} 's3://no-such-bucket/b.tar.gz?{_AT_MOTO}'"),
    Case("a bundle under a key that is not there", {}, f"{_REGISTER} 's3://BUCKET/b.tar.gz?{_AT_MOTO}'"),
    Case(
        "a version of a bundle that is not there",
        {},
        f"{_REGISTER} 's3://BUCKET/no-archive.tar.gz?versionId=x1&{_AT_MOTO}'",
    ),
    Case("an object that is no bundle", {}, f"{_REGISTER} 's3://BUCKET/no-archive.tar.gz?{_AT_MOTO}'"),
    Case("a bundle in a bucket in another region", {}, f"{_REGISTER} 's3://moved/b.tar.gz?{_AT_S3}'"),
    Case("a bundle that may not be read", {}, f"{_REGISTER} 's3://denied/b.tar.gz?{_AT_S3}'"),
    Case("a bundle with credentials that have expired", {}, f"{_REGISTER} 's3://expired/b.tar.gz?{_AT_S3}'"),
    Case("a bundle in S3 with an unknown option", {}, f"{_REGISTER} 's3://BUCKET/b.tar.gz?version=1'"),
    Case("a bucket for states in another region", {}, f"state bootstrap 's3://moved?{_AT_S3}'"),
    Case("a bucket for states that is somebody else's", {}, f"state bootstrap 's3://denied?{_AT_S3}'"),
    Case("a bucket for states with credentials that have expired", {}, f"state bootstrap 's3://expired?{_AT_S3}'"),
    Case("a bucket for states without a name", {}, "state bootstrap s3://"),
    Case("a state to where it is", {}, "state migrate environment/prod --to managed --yes"),
    Case("a state to a backend that is none", {}, "state migrate environment/prod --to pg --yes"),
    Case(
        "a state that somebody works with",
        {},
        f"state adopt environment/prod --from 's3://BUCKET/locked.tfstate?{_AT_MOTO}' --yes",
    ),
    Case(
        "a state that is none", {}, f"state adopt environment/prod --from 's3://BUCKET/broken.tfstate?{_AT_MOTO}' --yes"
    ),
    Case("a state that is not there", {}, f"{_LAKE} --adopt-state 's3://BUCKET/old?{_AT_MOTO}'"),
    Case(
        "a state for an environment that others carry out",
        {},
        f"{_LAKE} {_OURS} REPOSITORY --adopt-state 's3://BUCKET/other.tfstate?{_AT_MOTO}'",
    ),
    Case("a state in a folder", {}, f"{_LAKE} --adopt-state old.tfstate"),
    Case(
        "a state for what others carry out",
        {},
        f"state adopt environment/far --from 's3://BUCKET/other.tfstate?{_AT_MOTO}' --yes",
    ),
    Case("a store for bundles that is no bucket", {}, "env list", {"LANDFORM_BUNDLE_STORE": "folder"}),
    Case("a backend that is no longer offered", {}, "env list", {"LANDFORM_BACKEND": "pg"}),
)
