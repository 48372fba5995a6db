"""Which attention heads do a task, and why a black box said what it said.

>>> import headlamp
>>> found = headlamp.discover("ioi")
>>> found.heads.head()
"""
from ._attribute import Attribution, attribute
from ._command import HeadlampError, run
from ._discover import Discovery, discover
from ._explain import Explanation, explain

__all__ = ["Attribution", "Discovery", "Explanation", "HeadlampError", "attribute", "discover", "explain", "run"]
__version__ = "0.1.0"
