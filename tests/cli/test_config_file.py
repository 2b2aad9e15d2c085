"""The configuration file of ``hubbub serve``."""

from __future__ import annotations

from pathlib import Path

import pytest
import typer
from typer.testing import CliRunner, Result

from hubbub import Invalid
from hubbub.cli.config_file import Config, ConfigFile, config_of, read_config, readers_warning
from hubbub.cli.feature_names import FeatureNames
from hubbub.cli.serve_options import Db, Demo, LogLevel, Port

app = typer.Typer(rich_markup_mode=None)


@app.command()
def shown(
    context: typer.Context,
    config: Config = None,
    db: Db = "hubbub.db",
    port: Port = 8000,
    demo: Demo = False,
    feature: FeatureNames = None,
    log_level: LogLevel = "warning",
) -> None:
    """Show what the options are, from wherever they come."""
    typer.echo(f"{db} {port} {demo} {feature} {log_level} {config_of(context).settings}")


@pytest.fixture
def file(tmp_path: Path) -> Path:
    return tmp_path / "hubbub.toml"


def run(file: Path, *args: str, **variables: str) -> Result:
    return CliRunner(env=variables).invoke(app, ["--config", str(file), *args])


def test_an_option_comes_from_the_file(file: Path) -> None:
    file.write_text(
        'db = "a.db"\nport = 9000\ndemo = true\nfeature = ["a:B"]\nlog-level = "info"\n'
    )

    assert run(file).stdout == "a.db 9000 True ['a:B'] info {}\n"


def test_a_key_has_hyphens_or_underscores(file: Path) -> None:
    file.write_text('log_level = "error"')

    assert run(file).stdout.split()[-2] == "error"


def test_a_single_value_is_a_list_of_one(file: Path) -> None:
    file.write_text('feature = "a:B"')

    assert "['a:B']" in run(file).stdout


def test_an_option_goes_before_the_environment_and_that_before_the_file(file: Path) -> None:
    file.write_text('port = 3\ndb = "file.db"\nlog-level = "info"')
    found = run(file, "--port", "1", HUBBUB_PORT="2", HUBBUB_DB="environment.db")

    assert found.stdout.split()[:2] == ["environment.db", "1"]
    assert "info" in found.stdout


def test_the_environment_names_the_file(file: Path) -> None:
    file.write_text("port = 9000")
    found = CliRunner(env={"HUBBUB_CONFIG": str(file)}).invoke(app, [])

    assert found.stdout.split()[1] == "9000"


def test_without_a_file_there_are_no_settings() -> None:
    assert CliRunner().invoke(app, []).stdout == "hubbub.db 8000 False None warning {}\n"


def test_settings_are_a_table(file: Path) -> None:
    file.write_text('[settings]\nmessage_limit = 5\nsecret = "s"')

    assert "{'message_limit': 5, 'secret': 's'}" in run(file).stdout


@pytest.mark.parametrize(
    ("content", "complaint"),
    [
        ("prot = 1", "there is no option 'prot'. Did you mean port?"),
        ("colour = 1", "there is no option 'colour'. The options are db, port"),
        ("message_limit = 1", "message_limit is a setting; write it under [settings]."),
        ("set = 1", "write settings under [settings]."),
        ("config = 'b.toml'", "there is no option 'config'."),
        ("settings = 1", "settings must be a table: [settings]."),
        ("port = 'many'", "port cannot be 'many'"),
        ("port = 70000", "port cannot be 70000"),
        ("log-level = 'loud'", "log_level cannot be 'loud'"),
        ("port = ", "is not TOML"),
        ("port = 1\nport = 2", "is not TOML"),
    ],
)
def test_a_mistake_is_one_sentence_with_the_name_of_the_file(
    file: Path, content: str, complaint: str
) -> None:
    file.write_text(content)
    found = run(file)

    assert found.exit_code == 2
    assert complaint in found.stderr
    assert str(file) in found.stderr


def test_a_file_that_is_not_there_is_refused(file: Path) -> None:
    found = run(file)

    assert found.exit_code == 2
    assert "cannot be read" in found.stderr


@pytest.mark.parametrize(("mode", "warned"), [(0o600, False), (0o640, True), (0o644, True)])
def test_a_secret_that_others_can_read_is_worth_a_warning(
    file: Path, mode: int, *, warned: bool
) -> None:
    file.write_text('[settings]\nsecret = "swordfish"')
    file.chmod(mode)
    text = readers_warning(file, read_config(file, []))

    assert (f"Run: chmod 600 {file}" in text) == warned
    assert "swordfish" not in text


def test_a_file_without_a_secret_may_be_read_by_others(file: Path) -> None:
    file.write_text("[settings]\npage_max = 5")
    file.chmod(0o644)

    assert readers_warning(file, read_config(file, [])) == ""
    assert readers_warning(None, ConfigFile({}, {})) == ""


def test_a_file_that_is_no_text_is_refused(file: Path) -> None:
    file.write_bytes(b"\xff\xfe")
    with pytest.raises(Invalid, match="is not TOML"):
        read_config(file, ["port"])
