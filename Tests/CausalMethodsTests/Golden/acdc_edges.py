# Golden edges for ACDCTests.swift: ACDC's public code at bc99ace8 (github.com/ArthurConmy/Automatic-Circuit-Discovery).
# Run: python acdc_edges.py CLONE > acdc-edges.json   (torch 2.15; its other imports are stubs)
#
# For each graph or circuit: the number of edges that are no placeholders, and the SHA-256 of their sorted lines
# "parent->child".
import hashlib, importlib.abc, importlib.machinery, json, sys
from types import SimpleNamespace
from unittest.mock import MagicMock

sys.path.insert(0, sys.argv[1])

STUBBED = {"transformer_lens", "transformers", "huggingface_hub", "wandb", "IPython", "click", "plotly", "pandas",
           "pygraphviz", "cmapy", "matplotlib", "tracr", "datasets", "einops", "fancy_einsum", "jaxtyping", "torchtyping",
           "typeguard"}

class Stubs(importlib.abc.MetaPathFinder, importlib.abc.Loader):
    def find_spec(self, name, path, target=None):
        if name.split(".")[0] not in STUBBED and not name.startswith("subnetwork_probing.transformer_lens"):
            return None
        return importlib.machinery.ModuleSpec(name, self, is_package=True)
    def create_module(self, spec):
        module = MagicMock()
        module.__path__, module.__spec__, module.__name__ = [], spec, spec.name
        return module
    def exec_module(self, module):
        pass

sys.meta_path.insert(0, Stubs())

from acdc.TLACDCCorrespondence import TLACDCCorrespondence
from acdc.TLACDCEdge import EdgeType, TorchIndex
from acdc.docstring.utils import get_docstring_subgraph_true_edges
from acdc.greaterthan.utils import get_greaterthan_true_edges
from acdc.ioi.utils import get_ioi_true_edges

def model(layers, heads, attn_only=False):
    return SimpleNamespace(cfg=SimpleNamespace(n_layers=layers, n_heads=heads, attn_only=attn_only))

def summary(keys, kinds):
    keys = [k for k in keys if kinds[k] != EdgeType.PLACEHOLDER]
    text = lambda name, index: name + repr(TorchIndex(list(index)))
    lines = sorted(text(p, j) + "->" + text(c, i) for c, i, p, j in keys)
    return {"edges": len(lines), "sha256": hashlib.sha256("\n".join(lines).encode()).hexdigest()}

def kinds(model):
    edges = TLACDCCorrespondence.setup_from_model(model).all_edges()
    return {(c, i.hashable_tuple, p, j.hashable_tuple): e.edge_type for (c, i, p, j), e in edges.items()}

small, four = model(12, 12), model(4, 8, attn_only=True)
of_small, of_four = kinds(small), kinds(four)
print(json.dumps({
    "gpt2-small": summary(of_small, of_small),
    "attn-only-4l": summary(of_four, of_four),
    "ioi": summary(get_ioi_true_edges(small), of_small),
    "greater-than": summary(get_greaterthan_true_edges(small), of_small),
    "docstring": summary(get_docstring_subgraph_true_edges(), of_four),
}, indent=1))
