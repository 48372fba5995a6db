"""Why did this black box say that?"""
from __future__ import annotations

import contextlib
import csv
from pathlib import Path
from typing import TYPE_CHECKING, Any, Iterator, Optional, Sequence

from ._black_box import BlackBox
from ._command import HeadlampError, run, words
from ._result import PathLike, Result
from ._rows import is_frame

if TYPE_CHECKING:
    import pandas


class Explanation(Result):
    """Predictions explained: importance, rules and counterfactuals."""

    @property
    def importance(self) -> pandas.DataFrame:
        """The features, the most important first."""
        return self.table("importance")

    @property
    def rules(self) -> pandas.DataFrame:
        """Global rules with their quality on held-out rows."""
        return self.table("rules")

    @property
    def explanations(self) -> pandas.DataFrame:
        """A line for each explained row."""
        return self.table("explanations")

    @property
    def counterfactuals(self) -> pandas.DataFrame:
        """A line for each cell that a counterfactual changes."""
        return self.table("counterfactuals")


def explain(
    table: pandas.DataFrame | PathLike | Sequence[Sequence[object]], target: Optional[str] = None, *,
    black_box: Any = None, rows: Optional[Sequence[int]] = None, classes: Optional[Sequence[Any]] = None,
    seed: int = 0, output: Optional[PathLike] = None, progress: bool = True, **options: Any,
) -> Explanation:
    """Explains a black box's predictions on a table.

    :param table: a pandas DataFrame, the path of a table file, or rows of which the first holds the names.
    :param target: the column that is predicted; the last one unless given.
    :param black_box: nothing, for one of the command's own; the path of a model file, or the name of a kind such as
        ``"boosted"``; an estimator of scikit-learn, XGBoost, LightGBM or CatBoost; or any callable from a DataFrame to
        probabilities ``[row, class]``, to the probability of the second of two classes, to class labels, or to a
        quantity. A model that the command reads from its own file, with the same answers on this table, is handed
        over so; any other is asked while the command runs.
    :param rows: the rows to explain, counted from 1 as the command counts them; the first held-out one unless given.
    :param classes: the classes in the order of the black box's outputs, where it does not say.
    :param seed: what every random choice depends on.
    :param output: a folder to keep the results in.
    :param progress: whether what the command says while it works is shown.
    :param options: any other option of ``headlamp explain``, with underscores: ``top=5``.
    :raises HeadlampError: with the command's own line.
    """
    result = Explanation(output)
    if target is None and is_frame(table):
        target = str(table.columns[-1])  # type: ignore[union-attr]
    path = Path(table) if isinstance(table, (str, Path)) else _write(table, result.folder / "table.csv")
    with _handed_over(black_box, table, path, result.folder, target, classes) as given:
        if not isinstance(table, (str, Path)):
            given["header"] = "names"
        given = {**given, "target": target, "seed": seed, "output": result.folder, **options}
        if rows is not None:
            given["rows"] = [int(row) for row in rows]
        result.text = run(["explain", str(path), *words(given)], progress=progress)
    return result


def _write(table: Any, path: Path) -> Path:
    if is_frame(table):
        table.to_csv(path, index=False)
        return path
    with open(path, "w", newline="", encoding="utf-8") as file:
        csv.writer(file).writerows(table)
    return path


@contextlib.contextmanager
def _handed_over(
    black_box: Any, table: Any, path: Path, folder: Path, target: Optional[str], classes: Optional[Sequence[Any]]
) -> Iterator[dict[str, Any]]:
    if black_box is None or isinstance(black_box, (str, Path)):
        yield {"black_box": black_box, "classes": None if classes is None else list(classes)}
        return
    if isinstance(table, (str, Path)):
        with contextlib.suppress(ImportError):
            import pandas

            try:
                table = pandas.read_csv(path)
            except (OSError, ValueError) as error:
                raise HeadlampError(f"{path}: pandas cannot read it for the black box: {error}", 1) from error
    with BlackBox(black_box, table, target, classes).options(folder, path) as given:
        yield given
