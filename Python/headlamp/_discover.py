"""Which attention heads do this task?"""
from __future__ import annotations

import json
from pathlib import Path
from typing import Any, Iterable, Mapping, Optional, Union

import numpy as np

from ._command import run, words
from ._result import PathLike, Result


class Discovery(Result):
    """Ranked heads, with the codes that carry the answer."""

    @property
    def heads(self) -> Any:
        """All heads, best first."""
        return self.table("heads")

    @property
    def pairs(self) -> Any:
        """Pairs of heads by what both carry."""
        return self.table("pairs")

    @property
    def codes(self) -> Any:
        """The largest codes of the best heads."""
        return self.table("codes")

    @property
    def head_outputs(self) -> np.ndarray:
        """Recorded head outputs ``[prompt, layer, head, d_model]``; needs h5py."""
        import h5py

        with h5py.File(self.folder / "recording.h5", "r") as file:
            return file["head_outputs"][:]

    @property
    def labels(self) -> np.ndarray:
        """1 for a positive prompt, 0 for a negative one; needs h5py."""
        import h5py

        with h5py.File(self.folder / "recording.h5", "r") as file:
            return file["labels"][:]


def discover(
    task: Union[str, PathLike, Iterable[Mapping[str, Any]]], model: Optional[PathLike] = None, *,
    examples: Optional[int] = None, seed: int = 0, replace: Optional[str] = None, truth: Optional[str] = None,
    output: Optional[PathLike] = None, progress: bool = True, **options: Any,
) -> Discovery:
    """Ranks the attention heads of a model by what their codes do to the answer.

    :param task: the name of a bundled task, the path of a spec or of a file of prompts, or prompts themselves: mappings
        with ``text`` or ``tokens``, ``label``, ``pair``, ``answer`` and ``wrong``.
    :param model: the model's folder; the bundled model unless given.
    :param examples: positive prompts to use.
    :param replace: ``"pair"``: what carries the difference between a prompt and its negative; ``"mean"``: what the task
        cannot do without.
    :param truth: ``"TASK:NAME"`` of a ground truth to score against.
    :param output: a folder to keep the results in.
    :param options: any other option of ``headlamp discover``, with underscores: ``least_share=0.1``.
    :raises HeadlampError: with the command's own line.
    """
    result = Discovery(output)
    result.folder.mkdir(parents=True, exist_ok=True)
    if not isinstance(task, (str, Path)):
        prompts = result.folder / "prompts.jsonl"
        prompts.write_text("".join(json.dumps(dict(prompt)) + "\n" for prompt in task), encoding="utf-8")
        task = prompts
    given = words(
        {"model": model, "examples": examples, "seed": seed, "replace": replace, "truth": truth,
         "output": result.folder, **options})
    result.text = run(["discover", str(task), *given], progress=progress)
    return result
