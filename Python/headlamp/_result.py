"""A folder of results, with its tables."""
from __future__ import annotations

import csv
import html
import json
import tempfile
from pathlib import Path
from typing import Any, Optional, Union

import numpy as np

PathLike = Union[str, "Path"]


def read_table(path: Path) -> Any:
    """A CSV file as a pandas DataFrame, or as a numpy record array where there is no pandas."""
    try:
        import pandas
    except ImportError:
        with open(path, newline="", encoding="utf-8") as file:
            rows = list(csv.reader(file))
        columns = [_numbers([row[place] for row in rows[1:]]) for place in range(len(rows[0]))]
        return np.rec.fromarrays(columns, names=rows[0])
    return pandas.read_csv(path)


def _numbers(cells: list[str]) -> np.ndarray:
    for kind in (int, float):
        try:
            return np.array([kind(cell) for cell in cells])
        except ValueError:
            continue
    return np.array(cells)


class Result:
    """What a command wrote to a folder. A folder of its own is removed with the object; a named one stays."""

    def __init__(self, folder: Optional[PathLike]) -> None:
        self._own = None if folder is not None else tempfile.TemporaryDirectory(prefix="headlamp-")
        #: The folder.
        self.folder = Path(folder if folder is not None else self._own.name)  # type: ignore[union-attr]
        #: What the command printed.
        self.text = ""

    def table(self, name: str) -> Any:
        """A table by its name, such as ``"heads"``."""
        return read_table(self.folder / f"{name}.csv")

    @property
    def tables(self) -> list[str]:
        """The names of the tables that there are."""
        return sorted(path.stem for path in self.folder.glob("*.csv"))

    @property
    def summary(self) -> dict[str, Any]:
        """What was done with what, and how well."""
        with open(self.folder / "summary.json", encoding="utf-8") as file:
            return json.load(file)

    @property
    def report(self) -> str:
        """The page about the result, as HTML."""
        return (self.folder / "report.html").read_text(encoding="utf-8")

    def _repr_html_(self) -> str:
        page = html.escape(self.report, quote=True)
        return f'<iframe srcdoc="{page}" style="width:100%;height:40rem;border:1px solid #888"></iframe>'

    def __repr__(self) -> str:
        return self.text or f"<results in {self.folder}>"
