"""The house rules that a machine can check: sizes, names, layers, pins, and documents that keep up with the code."""

import ast
import re
import subprocess
import tomllib
from pathlib import Path

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

from farebox.core.settings import PREFIX, Settings

ROOT = Path(__file__).parent.parent
SOURCES = sorted((ROOT / "src").rglob("*.py")) + sorted((ROOT / "benchmarks").rglob("*.py"))
MIGRATIONS = ROOT / "src/farebox/migrations/versions"  # made by a program, once, and never read again
READ_BY_PEOPLE = [path for path in SOURCES if not path.is_relative_to(MIGRATIONS)]
MAX_FILE_LINES = 400
MAX_FUNCTION_LINES = 70
ATTIC_NAMES = {"utils", "util", "helpers", "helper", "common", "misc", "shared", "lib", "base", "tools"}

# Built from parts, so that this file does not find itself.
FOREIGN = [
    re.compile(pattern)
    for pattern in (
        r"pypi" + r"\.org",
        r"python" + r"hosted",
        r"registry\." + r"npmjs",
        r"deb\." + r"debian",
        r"file:///" + r"opt",
    )
]
LEFTOVERS = re.compile(r"\b(" + "|".join(["TO" + "DO", "FIX" + "ME", "X" + "XX"]) + r")\b")


def test_no_file_is_longer_than_400_lines():
    too_long = {
        str(path.relative_to(ROOT)): lines
        for path in READ_BY_PEOPLE
        if (lines := len(path.read_text().splitlines())) > MAX_FILE_LINES
    }
    assert too_long == {}


def test_no_function_is_longer_than_70_lines():
    too_long = {
        f"{path.relative_to(ROOT)}:{node.lineno} {node.name}": lines
        for path in READ_BY_PEOPLE
        for node in ast.walk(ast.parse(path.read_text()))
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)
        and (lines := (node.end_lineno or 0) - node.lineno + 1) > MAX_FUNCTION_LINES
    }
    assert too_long == {}


def test_no_module_is_an_attic():
    assert [str(path) for path in SOURCES if path.stem in ATTIC_NAMES or path.parent.name in ATTIC_NAMES] == []


def test_layers_and_faces_hold():
    from importlinter.cli import lint_imports

    assert lint_imports(config_filename=str(ROOT / "pyproject.toml"), no_cache=True) == 0


def test_nothing_of_a_registry_or_of_one_machine_is_in_the_repository():
    found = {
        f"{path.relative_to(ROOT)}:{number}"
        for path in tracked_texts()
        for number, line in enumerate(path.read_text(errors="replace").splitlines(), 1)
        if any(pattern.search(line) for pattern in FOREIGN)
    }
    assert found == set()


def test_nothing_is_left_for_later():
    found = [str(path.relative_to(ROOT)) for path in SOURCES if LEFTOVERS.search(path.read_text())]
    assert found == []


@pytest.mark.parametrize(
    ("file", "declared"), [("base.txt", "runtime"), ("dev.txt", "development"), ("bench.txt", "measuring")]
)
def test_the_pinned_requirements_hold_what_is_declared(file, declared):
    pins = dict(
        re.findall(r"^([a-z0-9._-]+)(?:\[[a-z,]+\])?==(\S+)", (ROOT / "requirements" / file).read_text(), re.MULTILINE)
    )
    for requirement in declared_requirements(declared):
        name = canonicalize_name(requirement.name)
        assert name in pins, f"{name} is missing: run `make requirements`"
        assert requirement.specifier.contains(pins[name]), f"{name} {pins[name]}: run `make requirements`"


def test_every_requirement_is_pinned_by_hash():
    for path in (ROOT / "requirements").glob("*.txt"):
        blocks = re.split(r"\n(?=[a-z0-9])", path.read_text())
        assert [block.splitlines()[0] for block in blocks if block.strip() and "--hash=sha256:" not in block] == []


def test_every_dependency_has_its_line_in_the_decision_about_dependencies():
    document = (ROOT / "docs/decisions/0002-dependencies.md").read_text().lower()
    kinds = ("runtime", "telemetry", "development", "measuring")
    names = {r.name.lower() for kind in kinds for r in declared_requirements(kind)}
    assert sorted(name for name in names if f"`{name}" not in document) == []


def test_every_setting_is_in_the_operators_guide():
    document = (ROOT / "docs/guides/operate.md").read_text()
    missing = [name for name in Settings.__struct_fields__ if f"`{PREFIX}{name.upper()}`" not in document]
    assert missing == []


def test_the_version_is_the_same_everywhere():
    from farebox import __version__

    assert project()["version"] == __version__
    assert f"## {__version__}" in (ROOT / "CHANGELOG.md").read_text()


def project():
    return tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]


def declared_requirements(kind):
    document = tomllib.loads((ROOT / "pyproject.toml").read_text())
    lines = {
        "runtime": document["project"]["dependencies"],
        "telemetry": document["project"]["optional-dependencies"]["telemetry"],
        "development": document["dependency-groups"]["dev"],
        "measuring": document["dependency-groups"]["bench"],
    }[kind]
    return [Requirement(line) for line in lines]


def tracked_texts():
    listed = subprocess.run(["git", "ls-files", "-z"], cwd=ROOT, capture_output=True, check=False)
    if listed.returncode:
        pytest.skip("not a git checkout: nothing says which files belong to the repository")
    names = listed.stdout.decode().split("\0")
    suffixes = {".png", ".ttf", ".otf", ".woff2", ".ico", ".zip", ".pdf"}
    return [ROOT / name for name in names if name and Path(name).suffix not in suffixes and (ROOT / name).is_file()]
