"""A folder of results, with its tables."""
from __future__ import annotations

import csv
import html
import json
import shutil
import tempfile
import weakref
from pathlib import Path
from typing import TYPE_CHECKING, Any, Optional, Union, cast

import numpy as np

if TYPE_CHECKING:
    import pandas

PathLike = Union[str, Path]


def read_table(path: Path) -> pandas.DataFrame:
    """A CSV file as a pandas DataFrame, or as a numpy record array where there is no pandas."""
    try:
        import pandas
    except ImportError:
        with open(path, newline="", encoding="utf-8") as file:
            header, *rows = csv.reader(file)
        columns = [_numbers([row[place] for row in rows]) for place in range(len(header))]
        records: Any = np.rec.fromarrays(columns, names=",".join(header))  # type: ignore[call-overload]
        return cast("pandas.DataFrame", records)
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
        #: The folder.
        self.folder = Path(tempfile.mkdtemp(prefix="headlamp-") if folder is None else folder).absolute()
        self.folder.mkdir(parents=True, exist_ok=True)
        if folder is None:
            weakref.finalize(self, shutil.rmtree, self.folder, ignore_errors=True)
        #: What the command printed.
        self.text = ""

    def table(self, name: str) -> pandas.DataFrame:
        """A table by its name, such as ``"heads"``; without pandas, a numpy record array."""
        path = self.folder / f"{name}.csv"
        if not path.exists():
            there = ", ".join(self.tables) or "none"
            raise FileNotFoundError(f"this result has no table {name!r}; there are: {there}")
        return read_table(path)

    @property
    def tables(self) -> list[str]:
        """The names of the tables that there are."""
        return sorted(path.stem for path in self.folder.glob("*.csv"))

    @property
    def summary(self) -> dict[str, Any]:
        """What was done with what, and how well."""
        with open(self.folder / "summary.json", encoding="utf-8") as file:
            summary: dict[str, Any] = json.load(file)
        return summary

    @property
    def report(self) -> str:
        """The page about the result, as HTML."""
        return (self.folder / "report.html").read_text(encoding="utf-8")

    def _repr_html_(self) -> Optional[str]:
        if not (self.folder / "report.html").exists():
            return None
        page = html.escape(self.report, quote=True)
        return f'<iframe srcdoc="{page}" style="width:100%;height:40rem;border:1px solid #888"></iframe>'

    def __repr__(self) -> str:
        return self.text or f"<results in {self.folder}>"
