"""How a model reaches the command: as a file that the command reads exactly, or by being asked."""
from __future__ import annotations

import contextlib
import csv
from pathlib import Path
from typing import Any, Callable, Iterator, Optional, Sequence

import numpy as np

from ._answering import Answering
from ._command import HeadlampError, run, words
from ._rows import RowReader, feature_frame, is_frame, word_columns

#: How far the command's reading of a model file may be from the model itself: float32 sums differ by less.
TOLERANCE = 1e-4


class BlackBox:
    """A model in this process, and what the command has to know about it."""

    def __init__(self, model: Any, table: Any, target: Optional[str], classes: Optional[Sequence[Any]]) -> None:
        self._model = model
        self._table = table
        self._target = target
        self._names = _feature_names(model)
        own = getattr(model, "classes_", None)
        own = [] if own is None else list(np.asarray(own).ravel())
        self.kind = _kind(model)
        self.classes: list[Any] = list(classes) if classes is not None else own
        self._labels = own or self.classes

    @contextlib.contextmanager
    def options(self, folder: Path, path: Path) -> Iterator[dict[str, Any]]:
        """The options of ``headlamp explain`` that hand the model over.

        :param folder: where a model file may be written.
        :param path: the table as the command reads it.
        """
        about = self._about()
        file = _model_file(self._model, folder)
        if file is not None:
            # Some files name their classes, and others have to be told.
            for classes in ([None, self.classes] if self.classes else [None]):
                handed = {"black_box": file, "classes": classes, **about}
                if self._agrees(handed, folder, path):
                    yield handed
                    return
            file.unlink()
        known = self.classes or self._target_classes()
        with Answering(self._reader(), self._answers(known), [str(name) for name in known]) as answering:
            try:
                yield {"black_box_command": answering.command, **about}
            except HeadlampError as error:
                failure = answering.failure
                if failure is None:
                    raise
                said = " ".join(str(failure).split())
                line = f"the black box failed: {type(failure).__name__}: {said}"
                raise HeadlampError(line, error.exit_code) from failure

    def _about(self) -> dict[str, Any]:
        about: dict[str, Any] = {}
        if self.kind is not None:
            about["task"] = self.kind
        if is_frame(self._table):
            columns = [str(name) for name in self._table.columns if str(name) != self._target]
            names = [str(name) for name in self._names] if self._names else columns
            # A name with a quote in it cannot be told to the command.
            columns, names = ([name for name in some if '"' not in name] for some in (columns, names))
            # A model is asked with all its columns, also with those that look like row numbers or identifiers.
            named = word_columns(self._table)
            about["header"] = "names"
            about["keep"] = [name for name in names if name in columns] or None
            about["exclude"] = [name for name in columns if name not in names] or None
            about["categorical"] = [name for name in names if name in named] or None
            # Most of these columns would be read so anyway.
            about["as_declared"] = True if about["keep"] or about["categorical"] else None
        return about

    def _target_classes(self) -> list[Any]:
        if self.kind == "regression" or not is_frame(self._table) or self._target not in self._table.columns:
            return []
        values = self._table[self._target].dropna()
        if self.kind is None and getattr(values.dtype, "kind", "O") == "f":
            return []
        distinct = sorted(set(values), key=lambda value: (str(type(value)), value))
        # A callable's answers say whether it names classes or gives a quantity; see ``_answers``.
        return distinct if self.kind == "classification" or len(distinct) <= 100 else []

    def _reader(self) -> Callable[[str], Any]:
        reader = RowReader(feature_frame(self._table, self._target), self._names)
        if self._names or not hasattr(self._model, "fit"):
            return reader.frame
        # An estimator fitted to an array warns where it is given names.
        return reader.array

    def _answers(self, classes: list[Any]) -> Callable[[Any], np.ndarray]:
        predict, labels = _predictor(self._model), self._labels or classes

        def answers(rows: Any) -> np.ndarray:
            given = np.asarray(predict(rows))
            if classes and given.ndim == 1 and _are_labels(given, labels, self.kind, hasattr(self._model, "fit")):
                place = {str(name): index for index, name in enumerate(labels)}
                unknown = next((value for value in given if str(value) not in place), None)
                if unknown is not None:
                    raise ValueError(f"the model answers {str(unknown)!r}, which is no class")
                return np.eye(len(labels))[[place[str(value)] for value in given]]
            numbers = np.asarray(given, dtype=float)
            if numbers.ndim == 1:
                numbers = numbers[:, None]
            if len(classes) == 2 and numbers.shape[1] == 1:
                numbers = np.hstack([1 - numbers, numbers])
            if classes and numbers.shape[1] != len(classes):
                named = ", ".join(str(name) for name in classes[:6]) + (", …" if len(classes) > 6 else "")
                raise ValueError(
                    f"the model gives {numbers.shape[1]} numbers a row for {len(classes)} classes ({named})")
            return numbers

        return answers

    def _agrees(self, handed: dict[str, Any], folder: Path, path: Path) -> bool:
        """Whether the command reads the model file as the model itself computes, on the table at hand."""
        if not is_frame(self._table):
            return True
        checked = folder / "black-box-check.csv"
        options = {name: value for name, value in handed.items() if name != "task"}
        try:
            run(["predict", str(path), *words({**options, "target": self._target, "output": checked})], progress=False)
            ours = self._answers(self.classes)(
                self._reader()(feature_frame(self._table, self._target).to_csv(index=False)))
            with open(checked, newline="", encoding="utf-8") as file:
                header, *rows = csv.reader(file)
            outputs = ours.shape[1]
            if self.classes and header[-outputs:] != [f"probability_{name}" for name in self.classes]:
                return False
            said = np.array([[float(cell) for cell in row[-outputs:]] for row in rows])
        except Exception:  # Whatever is wrong with either is said where the model is asked.
            return False
        finally:
            checked.unlink(missing_ok=True)
        if said.shape != ours.shape:
            return False
        scale = 1 if outputs > 1 else max(1.0, float(np.abs(ours).max(initial=0)))
        return bool(np.all(np.abs(said - ours) <= TOLERANCE * scale))


def _are_labels(given: np.ndarray, labels: list[Any], kind: Optional[str], is_estimator: bool) -> bool:
    """Whether a one-dimensional answer names classes rather than giving a probability."""
    if given.dtype.kind in "OUS":
        return True
    if is_estimator or given.dtype.kind in "iub":
        names = {str(name) for name in labels}
        return kind != "regression" and all(str(value) in names for value in given[:100])
    return False


def _kind(model: Any) -> Optional[str]:
    """``classification`` or ``regression``, where the model says."""
    try:
        from sklearn.base import is_classifier, is_regressor

        if is_classifier(model):
            return "classification"
        if is_regressor(model):
            return "regression"
    except (ImportError, AttributeError, TypeError):
        pass
    return "classification" if hasattr(model, "predict_proba") else None


def _feature_names(model: Any) -> list[Any]:
    """The columns that the model was fitted to, in their order, where it says."""
    for owner, name in ((model, "feature_names_in_"), (model, "feature_names_"), (model, "feature_names")):
        try:
            names = getattr(owner, name, None)
        except Exception:  # XGBoost raises its own error for a model that was fitted to an array.
            continue
        if names is not None and not callable(names) and len(names):
            named = [str(item) for item in names]
            # CatBoost and LightGBM call the columns of an array by their numbers.
            if named not in ([str(place) for place in range(len(named))], [f"Column_{place}" for place in range(len(named))]):
                return list(names)
    names = getattr(model, "feature_name", None)
    if callable(names) and _origin(model) == "lightgbm":
        named = list(names())
        return [] if named == [f"Column_{place}" for place in range(len(named))] else named
    return []


def _origin(model: Any) -> str:
    return type(model).__module__.split(".")[0]


def _model_file(model: Any, folder: Path) -> Optional[Path]:
    """The model as a file that the command reads; None for one that it has to ask."""
    origin = _origin(model)
    try:
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
    except Exception:  # Some models of these libraries cannot be saved so; they are asked.
        return None
    return None


def _predictor(model: Any) -> Callable[[Any], Any]:
    if _origin(model) == "xgboost" and not hasattr(model, "get_booster"):
        import xgboost

        return lambda rows: model.predict(xgboost.DMatrix(rows, enable_categorical=True))
    if _origin(model) == "catboost" and not hasattr(model, "predict_proba") and _kind(model) is None:
        return lambda rows: model.predict(rows, prediction_type="Probability") if getattr(
            model, "classes_", np.zeros(0)).size else model.predict(rows)
    for name in ("predict_proba", "predict"):
        # Support vectors without probabilities hide the method; the attribute is then missing.
        if hasattr(model, name):
            return getattr(model, name)  # type: ignore[no-any-return]
    if callable(model):
        return model  # type: ignore[no-any-return]
    raise TypeError(f"{type(model).__name__} is neither a model with predict_proba or predict nor callable")
