"""Which paths carry it?"""
from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Any, Iterable, Mapping, Optional, Union

from ._command import run, words
from ._result import PathLike, Result

if TYPE_CHECKING:
    import pandas

Task = Union[str, Path, Iterable[Mapping[str, Any]]]


class Attribution(Result):
    """Scores of a model's heads, MLPs and edges."""

    @property
    def nodes(self) -> pandas.DataFrame:
        """Heads and MLPs with their scores and intervals."""
        return self.table("nodes")

    @property
    def edges(self) -> pandas.DataFrame:
        """Every edge with its score, for methods that score edges; negative where the answer would suffer."""
        return self.table("edges")

    @property
    def circuit(self) -> dict[str, Any]:
        """The circuit in the format that EAP-IG and MIB read."""
        with open(self.folder / "circuit.json", encoding="utf-8") as file:
            circuit: dict[str, Any] = json.load(file)
        return circuit


def attribute(
    task: Task, model: Optional[PathLike] = None, *, method: str = "eap-ig-inputs", examples: Optional[int] = None,
    seed: int = 0, replace: Optional[str] = None, output: Optional[PathLike] = None, progress: bool = True,
    **options: Any,
) -> Attribution:
    """Scores every head, MLP and edge by one of the methods that ``headlamp methods`` lists.

    :param task: as for :func:`headlamp.discover`.
    :param model: the model's folder; the bundled model unless given.
    :param method: the method's name.
    :param examples: positive prompts to use.
    :param replace: what stands in for a value: ``"pair"``, ``"mean"``, ``"zero"``, ``"resample"``.
    :param options: any other option of ``headlamp attribute``, with underscores: ``keep=0.05``.
    :raises HeadlampError: with the command's own line.
    """
    result = Attribution(output)
    given = words({
        "model": model, "method": method, "examples": examples, "seed": seed, "replace": replace,
        "output": result.folder, **options})
    result.text = run(["attribute", task_argument(task, result.folder), *given], progress=progress)
    return result


def task_argument(task: Task, folder: Path) -> str:
    """The task as the command takes it: prompts are written to a file in the folder."""
    if isinstance(task, (str, Path)):
        return str(task)
    prompts = folder / "prompts.jsonl"
    prompts.write_text("".join(json.dumps(dict(prompt)) + "\n" for prompt in task), encoding="utf-8")
    return str(prompts)
