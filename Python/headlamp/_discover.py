"""Which attention heads do this task?"""
from __future__ import annotations

from typing import TYPE_CHECKING, Any, Callable, Optional

import numpy as np

from ._attribute import Attribution, Task, attribute, task_argument
from ._command import run, words
from ._result import PathLike, Result

if TYPE_CHECKING:
    import pandas


class Discovery(Result):
    """Ranked heads, with the codes that carry the answer."""

    def __init__(self, folder: Optional[PathLike]) -> None:
        super().__init__(folder)
        self._attribution: Optional[Attribution] = None
        self._attribute: Optional[Callable[[], Attribution]] = None

    @property
    def heads(self) -> pandas.DataFrame:
        """All heads, best first."""
        return self.table("heads")

    @property
    def pairs(self) -> pandas.DataFrame:
        """Pairs of heads by what both carry."""
        return self.table("pairs")

    @property
    def codes(self) -> pandas.DataFrame:
        """The largest codes of the best heads."""
        return self.table("codes")

    @property
    def edges(self) -> pandas.DataFrame:
        """Edges with their scores: the strongest, where the result has them, else all by EAP-IG, computed when asked for.

        ``headlamp.attribute`` scores all edges by any method.
        """
        if "edges" in self.tables:
            return self.table("edges")
        if self._attribution is None:
            if self._attribute is None:
                raise AttributeError("this result has no edges; headlamp.attribute computes them")
            self._attribution = self._attribute()
        return self._attribution.edges

    @property
    def head_outputs(self) -> np.ndarray:
        """Recorded head outputs ``[prompt, layer, head, d_model]``; needs h5py."""
        return self._recorded("head_outputs")

    @property
    def labels(self) -> np.ndarray:
        """1 for a positive prompt, 0 for a negative one, in the order of ``head_outputs``; needs h5py."""
        return self._recorded("labels")

    def _recorded(self, name: str) -> np.ndarray:
        import h5py

        with h5py.File(self.folder / "recording.h5", "r") as file:
            return np.asarray(file[name][:])


def discover(
    task: Task, model: Optional[PathLike] = None, *, examples: Optional[int] = None, seed: int = 0,
    replace: Optional[str] = None, truth: Optional[str] = None, output: Optional[PathLike] = None,
    progress: bool = True, **options: Any,
) -> Discovery:
    """Ranks the attention heads of a model by what their codes do to the answer.

    :param task: the name of a bundled task, the path of a spec or of a file of prompts, or prompts themselves: mappings
        with ``text`` or ``tokens``, ``label``, ``pair``, ``answer`` and ``wrong``.
    :param model: the model's folder; the bundled model unless given.
    :param examples: positive prompts to use.
    :param seed: what every random choice depends on.
    :param replace: ``"pair"``: what carries the difference between a prompt and its negative; ``"mean"``: what the task
        cannot do without.
    :param truth: ``"TASK:NAME"`` of a ground truth to score against.
    :param output: a folder to keep the results in.
    :param progress: whether what the command says while it works is shown.
    :param options: any other option of ``headlamp discover``, with underscores: ``least_share=0.1``.
    :raises HeadlampError: with the command's own line.
    """
    result = Discovery(output)
    given_task = task_argument(task, result.folder)
    given = words({
        "model": model, "examples": examples, "seed": seed, "replace": replace, "truth": truth,
        "output": result.folder, **options})
    result.text = run(["discover", given_task, *given], progress=progress)
    result._attribute = lambda: attribute(
        given_task, model, examples=examples, seed=seed, replace=replace, progress=progress,
        bos=options.get("bos"), output=result.folder / "edges", no_report=True)
    return result
