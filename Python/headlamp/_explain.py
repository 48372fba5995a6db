"""Why did this black box say that?"""
from __future__ import annotations

import contextlib
import csv
import shlex
import sys
from pathlib import Path
from typing import Any, Callable, Iterator, Optional, Sequence, Union

from ._command import run, words
from ._result import PathLike, Result
from ._serve import Answering


class Explanation(Result):
    """Predictions explained: importance, rules and counterfactuals."""

    @property
    def importance(self) -> Any:
        """The features, the most important first."""
        return self.table("importance")

    @property
    def rules(self) -> Any:
        """Global rules with their quality."""
        return self.table("rules")

    @property
    def explanations(self) -> Any:
        """A line for each explained row."""
        return self.table("explanations")

    @property
    def counterfactuals(self) -> Any:
        """A line for each changed cell."""
        return self.table("counterfactuals")


def explain(
    table: Any, target: Optional[str] = None, *, black_box: Any = None, rows: Optional[Sequence[int]] = None,
    classes: Optional[Sequence[str]] = None, seed: int = 0, output: Optional[PathLike] = None, progress: bool = True,
    **options: Any,
) -> Explanation:
    """Explains a black box's predictions on a table.

    :param table: a pandas DataFrame, or the path of a CSV file.
    :param target: the column that is predicted.
    :param black_box: nothing, for one of the command's own; the path of a model file or the name of a kind; an XGBoost,
        LightGBM or CatBoost model, which is handed over as its file; any scikit-learn estimator or callable, which is
        asked for its predictions of rows in a DataFrame (or, without pandas, in a list of lists).
    :param rows: the rows to explain, counted from 1 as the command counts them; the first held-out one unless given.
    :param classes: the classes in the order of the black box's outputs, where it does not say.
    :param options: any other option of ``headlamp explain``, with underscores: ``top=5``.
    :raises HeadlampError: with the command's own line.
    """
    result = Explanation(output)
    result.folder.mkdir(parents=True, exist_ok=True)
    path = Path(table) if isinstance(table, (str, Path)) else _write(table, result.folder / "table.csv")
    with _handed_over(black_box, result.folder, target, classes) as given:
        given.update(target=target, seed=seed, output=result.folder, **options)
        if rows is not None:
            given["rows"] = ",".join(str(row) for row in rows)
        result.text = run(["explain", str(path), *words(given)], progress=progress)
    return result


def _write(table: Any, path: Path) -> Path:
    if hasattr(table, "to_csv"):
        table.to_csv(path, index=False)
        return path
    with open(path, "w", newline="", encoding="utf-8") as file:
        csv.writer(file).writerows(table)
    return path


@contextlib.contextmanager
def _handed_over(
    black_box: Any, folder: Path, target: Optional[str], classes: Optional[Sequence[str]]
) -> Iterator[dict[str, Any]]:
    named = {"classes": list(classes)} if classes is not None else {}
    if black_box is None:
        yield {}
        return
    if isinstance(black_box, (str, Path)):
        yield {"black_box": black_box, **named}
        return
    known = list(getattr(black_box, "classes_", [])) if classes is None else list(classes)
    file = _model_file(black_box, folder)
    if file is not None:
        yield {"black_box": file, **({"classes": known} if known else named)}
        return
    with Answering(_predictor(black_box), known) as address:
        command = [sys.executable, "-m", "headlamp._serve", address]
        yield {"black_box_command": shlex.join(command)}


def _model_file(model: Any, folder: Path) -> Optional[Path]:
    """The model as a file that the command reads exactly; None for one that it has to ask."""
    origin = type(model).__module__.split(".")[0]
    if origin == "xgboost":
        path = folder / "black-box.json"
        (model.get_booster() if hasattr(model, "get_booster") else model).save_model(str(path))
        return path
    if origin == "lightgbm":
        path = folder / "black-box.txt"
        (model.booster_ if hasattr(model, "booster_") else model).save_model(str(path))
        return path
    if origin == "catboost":
        path = folder / "black-box.json"
        model.save_model(str(path), format="json")
        return path
    return None


def _predictor(model: Any) -> Callable[[Any], Any]:
    for name in ("predict_proba", "predict"):
        if hasattr(model, name):
            return getattr(model, name)
    if callable(model):
        return model
    raise TypeError(f"{type(model).__name__} is neither a model with predict_proba or predict nor callable")
