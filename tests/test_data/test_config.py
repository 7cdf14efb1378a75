"""Settings: what the environment says, and what is made when it says nothing."""

from __future__ import annotations

import pytest

from data.config import ROOT, Settings
from geo.errors import SettingsError


def test_nothing_set_is_sqlite_in_var(tmp_path):
    settings = Settings.from_env({"ZHENDI_VAR": str(tmp_path / "var")})
    assert settings.database_url == f"sqlite:///{tmp_path / 'var' / 'zhendi.db'}"
    assert settings.basemaps == ROOT / "data" / "basemaps.toml"
    assert settings.bank == ""


def test_a_key_is_made_once_for_its_owner_alone(tmp_path):
    environment = {"ZHENDI_VAR": str(tmp_path)}
    first = Settings.from_env(environment).secret
    assert len(first) == 32
    assert Settings.from_env(environment).secret == first
    assert (tmp_path / "secret.key").stat().st_mode & 0o777 == 0o600
    assert [path.name for path in tmp_path.iterdir()] == ["secret.key"]


def test_a_key_of_the_environment_leaves_no_file(tmp_path):
    settings = Settings.from_env({"ZHENDI_VAR": str(tmp_path), "ZHENDI_SECRET_KEY": "x" * 16})
    assert settings.secret == b"x" * 16
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("ZHENDI_SECRET_KEY", "short"),
        ("ZHENDI_DATABASE_URL", "mysql://u:hush@h/d"),
        ("ZHENDI_DATABASE_URL", "hush"),
    ],
)
def test_a_variable_that_cannot_be_used_is_named_and_its_value_is_not(tmp_path, name, value):
    with pytest.raises(SettingsError) as refused:
        Settings.from_env({"ZHENDI_VAR": str(tmp_path), name: value})
    assert name in str(refused.value)
    assert value not in str(refused.value)


def test_a_damaged_key_file_is_refused(tmp_path):
    (tmp_path / "secret.key").touch()
    with pytest.raises(SettingsError, match="secret.key"):
        Settings.from_env({"ZHENDI_VAR": str(tmp_path)})


def test_settings_shown_tell_no_secret(tmp_path):
    url = "postgres://user:hush@server/bank"
    settings = Settings.from_env({"ZHENDI_VAR": str(tmp_path), "ZHENDI_DATABASE_URL": url})
    assert settings.database_url == "postgresql+psycopg://user:hush@server/bank"
    assert "hush" not in repr(settings)
    assert "secret" not in repr(settings)
