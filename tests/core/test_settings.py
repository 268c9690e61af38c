"""Settings: which source wins, and what is said about a value that cannot be used."""

from __future__ import annotations

import os
from pathlib import Path

import platformdirs
import pytest

from engine.errors import Invalid, Problem
from engine.settings import SETTINGS, TABLES, check_run_env, load

# one value for each source: the command line, the variable and landform.toml
VALUES = {
    "home": ("/flag", "/variable", "/file"),
    "catalog": ("sqlite:////flag", "sqlite:////variable", "sqlite:////file"),
    "catalog_file": ("/flag", "/variable", "/file"),
    "terraform": ("flag", "variable", "file"),
    "parallel": ("3", "4", "5"),
    "max_runs": ("3", "4", "5"),
    "labels": ("a,b", "c", "d,e"),
    "lease_s": ("10.0", "20.0", "30.0"),
    "user": ("ann", "bob", "cem"),
    "account_id": ("1" * 12, "2" * 12, "3" * 12),
    "region": ("eu-west-1", "eu-west-2", "eu-west-3"),
    "grace_s": ("1.0", "2.0", "3.0"),
    "cool_off_s": ("1.0", "2.0", "3.0"),
    "plan_timeout_s": ("10.0", "20.0", "30.0"),
    "apply_timeout_s": ("10.0", "20.0", "30.0"),
    "plan_ttl_s": ("60.0", "120.0", "180.0"),
    "idempotency": ("ci", "off", "ci"),
    "retries": ("0", "1", "2"),
    "provider_mirror": ("/flag", "/variable", "/file"),
    "network_mirror": ("https://flag/", "https://variable/", "https://file/"),
    "offline": ("True", "False", "True"),
    "instances_per_service": ("1", "2", "3"),
    "backend": ("s3://one/team", "managed", "s3://two?region=eu-west-1&endpoint=http://127.0.0.1:9000"),
    "state_store": ("s3://one", "s3://two/team/", "s3://three/a/b?region=eu-west-1"),
    "bundle_store": ("s3://one", "s3://two/team/", "s3://three?region=eu-west-1&kms=alias/a&endpoint=http://x"),
    "pipeline_credentials": ("flag", "variable", "file"),
    "key_file": ("/flag", "/variable", "/file"),
    "kms_key": (
        "alias/flag",
        "arn:aws:kms:eu-west-1:111122223333:key/0",
        "alias/file?region=eu-west-1&endpoint=http://127.0.0.1:1",
    ),
    "pipeline_provisioning_repository": ("file:///flag", "file:///variable", "file:///file"),
    "pipeline_provisioning_branch": ("flag", "variable", "file"),
    "pipeline_provisioning_host": ("github", "gitlab", "none"),
    "pipeline_provisioning_api": ("https://flag", "https://variable", "https://file"),
    "github_token_file": ("/flag", "/variable", "/file"),
    "gitlab_token_file": ("/flag", "/variable", "/file"),
    "component_path_style": ("nested", "documented", "nested"),
    "forget_destroys": ("True", "False", "True"),
    "poll_s": ("1.0", "2.0", "3.0"),
    "git_token_file": ("/flag", "/variable", "/file"),
    "git_ssh_key": ("/flag", "/variable", "/file"),
    "git_timeout_s": ("1.0", "2.0", "3.0"),
    "log_level": ("DEBUG", "INFO", "ERROR"),
    "log_format": ("json", "text", "json"),
    "otel": ("console", "http://localhost:4318", "console"),
}
DEFAULTS = {
    "home": platformdirs.user_data_dir("landform"),
    "catalog": "",
    "catalog_file": "None",
    "terraform": "",
    "parallel": str(os.cpu_count()),
    "max_runs": "0",
    "labels": "",
    "lease_s": "30.0",
    "user": "dora",
    "account_id": "000000000000",
    "region": "local",
    "grace_s": "30.0",
    "cool_off_s": "10.0",
    "plan_timeout_s": "1800.0",
    "apply_timeout_s": "14400.0",
    "plan_ttl_s": "0.0",
    "idempotency": "off",
    "retries": "3",
    "provider_mirror": "None",
    "network_mirror": "",
    "offline": "False",
    "instances_per_service": "20",
    "backend": "managed",
    "state_store": "",
    "bundle_store": "",
    "pipeline_credentials": "",
    "key_file": "None",
    "kms_key": "",
    "pipeline_provisioning_repository": "",
    "pipeline_provisioning_branch": "main",
    "pipeline_provisioning_host": "",
    "pipeline_provisioning_api": "",
    "github_token_file": "None",
    "gitlab_token_file": "None",
    "component_path_style": "documented",
    "forget_destroys": "False",
    "poll_s": "60.0",
    "git_token_file": "None",
    "git_ssh_key": "None",
    "git_timeout_s": "120.0",
    "log_level": "WARNING",
    "log_format": "text",
    "otel": "",
}


def in_words(value: object) -> str:
    """A setting as these tables have it."""
    return ",".join(value) if isinstance(value, tuple) else str(value)


EVERY = pytest.mark.parametrize("name", VALUES)


def write(folder: Path, text: str) -> Path:
    folder.mkdir(parents=True, exist_ok=True)
    file = folder / "landform.toml"
    file.write_text(text, encoding="utf-8")
    return file


def problems(folder: Path, environ: dict[str, str] | None = None, **flags: str) -> tuple[Problem, ...]:
    """What is wrong with the settings of `folder`."""
    with pytest.raises(Invalid) as caught:
        load(environ or {}, folder, **flags)
    assert caught.value.message == "The settings cannot be used:"
    return caught.value.problems


def test_the_tables_of_this_file_know_every_setting() -> None:
    names = [setting.name for setting in SETTINGS]

    assert [*VALUES] == names
    assert [*DEFAULTS] == names


@EVERY
def test_the_command_line_wins_over_the_variable_and_the_file(name: str, tmp_path: Path) -> None:
    flag, variable, in_file = VALUES[name]
    write(tmp_path, f'{name} = "{in_file}"')

    settings = load({f"LANDFORM_{name.upper()}": variable}, tmp_path, **{name: flag})

    assert in_words(getattr(settings, name)) == flag
    assert settings.origins[name] == "command line"


@EVERY
def test_the_variable_wins_over_the_file(name: str, tmp_path: Path) -> None:
    _, variable, in_file = VALUES[name]
    write(tmp_path, f'{name} = "{in_file}"')

    settings = load({f"LANDFORM_{name.upper()}": variable}, tmp_path, **{name: None})

    assert in_words(getattr(settings, name)) == variable
    assert settings.origins[name] == f"LANDFORM_{name.upper()}"


@EVERY
def test_the_file_wins_over_the_default(name: str, tmp_path: Path) -> None:
    file = write(tmp_path, f'{name} = "{VALUES[name][2]}"')

    settings = load({}, tmp_path)

    assert in_words(getattr(settings, name)) == VALUES[name][2]
    assert settings.origins[name] == str(file)


@EVERY
def test_without_any_of_them_the_default_holds(name: str, tmp_path: Path) -> None:
    settings = load({"LOGNAME": "dora"}, tmp_path)

    assert in_words(getattr(settings, name)) == DEFAULTS[name]
    assert settings.origins[name] == "default"


@EVERY
def test_an_empty_value_counts_as_not_given(name: str, tmp_path: Path) -> None:
    write(tmp_path, f'{name} = ""')

    settings = load({f"LANDFORM_{name.upper()}": "", "LOGNAME": "dora"}, tmp_path, **{name: ""})

    assert in_words(getattr(settings, name)) == DEFAULTS[name]
    assert settings.origins[name] == "default"


def test_numbers_in_the_file_need_no_quotes(tmp_path: Path) -> None:
    write(tmp_path, "parallel = 8\ngrace_s = 0.5\nplan_timeout_s = 60\naccount_id = 123456789012\n")

    settings = load({}, tmp_path)

    assert (settings.parallel, settings.grace_s, settings.plan_timeout_s) == (8, 0.5, 60.0)
    assert settings.account_id == "123456789012"


def test_zero_seconds_of_grace_are_a_value(tmp_path: Path) -> None:
    write(tmp_path, "grace_s = 0")

    assert load({}, tmp_path).grace_s == 0.0


def test_the_nearest_file_upward_is_read_and_no_other(tmp_path: Path) -> None:
    write(tmp_path, 'region = "far"\nuser = "far"\n')
    near = write(tmp_path / "near", 'region = "near"')
    below = tmp_path / "near" / "some" / "folder"
    below.mkdir(parents=True)

    settings = load({"LOGNAME": "dora"}, below)

    assert (settings.region, settings.user) == ("near", "dora")
    assert settings.origins["region"] == str(near)


def test_a_folder_called_landform_toml_is_not_a_file(tmp_path: Path) -> None:
    write(tmp_path, 'region = "above"')
    (tmp_path / "below" / "landform.toml").mkdir(parents=True)

    assert load({}, tmp_path / "below").region == "above"


@pytest.mark.parametrize(
    ("written", "home"),
    [("data", "team/data"), ("./data/", "team/data"), (".", "team"), ("../data", "team/../data")],
)
def test_a_home_in_the_file_is_relative_to_the_file(written: str, home: str, tmp_path: Path) -> None:
    write(tmp_path / "team", f'home = "{written}"')
    (tmp_path / "team" / "below").mkdir()

    assert load({}, tmp_path / "team" / "below").home == tmp_path / home


def test_a_home_named_elsewhere_is_relative_to_the_folder_one_is_in(tmp_path: Path) -> None:
    write(tmp_path, 'home = "never"')
    here = tmp_path / "here"
    here.mkdir()

    assert load({"LANDFORM_HOME": "data"}, here).home == here / "data"
    assert load({}, here, home="data").home == here / "data"


def test_an_absolute_home_stays_as_it_is(tmp_path: Path) -> None:
    write(tmp_path, 'home = "/srv/landform"')

    assert load({}, tmp_path).home == Path("/srv/landform")


def test_a_tilde_is_the_users_own_folder(tmp_path: Path) -> None:
    write(tmp_path, 'home = "~/landform"\nterraform = "~/bin/terraform"\n')

    settings = load({}, tmp_path)

    assert settings.home == Path.home() / "landform"
    assert settings.terraform == str(Path.home() / "bin/terraform")


def test_a_file_that_names_no_home_leaves_it_to_the_platform(tmp_path: Path) -> None:
    write(tmp_path, 'region = "local"')

    assert load({}, tmp_path).home == Path(platformdirs.user_data_dir("landform"))


@pytest.mark.parametrize(
    ("written", "program"),
    [("tofu", "tofu"), ("/opt/terraform", "/opt/terraform"), ("tools/terraform", "{}/tools/terraform")],
)
def test_a_program_is_left_to_path_unless_it_is_a_path_itself(written: str, program: str, tmp_path: Path) -> None:
    write(tmp_path, f'terraform = "{written}"')
    (tmp_path / "below").mkdir()

    assert load({}, tmp_path / "below").terraform == program.format(tmp_path)


def test_the_callers_path_is_kept(tmp_path: Path) -> None:
    assert load({"PATH": "/a:/b"}, tmp_path).path == "/a:/b"
    assert load({}, tmp_path).path == os.defpath


@pytest.mark.parametrize(
    ("environ", "user"),
    [({"LOGNAME": "ann", "USER": "bob"}, "ann"), ({"USER": "bob"}, "bob"), ({"LOGNAME": "", "USER": "bob"}, "bob")],
)
def test_the_user_is_who_is_logged_in(environ: dict[str, str], user: str, tmp_path: Path) -> None:
    assert load(environ, tmp_path).user == user


@pytest.mark.parametrize(
    ("name", "value", "message"),
    [
        ("home", "a\0b", "'a\\x00b' is not a path."),
        ("home", "~nobody-of-that-name/x", "'~nobody-of-that-name/x' starts with a ~ that stands for no folder."),
        ("terraform", "terraform\n", "'terraform\\n' is not a path."),
        ("parallel", "0", "'0' is not a whole number from 1 to 999."),
        ("parallel", "1000", "'1000' is not a whole number from 1 to 999."),
        ("parallel", "-1", "'-1' is not a whole number from 1 to 999."),
        ("parallel", "2.5", "'2.5' is not a whole number from 1 to 999."),
        ("parallel", "many", "'many' is not a whole number from 1 to 999."),
        ("parallel", "\u0663", "'\u0663' is not a whole number from 1 to 999."),
        ("user", "two\nlines", "'two\\nlines' is not a line of at most 100 characters."),
        ("user", "u" * 101, f"'{'u' * 101}' is not a line of at most 100 characters."),
        ("account_id", "12345678901", "'12345678901' is not twelve digits."),
        ("account_id", "12345678901\u0663", "'12345678901\u0663' is not twelve digits."),
        ("region", "EU West", "'EU West' is not made of lower-case letters, digits and -."),
        ("grace_s", "-1", "'-1' is not a number of seconds."),
        ("grace_s", "nan", "'nan' is not a number of seconds."),
        ("grace_s", "1e3", "'1e3' is not a number of seconds."),
        ("plan_timeout_s", "0", "'0' is not a number of seconds from 1 up."),
        ("plan_timeout_s", "0.5", "'0.5' is not a number of seconds from 1 up."),
        ("apply_timeout_s", "inf", "'inf' is not a number of seconds from 1 up."),
        ("backend", "local", "'local' is not managed or s3://BUCKET/PREFIX?region=REGION."),
        ("backend", "s3://UPPER/x", "'s3://UPPER/x' is not managed or s3://BUCKET/PREFIX?region=REGION."),
        ("backend", "s3://states?key=x", "'s3://states?key=x' is not managed or s3://BUCKET/PREFIX?region=REGION."),
        ("state_store", "managed", "'managed' is not s3://BUCKET/PREFIX."),
        ("log_level", "debug", "'debug' is not DEBUG, INFO, WARNING or ERROR."),
    ],
)
def test_a_value_that_cannot_be_used_is_refused_where_it_was_given(
    name: str, value: str, message: str, tmp_path: Path
) -> None:
    variable = f"LANDFORM_{name.upper()}"

    assert problems(tmp_path, {variable: value}) == (Problem(variable, 0, name, message),)
    assert problems(tmp_path, {}, **{name: value}) == (Problem("command line", 0, name, message),)


@pytest.mark.parametrize(
    ("line", "message"),
    [
        ("home = true", "must be a string or a number."),
        ('home = ["a"]', "must be a string or a number."),
        ("parallel = {}", "must be a string or a number."),
        ("parallel = true", "must be a string or a number."),
        ("user = 2026-11-23", "must be a string or a number."),
        ("parallel = 2.0", "2.0 is not a whole number from 1 to 999."),
        ("grace_s = nan", "nan is not a number of seconds."),
        ("grace_s = 1e20", "1e+20 is not a number of seconds."),
    ],
)
def test_a_value_of_the_wrong_type_is_refused(line: str, message: str, tmp_path: Path) -> None:
    file = write(tmp_path, line)

    assert problems(tmp_path) == (Problem(str(file), 0, line.split()[0], message),)


def test_all_wrong_values_are_told_at_once(tmp_path: Path) -> None:
    file = write(
        tmp_path,
        """
        log_level = "LOUD"
        regoin = "local"
        [run_env]
        TF_INPUT = "1"
        AWS_REGION = 7
        """,
    )

    with pytest.raises(Invalid) as caught:
        load({"LANDFORM_GRACE_S": "soon"}, tmp_path, parallel="0")

    assert str(caught.value) == (
        "The settings cannot be used:\n"
        "command line: parallel: '0' is not a whole number from 1 to 999.\n"
        "LANDFORM_GRACE_S: grace_s: 'soon' is not a number of seconds.\n"
        f"{file}: log_level: 'LOUD' is not DEBUG, INFO, WARNING or ERROR.\n"
        f"{file}: run_env.TF_INPUT: TF_INPUT is set by Landform itself and cannot be given.\n"
        f"{file}: run_env.AWS_REGION: The value of AWS_REGION is not a string.\n"
        f"{file}: regoin: is not a setting."
    )


def test_a_wrong_value_that_another_source_overrides_does_no_harm(tmp_path: Path) -> None:
    write(tmp_path, 'parallel = "many"')

    assert load({"LANDFORM_PARALLEL": "2"}, tmp_path).parallel == 2


@pytest.mark.parametrize(
    ("name", "hint"),
    [
        ("paralell", 'Did you mean "parallel"?'),
        ("Region", 'Did you mean "region"?'),
        ("runenv", 'Did you mean "run_env"?'),
        (
            "zzz",
            f"Settings are: {', '.join(VALUES)}, run_env, run_env_files, {', '.join(TABLES)}.",
        ),
    ],
)
def test_an_unknown_key_is_refused_with_the_nearest_name(name: str, hint: str, tmp_path: Path) -> None:
    file = write(tmp_path, f'{name} = "x"')

    assert problems(tmp_path) == (Problem(str(file), 0, name, "is not a setting.", hint=hint),)


@pytest.mark.parametrize(
    "content",
    [
        b"region = ",
        b"region = 'a'\nregion = 'b'\n",
        b"user = " + b"[" * 100_000,
        b"user = " + b"9" * 5_000,
    ],
    ids=["no value", "twice", "too deep", "too long"],
)
def test_a_file_that_is_not_toml_is_refused_by_name(content: bytes, tmp_path: Path) -> None:
    file = tmp_path / "landform.toml"
    file.write_bytes(content)

    with pytest.raises(Invalid) as caught:
        load({}, tmp_path)

    assert caught.value.message.startswith(f"{file} is not valid TOML: ")


def test_a_file_in_another_encoding_is_refused_by_name(tmp_path: Path) -> None:
    file = tmp_path / "landform.toml"
    file.write_bytes(b"user = '\xff'")

    with pytest.raises(Invalid) as caught:
        load({}, tmp_path)

    assert caught.value.message == f"{file} is not UTF-8 text."


@pytest.mark.skipif(not Path("/proc/self/mem").exists(), reason="needs a file that nobody can read, not even root")
def test_a_file_that_cannot_be_read_is_refused_by_name(tmp_path: Path) -> None:
    file = tmp_path / "landform.toml"
    file.symlink_to("/proc/self/mem")

    with pytest.raises(Invalid) as caught:
        load({}, tmp_path)

    assert caught.value.message == f"{file} cannot be read: Input/output error."


def test_run_env_reaches_terraform_as_it_is_written(tmp_path: Path) -> None:
    write(
        tmp_path,
        """
        [run_env]
        HTTPS_PROXY = "http://proxy:3128"
        TF_VAR_aws_region = "eu-west-1"
        TF_CLI_CONFIG_FILE = ""
        """,
    )

    assert load({}, tmp_path).run_env == {
        "HTTPS_PROXY": "http://proxy:3128",
        "TF_VAR_aws_region": "eu-west-1",
        "TF_CLI_CONFIG_FILE": "",
    }


def test_nothing_of_the_callers_environment_gets_into_run_env(tmp_path: Path) -> None:
    assert load({"AWS_REGION": "eu-west-1", "LANDFORM_RUN_ENV": "X=1"}, tmp_path).run_env == {}


@pytest.mark.parametrize("line", ['run_env = "X=1"', "run_env = 1", 'run_env = ["X=1"]', "[[run_env]]"])
def test_run_env_is_a_table(line: str, tmp_path: Path) -> None:
    file = write(tmp_path, line)

    assert problems(tmp_path) == (Problem(str(file), 0, "run_env", 'must be a table of NAME = "value".'),)


@pytest.mark.parametrize(
    "name",
    [
        "TF_DATA_DIR",
        "TF_IN_AUTOMATION",
        "TF_INPUT",
        "TF_WORKSPACE",
        "TF_PLUGIN_CACHE_DIR",
        "CHECKPOINT_DISABLE",
        "HOME",
        "TMPDIR",
        "TF_CLI_ARGS",
        "TF_CLI_ARGS_apply",
        "LANDFORM_HOME",
    ],
)
def test_what_landform_sets_for_terraform_cannot_be_given(name: str) -> None:
    assert check_run_env(name, "x") == f"{name} is set by Landform itself and cannot be given."


@pytest.mark.parametrize("name", ["", "1A", "A-B", "A B", "A=B", "A\n", "\u00c4", "A\0"])
def test_a_variable_has_a_name_that_a_shell_could_set(name: str) -> None:
    assert check_run_env(name, "x") == f"{name!r} is not the name of an environment variable."


@pytest.mark.parametrize("value", [1, 1.5, True, None, ["x"], {"x": "y"}])
def test_the_value_of_a_variable_is_a_string(value: object) -> None:
    assert check_run_env("AWS_REGION", value) == "The value of AWS_REGION is not a string."


def test_the_value_of_a_variable_has_no_nul_in_it() -> None:
    assert check_run_env("AWS_REGION", "a\0b") == "The value of AWS_REGION has a NUL character in it."


@pytest.mark.parametrize("name", ["HTTPS_PROXY", "SSL_CERT_FILE", "TF_CLI_CONFIG_FILE", "AWS_REGION", "TF_VAR_x", "_x"])
def test_any_other_variable_may_be_given(name: str) -> None:
    assert check_run_env(name, "a b\n=$x") == ""


def test_offline_is_said_in_the_words_of_people_or_of_toml(tmp_path: Path) -> None:
    assert load({"LANDFORM_OFFLINE": "yes"}, tmp_path).offline is True
    write(tmp_path, "offline = true")
    assert load({}, tmp_path).offline is True
    assert load({"LANDFORM_OFFLINE": "no"}, tmp_path).offline is False
    assert problems(tmp_path, {"LANDFORM_OFFLINE": "maybe"}) == (
        Problem("LANDFORM_OFFLINE", 0, "offline", "'maybe' is not yes or no."),
    )


def test_a_network_mirror_ends_with_a_slash_as_terraform_wants_it(tmp_path: Path) -> None:
    assert load({"LANDFORM_NETWORK_MIRROR": "https://mirror.example/v1"}, tmp_path).network_mirror == (
        "https://mirror.example/v1/"
    )


@pytest.mark.parametrize("address", ["mirror.example", "http://x/", 'https://x/"', "https://x y/"])
def test_a_network_mirror_is_an_address_of_the_web(address: str, tmp_path: Path) -> None:
    assert [problem.field for problem in problems(tmp_path, network_mirror=address)] == ["network_mirror"]


def test_files_of_the_run_environment_are_found_from_where_they_are_named(tmp_path: Path) -> None:
    write(tmp_path, '[run_env_files]\nTOKEN = "secrets/token"\nKEY = "/run/secrets/key"\n')
    (tmp_path / "below").mkdir()

    assert load({}, tmp_path / "below").run_env_files == {
        "TOKEN": tmp_path / "secrets/token",
        "KEY": Path("/run/secrets/key"),
    }


def test_every_wrong_file_of_the_run_environment_is_said(tmp_path: Path) -> None:
    file = str(
        write(tmp_path, '[run_env]\nA = "1"\n[run_env_files]\nA = "a"\nHOME = "h"\nB = 1\n"x y" = "z"\nC = ""\n')
    )

    assert problems(tmp_path) == (
        Problem(file, 0, "run_env_files.A", "A is in [run_env] too."),
        Problem(file, 0, "run_env_files.HOME", "HOME is set by Landform itself and cannot be given."),
        Problem(file, 0, "run_env_files.B", "The value of B is not a path."),
        Problem(file, 0, "run_env_files.x y", "'x y' is not the name of an environment variable."),
        Problem(file, 0, "run_env_files.C", "The value of C is not a path."),
    )


def test_files_of_the_run_environment_are_a_table(tmp_path: Path) -> None:
    file = str(write(tmp_path, 'run_env_files = "secrets"'))

    assert problems(tmp_path) == (Problem(file, 0, "run_env_files", 'must be a table of NAME = "path of a file".'),)


PASSWORDS = pytest.mark.parametrize(
    "url", ["postgresql://ana:hunter2@db/landform", "postgresql://db/landform?password=hunter2"]
)


@PASSWORDS
def test_the_url_of_the_catalog_may_not_have_its_password_in_a_file_that_is_shared(tmp_path: Path, url: str) -> None:
    file = write(tmp_path, f"catalog = {url!r}\n")

    with pytest.raises(Invalid) as refused:
        load({}, tmp_path)

    hint = "Write it to a file that only you can read, and name that: catalog_file."
    message = "has a password in it, which this file must not have."
    assert refused.value.problems == (Problem(str(file), 0, "catalog", message, hint=hint),)


@PASSWORDS
def test_the_password_of_the_catalog_is_in_no_representation_of_the_settings(tmp_path: Path, url: str) -> None:
    found = load({"LANDFORM_CATALOG": url}, tmp_path)

    assert found.catalog == url
    assert "hunter2" not in repr(found)


def test_a_url_of_a_catalog_that_cannot_be_one_is_not_quoted(tmp_path: Path) -> None:
    with pytest.raises(Invalid) as refused:
        load({"LANDFORM_CATALOG": "ana:hunter2@db"}, tmp_path)

    assert [problem.message for problem in refused.value.problems] == [
        "the value is not sqlite:////path or postgresql://user@host/database."
    ]
