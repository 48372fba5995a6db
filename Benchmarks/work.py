"""One benchmark: the same work as two commands."""

from dataclasses import dataclass, field
from typing import Callable, List, Optional


@dataclass
class Work:
    name: str
    title: str
    ours: List[str]
    theirs: Optional[List[str]]
    target: str = ""
    note: str = ""
    ours_key: str = "wall"
    theirs_key: str = "seconds"
    repeats: int = 5
    their_repeats: Optional[int] = None
    slow: bool = False
    prepare: Callable[[], None] = field(default=lambda: None)
    extra: Callable[[dict, dict], str] = field(default=lambda measured, doctor: "")
