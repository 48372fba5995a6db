"""The package's own types, and how they look to its users."""
import os
import subprocess
import sys
from pathlib import Path

import pytest

import headlamp

pytest.importorskip("mypy")

USE = '''
import headlamp
import pandas
found = headlamp.discover("ioi", model="folder", examples=3, least_share=0.1)
reveal_type(found)
reveal_type(found.heads)
reveal_type(found.head_outputs)
why = headlamp.explain(pandas.DataFrame(), "target", black_box=len, rows=[1])
reveal_type(why.counterfactuals)
headlamp.discover(3)
'''


def check(folder, *arguments):
    """What mypy says, run in a folder of its own."""
    home = Path(headlamp.__file__).parents[1]
    environment = dict(os.environ) if home.name == "site-packages" else {**os.environ, "MYPYPATH": str(home)}
    return subprocess.run(
        [sys.executable, "-m", "mypy", "--no-error-summary", *arguments], capture_output=True, text=True, cwd=folder,
        env=environment).stdout


def test_the_package_is_typed_throughout(tmp_path):
    assert check(tmp_path, "--strict", "--ignore-missing-imports", "-p", "headlamp") == ""


def test_types_reach_the_user(tmp_path):
    (tmp_path / "use.py").write_text(USE)
    said = check(tmp_path, "use.py")
    for expected in ("_discover.Discovery", "DataFrame", "ndarray", 'Argument 1 to "discover" has incompatible type "int"'):
        assert expected in said
