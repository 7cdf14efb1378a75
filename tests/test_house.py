"""The house itself: where things stand, what they are called, and what they must not know or do."""

from __future__ import annotations

import ast
import os
import re
import subprocess
import sys
import tomllib
from collections.abc import Iterator
from importlib.metadata import packages_distributions
from itertools import chain
from pathlib import Path

import pytest
from typer.main import get_command

from data.__main__ import app

ROOT = Path(__file__).resolve().parents[1]
ROOMS = ("geo", "data", "pages")
SCRIPTS = {"pages.shell", "data.__main__", "data.migrations.env"}  # run, never imported
SHIPPED = [path for room in ROOMS for path in sorted((ROOT / room).rglob("*")) if path.is_file()] + [
    ROOT / "app.py"
]
MODULES = [path for path in SHIPPED if path.suffix == ".py"]
README = ROOT / "README.md"


def name_of(path: Path) -> str:
    """Return the dotted name of a module's file."""
    return ".".join(path.relative_to(ROOT).with_suffix("").parts).removesuffix(".__init__")


def imports_of(path: Path) -> Iterator[str]:
    """Give every module a file imports, wherever in it."""
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module:
            yield node.module


def text_files(paths: list[Path]) -> Iterator[tuple[Path, str]]:
    """Give the files that are text, with what they say."""
    for path in paths:
        if "__pycache__" in path.parts:
            continue
        try:
            yield path.relative_to(ROOT), path.read_text(encoding="utf-8")
        except UnicodeDecodeError:
            continue


# Names and directions ---------------------------------------------------------------------------------------


def test_no_page_is_named_like_a_package_or_a_standard_module() -> None:
    # Streamlit puts the folder of its main script, pages/, first on the path: a page would hide the package.
    taken = set(sys.stdlib_module_names) | set(packages_distributions()) | {"app", *ROOMS}
    inside = {path.stem for path in (ROOT / "pages").iterdir() if not path.name.startswith("_")}
    assert not inside & taken


def test_every_page_has_its_place_in_the_order_of_imports() -> None:
    contracts = tomllib.loads((ROOT / "pyproject.toml").read_text())["tool"]["importlinter"]["contracts"]
    placed = {name.strip() for layer in contracts[0]["layers"] for name in layer.split("|")}
    pages = {name_of(path) for path in (ROOT / "pages").glob("*.py") if path.stem != "__init__"}
    assert pages <= placed


def test_nobody_imports_the_server() -> None:
    assert not [path for path in MODULES if "app" in imports_of(path)]


def test_inside_pages_modules_are_called_by_their_full_names() -> None:
    inside = {path.stem for path in (ROOT / "pages").iterdir() if not path.name.startswith("_")}
    short = [path for path in MODULES if inside & {name.partition(".")[0] for name in imports_of(path)}]
    assert not short


# What importing does ----------------------------------------------------------------------------------------

LOOK_ROUND = """
import importlib, logging, os, sys, threading
for name in sys.argv[1:]:
    importlib.import_module(name)
from data import database
assert not database._engines, "an engine was made"
assert threading.active_count() == 1, threading.enumerate()
ours = [name for name, logger in logging.root.manager.loggerDict.items()
        if name.split(".")[0] in ("zhendi", "geo", "data", "pages") and getattr(logger, "handlers", [])]
assert not ours and not logging.root.handlers, "logging was set up"
assert not os.listdir("."), os.listdir(".")
"""


def test_importing_a_module_does_nothing(tmp_path: Path) -> None:
    names = [name for name in map(name_of, MODULES) if name not in SCRIPTS and ".versions." not in name]
    names.remove("app")
    done = subprocess.run(
        [sys.executable, "-c", LOOK_ROUND, *names],
        cwd=tmp_path,
        env={"PATH": os.environ["PATH"], "PYTHONPATH": str(ROOT), "ZHENDI_VAR": str(tmp_path / "var")},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr


# Nothing from outside ---------------------------------------------------------------------------------------

OWN_ADDRESS = re.compile(r"https?://(127\.0\.0\.1|localhost|\[::1\]|\{|www\.w3\.org/)")
EXAMPLES = {Path("data/basemaps.toml")}  # base maps a bank may switch on; looked at below


def test_no_shipped_file_names_an_address_outside() -> None:
    found = [
        f"{path}: {address.group()}"
        for path, text in text_files(SHIPPED)
        if path not in EXAMPLES
        for address in re.finditer(r"https?://[^\s\"'<>)]+", text)
        if not OWN_ADDRESS.match(address.group())
    ]
    assert not found


def test_base_maps_that_are_shipped_on_need_no_network() -> None:
    tables = tomllib.loads((ROOT / "data" / "basemaps.toml").read_text(encoding="utf-8"))
    maps = list(chain.from_iterable(table for table in tables.values() if isinstance(table, list)))
    on = [base for base in maps if base.get("enabled")]
    assert on and len(on) < len(maps)
    assert not [base for base in on if "//" in str(base.get("url", ""))]


def test_no_file_names_a_package_index_or_a_content_network() -> None:
    hosts = [
        "pypi" + ".org",
        "python" + "hosted",
        "registry" + ".npmjs",
        "jsdel" + "ivr",
        "unp" + "kg",
        "cdn" + "js",
        "google" + "apis",
        "deb." + "debian",
    ]
    listed = subprocess.run(
        ["git", "ls-files", "--cached", "--others", "--exclude-standard"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=True,
    )
    paths = [path for line in listed.stdout.splitlines() if (path := ROOT / line).is_file()]
    found = [f"{path}: {host}" for path, text in text_files(paths) for host in hosts if host in text]
    assert not found


# Pinned packages --------------------------------------------------------------------------------------------


def pinned(name: str) -> dict[str, set[str]]:
    """Return the packages of a lock file with their versions: one, or one for each sort of machine."""
    versions: dict[str, set[str]] = {}
    for package, version in re.findall(r"^([a-z0-9.-]+)(?:\[.*?\])?==(\S+)", (ROOT / name).read_text(), re.M):
        versions.setdefault(package, set()).add(version)
    return versions


def wanted(name: str) -> set[str]:
    """Return the packages an input file asks for."""
    return {plain(word) for word in re.findall(r"^([A-Za-z][\w.-]*)", (ROOT / name).read_text(), re.M)}


def plain(package: str) -> str:
    """Return a package's name as indexes compare it."""
    return re.sub(r"[-_.]+", "-", package).lower()


@pytest.mark.parametrize(
    ("paths", "asked"),
    [
        (MODULES, "requirements.in"),
        (
            sorted((ROOT / "tests").rglob("*.py")) + sorted((ROOT / "benchmarks").rglob("*.py")),
            "requirements-dev.in",
        ),
    ],
)
def test_what_is_imported_is_asked_for_by_name(paths: list[Path], asked: str) -> None:
    known = packages_distributions()
    imported = {name.partition(".")[0] for path in paths for name in imports_of(path)}
    imported -= set(sys.stdlib_module_names) | {*ROOMS, "app", "benchmarks", "docs", "tests"}
    named = wanted("requirements.in") | wanted(asked)
    assert not [name for name in imported if not named & {plain(package) for package in known.get(name, ())}]


@pytest.mark.parametrize("name", ["requirements", "requirements-dev", "requirements-node"])
def test_every_package_is_pinned_with_hashes(name: str) -> None:
    text = (ROOT / f"{name}.txt").read_text()
    entries = re.split(r"\n(?=[a-z0-9])", text.partition("\n")[2])
    assert wanted(f"{name}.in") <= pinned(f"{name}.txt").keys()
    assert not [entry for entry in entries if entry[:1].isalnum() and "--hash=sha256:" not in entry]
    assert "make lock" in text, "the file says how it was made"
    assert not re.search(r"file:|://|--(extra-)?index|--find-links", text)


def test_tests_run_on_the_versions_the_app_runs_on() -> None:
    app, tests = pinned("requirements.txt"), pinned("requirements-dev.txt")
    assert {name: tests.get(name) for name in app} == app


def test_the_maps_scripts_are_locked_without_addresses() -> None:
    lock = (ROOT / "package-lock.json").read_text()
    assert '"resolved"' not in lock
    assert lock.count('"integrity"') == lock.count('"node_modules/')


# What is written about it -----------------------------------------------------------------------------------


def test_the_readme_names_every_setting_and_no_other() -> None:
    code = chain(text_files(SHIPPED), text_files(sorted((ROOT / "tests").rglob("conftest.py"))))
    used = {name for _, text in code for name in re.findall(r"\bZHENDI_[A-Z_]+[A-Z]\b", text)}
    told = set(re.findall(r"\bZHENDI_[A-Z_]+[A-Z]\b", README.read_text(encoding="utf-8")))
    assert used == told


def test_the_readme_points_at_things_that_are_there() -> None:
    text = README.read_text(encoding="utf-8")
    targets = re.findall(r"\]\(([^)#:]+)\)", text)
    assert targets and not [target for target in targets if not (ROOT / target).exists()]
    made = set(re.findall(r"^([a-z-]+):", (ROOT / "Makefile").read_text(), re.M))
    assert set(re.findall(r"`make ([a-z-]+)", text)) <= made


def test_the_readmes_commands_are_the_command_lines() -> None:
    text = README.read_text(encoding="utf-8") + (ROOT / "CONTRIBUTING.md").read_text(encoding="utf-8")
    known = getattr(get_command(app), "commands", {})
    told = re.findall(r"python -m data ([a-z]+)(?: ([a-z]+)\b)?.*?((?: --[a-z-]+[^`\n]*)?)[`\n]", text)
    assert len(told) > 3
    for name, sub, rest in told:
        command = known[name]
        command = getattr(command, "commands", {}).get(sub, command)
        options = {option for parameter in command.params for option in parameter.opts}
        assert set(re.findall(r"--[a-z-]+", rest)) <= options, name
