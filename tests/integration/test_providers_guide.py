"""The provider of docs/providers.md works as shown: installed, found by name, tested in both places."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
GUIDE = ROOT / "docs" / "providers.md"
KNOWN = """
from actorhost.capability.registry import Registry
from actorhost.limits import Limits

print(Registry(Limits()).find("log-file", None).__module__)
"""


def examples() -> dict[str, str]:
    """Return the files on the page, by name."""
    found = re.findall(r"^```\w+ file=(\S+)\n(.*?)^```$", GUIDE.read_text("utf-8"), re.MULTILINE | re.DOTALL)
    return dict(found)


def run(*command: str, cwd: Path, site: Path) -> str:
    """Return what a Python program prints that finds what is installed in `site`, and must succeed."""
    variables = {name: text for name, text in os.environ.items() if not name.startswith("PYTEST")}
    variables["PYTHONPATH"] = os.pathsep.join(map(str, (site, ROOT, ROOT / "providers")))
    done = subprocess.run(
        [sys.executable, "-P", *command],
        cwd=cwd, env=variables, capture_output=True, text=True, timeout=120, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


@pytest.fixture
def project(tmp_path: Path) -> Path:
    """Return a folder with the ``project`` of the page, built and installed beside it in ``site``."""
    for name, text in examples().items():
        path = tmp_path / "project" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")
    site = tmp_path / "site"
    install = ("-m", "pip", "--disable-pip-version-check", "install", "--quiet", "--no-index", "--no-deps")
    where = ("--no-build-isolation", "--target", str(site), str(tmp_path / "project"))
    run(*install, *where, cwd=tmp_path, site=site)
    return tmp_path


def test_the_provider_of_the_guide_is_found_and_its_tests_pass(project: Path) -> None:
    assert len(examples()["log_file/__init__.py"].splitlines()) <= 40
    site, tests = project / "site", project / "project"
    assert run("-c", KNOWN, cwd=project, site=site).strip() == "log_file"
    command = ("-m", "pytest", "-W", "error", "-p", "no:cacheprovider", "-p", "no:randomly", "-q")
    assert "3 passed" in run(*command, cwd=tests, site=site)
