"""The examples of docs/testing.md run as they are: in an empty folder, against the built package."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
GUIDE = ROOT / "docs" / "testing.md"
COUNTER = ROOT / "actors" / "counter" / "counter.wasm"
ANYIO = """
import sys
sys.modules["pytest_asyncio"] = None  # as if it were not installed
import pytest
pytest_plugins = ["actorhost.testing.plugin"]

@pytest.fixture
def anyio_backend():
    return "asyncio"
"""
MISUSED = """
import pytest
from actorhost.errors import InvalidInput

async def test_a_manifest_that_is_not_there(actorhost_host):
    with pytest.raises(InvalidInput, match="cannot read manifest .*none.yaml") as caught:
        await actorhost_host.deploy_file("none.yaml")
    assert "relative to pytest's root" in caught.value.hint

@pytest.mark.parametrize("name", [
    pytest.param("memory"), pytest.param("nats", marks=pytest.mark.actorhost(nats=True)),
])
async def test_a_client_reaches_it(actorhost_host, name):
    await actorhost_host.deploy_file("counter.yaml")
    assert bool(actorhost_host.url) == (name == "nats")
    async with actorhost_host.client() as client:
        assert await client.ask("counter", "Increment") == bytes([1])
"""


def examples() -> dict[str, str]:
    """Return the files on the page, by name."""
    found = re.findall(r"^```\w+ file=(\S+)\n(.*?)^```$", GUIDE.read_text("utf-8"), re.MULTILINE | re.DOTALL)
    return dict(found)


def run(*command: str, cwd: Path, package: Path) -> str:
    """Return what a Python program prints that finds the package in `package` and must succeed."""
    variables = {name: text for name, text in os.environ.items() if not name.startswith("PYTEST")}
    variables["PYTHONPATH"] = str(package)
    done = subprocess.run(
        [sys.executable, "-P", *command],
        cwd=cwd, env=variables, capture_output=True, text=True, timeout=120, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


@pytest.fixture(scope="module")
def package(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Build the wheel and return the folder with what it installs."""
    folder = tmp_path_factory.mktemp("package")
    build = ("-m", "hatchling", "build", "--target", "wheel", "--directory", str(folder / "built"))
    run(*build, cwd=ROOT, package=folder)
    (wheel,) = (folder / "built").glob("*.whl")
    zipfile.ZipFile(wheel).extractall(folder / "site")
    return folder / "site"


@pytest.fixture
def project(tmp_path: Path, package: Path) -> Path:
    """Return a folder with the page's examples and the module they need."""
    for name, text in examples().items():
        (tmp_path / name).write_text(text, encoding="utf-8")
    shutil.copy(COUNTER, tmp_path)
    where = run("-c", "import actorhost; print(actorhost.__file__)", cwd=tmp_path, package=package)
    assert Path(where.strip()).is_relative_to(package)
    return tmp_path


def checked(project: Path, package: Path, *arguments: str) -> str:
    return run(
        *("-m", "pytest", "-W", "error", "-p", "no:cacheprovider", "-q", *arguments),
        cwd=project,
        package=package,
    )


def test_the_examples_of_the_guide_pass(project: Path, package: Path) -> None:
    assert set(examples()) >= {"conftest.py", "pytest.ini", "counter.yaml", "test_counter.py"}
    assert "7 passed" in checked(project, package)


def test_the_fixture_without_and_with_a_server(project: Path, package: Path) -> None:
    (project / "test_more.py").write_text(MISUSED, encoding="utf-8")
    assert "3 passed" in checked(project, package, "test_more.py")


def test_the_fixture_needs_no_pytest_asyncio(project: Path, package: Path) -> None:
    (project / "conftest.py").write_text(ANYIO, encoding="utf-8")
    (project / "pytest.ini").write_text("[pytest]\n", encoding="utf-8")
    test = project / "test_counter.py"
    test.write_text(f"import pytest\npytestmark = pytest.mark.anyio\n{test.read_text('utf-8')}", "utf-8")
    assert "1 passed" in checked(project, package, "-p", "no:asyncio", "test_counter.py")


def test_nothing_but_the_plugin_imports_pytest(project: Path, package: Path) -> None:
    program = (
        "import sys, actorhost.host, actorhost.testing, actorhost.cli.main; print('pytest' in sys.modules)"
    )
    assert run("-c", program, cwd=project, package=package).strip() == "False"
