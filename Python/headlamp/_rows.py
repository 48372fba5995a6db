"""Rows that come back from the command, in the types of the table they came from."""
from __future__ import annotations

import csv
import io
from typing import Any, Optional, Sequence

import numpy as np


def is_frame(table: Any) -> bool:
    """Whether the table is a pandas DataFrame."""
    return hasattr(table, "to_csv") and hasattr(table, "columns")


def feature_frame(table: Any, target: Optional[str]) -> Any:
    """The table without its target; None where it is no DataFrame."""
    if not is_frame(table):
        return None
    return table[[name for name in table.columns if str(name) != target]]


def word_columns(table: Any) -> list[str]:
    """The columns whose type is neither a number nor a date: what looks like a number there is a name."""
    return [str(name) for name in table.columns if _holds_words(table[name].dtype)]


def _holds_words(dtype: Any) -> bool:
    from pandas.api import types

    return types.is_bool_dtype(dtype) or not (
        types.is_numeric_dtype(dtype) or types.is_datetime64_any_dtype(dtype))


class RowReader:
    """Reads the command's CSV as the table's own columns: names, order, categories, truth values, dates."""

    def __init__(self, features: Any, order: Sequence[Any]) -> None:
        """
        :param features: the features as a DataFrame, or None.
        :param order: the columns that the model wants, in its order; all, as they come, where it is empty.
        """
        self._features = features
        self._order = list(order)

    def frame(self, text: str) -> Any:
        """A DataFrame; a list of lists where there is no pandas."""
        try:
            import pandas
        except ImportError:
            return [row for row in csv.reader(io.StringIO(text))][1:]
        if self._features is None:
            rows = pandas.read_csv(io.StringIO(text))
        else:
            read = pandas.read_csv(io.StringIO(text), dtype=str, keep_default_na=False)
            rows = pandas.DataFrame({
                name: self._column(read[str(name)], self._features[name])
                for name in self._features.columns if str(name) in read.columns})
        if not self._order:
            return rows
        names = {str(name): name for name in rows.columns}
        missing = [str(name) for name in self._order if str(name) not in names]
        if missing:
            raise ValueError(f"the model needs the column {missing[0]!r}, which the table lacks")
        return rows[[names[str(name)] for name in self._order]]

    def array(self, text: str) -> Any:
        """The same as an array."""
        rows = self.frame(text)
        return rows.to_numpy() if hasattr(rows, "to_numpy") else rows

    @staticmethod
    def _column(cells: Any, like: Any) -> Any:
        import pandas

        dtype = like.dtype
        blank = cells == ""
        if _holds_words(dtype):
            values = like.cat.categories if isinstance(dtype, pandas.CategoricalDtype) else like.dropna().unique()
            by_text = {str(value): value for value in values}
            by_number: dict[Optional[float], Any] = {number: value for value in values if (number := _number(str(value))) is not None}
            back = [
                None if empty else by_text.get(cell, by_number.get(_number(cell), cell))
                for cell, empty in zip(cells, blank)]
            known = pandas.Series(back, index=cells.index, dtype=object)
            try:
                return known.astype(dtype)
            except (TypeError, ValueError):
                return known
        if pandas.api.types.is_datetime64_any_dtype(dtype):
            return pandas.to_datetime(cells.mask(blank), format="ISO8601").astype(dtype)
        numbers = pandas.to_numeric(cells.mask(blank))
        if pandas.api.types.is_integer_dtype(dtype) and not (
            numbers.notna().all() and np.all(numbers == np.floor(numbers))
        ):
            # A changed cell may hold a value between the table's own.
            return numbers.astype(float)
        return numbers.astype(dtype)


def _number(text: str) -> Optional[float]:
    if text in ("True", "False"):
        return float(text == "True")
    try:
        return float(text)
    except ValueError:
        return None
