"""The package as teams get it: built, installed where nothing else is, started."""

import os
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest
import wuzhen_client
from django.conf import settings

PACKAGE = Path(settings.BASE_DIR) / "client"


def test_the_version_is_told_once_and_the_same():
    project = tomllib.loads((PACKAGE / "pyproject.toml").read_text("utf-8"))["project"]
    assert project["version"] == wuzhen_client.__version__
    assert project["scripts"] == {"wuzhen": "wuzhen_client.cli:run"}


@pytest.mark.stack
def test_a_wheel_is_built_installed_and_runs(tmp_path):
    """Needs the package index for the build backend and the dependencies."""
    env = {
        name: value
        for name, value in os.environ.items()
        if not name.startswith(("PYTHON", "VIRTUAL_ENV", "WUZHEN_", "LC_", "LANG"))
    }

    def run(*command) -> str:
        done = subprocess.run(
            list(map(str, command)), cwd=tmp_path, env=env, capture_output=True, timeout=600,
            encoding="utf-8",
        )  # fmt: skip
        assert done.returncode == 0, f"{command}\n{done.stdout}\n{done.stderr}"
        return done.stdout

    run(sys.executable, "-m", "venv", tmp_path / "venv")
    programs = tmp_path / "venv" / ("Scripts" if os.name == "nt" else "bin")
    python = programs / "python"
    run(python, "-m", "pip", "wheel", "--no-deps", "--wheel-dir", tmp_path / "wheels", PACKAGE)
    (wheel,) = (tmp_path / "wheels").glob("wuzhen_client-*.whl")
    run(python, "-m", "pip", "install", wheel)
    assert "Sign in to a platform" in run(programs / "wuzhen", "--help")
    assert "登录平台" in run(programs / "wuzhen", "--help", "--lang", "zh")
    assert run(python, "-m", "wuzhen_client", "--version").split() == [
        "wuzhen-client", wuzhen_client.__version__,
    ]  # fmt: skip
