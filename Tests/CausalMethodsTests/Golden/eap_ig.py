# Golden values for SelectionTests, MIBCircuitTests and ScoresTests: the public code of EAP-IG at 795f560
# (github.com/hannamw/EAP-IG) and of MIB's circuit track at b759df3 (github.com/hannamw/MIB-circuit-track).
# Run: python eap_ig.py EAP_IG_CLONE MIB_CLONE FOLDER   (torch 2.15, einops 0.8; transformer_lens and drawing are stubs)
import json, sys
from pathlib import Path
from unittest.mock import MagicMock

sys.path[:0] = [sys.argv[1] + "/src", sys.argv[2]]
for name in ["transformer_lens", "transformer_lens.utils", "transformer_lens.ActivationCache", "eap.visualization",
             "eap.evaluate", "tqdm"]:
    sys.modules[name] = MagicMock()
sys.modules["transformer_lens"].HookedTransformer = type("HookedTransformer", (), {})
sys.modules["transformer_lens"].HookedTransformerConfig = type("HookedTransformerConfig", (), {})

import torch
from eap.graph import Graph
import MIB_circuit_track.evaluation as mib

folder = Path(sys.argv[3])
random = torch.Generator().manual_seed(4)

def graph(layers, heads, parallel, **kind):
    cfg = {"n_layers": layers, "n_heads": heads, "parallel_attn_mlp": parallel, "d_model": 4 * heads}
    made = Graph.from_model(cfg, **kind)
    for edge in made.edges.values():
        edge.score = torch.randn((), generator=random)
    return made

def size(graph):
    return {k: graph.cfg[k] for k in ("n_layers", "n_heads", "parallel_attn_mlp")}

def scores(graph):
    return {name: edge.score.item() for name, edge in graph.edges.items()}

def kept(graph):
    return [name for name, edge in graph.edges.items() if edge.in_graph]

def kept_nodes(graph):
    return [name for name, node in graph.nodes.items() if node.in_graph]

def selections():
    for layers, heads, parallel in [(3, 2, False), (2, 3, True)]:
        made = graph(layers, heads, parallel, node_scores=True)
        rows = []
        for n in [0, 3, 12, 40, len(made.edges)]:
            for absolute in [True, False]:
                order = "magnitude" if absolute else "value"
                made.apply_topn(n, absolute)
                rows.append(dict(selection="top", order=order, count=n, edges=kept(made), nodes=kept_nodes(made)))
                made.apply_greedy(n, absolute)
                rows.append(dict(selection="greedy", order=order, count=n, edges=kept(made), nodes=kept_nodes(made)))
        made.nodes_scores[:] = torch.randn(made.n_forward, generator=random)
        made.nodes_scores[0] = torch.nan
        made.nodes_scores[4] = torch.nan
        node_rows = []
        for n in [0, 2, 5]:
            for absolute in [True, False]:
                made.apply_topn(n, absolute, level="node")
                real = [name for name in kept(made)]
                node_rows.append(dict(order="magnitude" if absolute else "value", count=n, edges=real))
        node_scores = [None if s != s else s for s in made.nodes_scores.tolist()]
        yield dict(cfg=size(made), scores=scores(made), edges=rows, node_scores=node_scores, nodes=node_rows)

def roc():
    # The first hypothesis has all edges of the reference; the second, a parallel one, lacks those into an MLP from its
    # own layer's heads.
    for hypothesis, reference in [((3, 2, False), (3, 2, False)), ((4, 2, True), (2, 2, False))]:
        truth = graph(*reference)
        truth.apply_topn(12, prune=False)
        made = graph(*hypothesis)
        values = mib.evaluate_area_under_roc(truth, made)
        area = 0.0
        for i in range(9):
            area += (values["FPR"][i + 1] - values["FPR"][i]) / values["FPR"][-1] * (values["TPR"][i + 1] + values["TPR"][i]) / 2
        yield dict(reference=size(truth), truth=kept(truth), hypothesis=size(made), scores=scores(made), area=area, **values)

def areas():
    # The metric of a circuit is any function of it; the areas are what is checked.
    made = graph(4, 3, False)
    found = []
    def evaluate_graph(model, graph, *rest, **named):
        value = -0.3 + 0.1 * float((graph.scores * graph.in_graph).sum())
        found.append(value)
        return torch.tensor([value], dtype=torch.float64)
    mib.evaluate_graph = evaluate_graph
    mib.evaluate_baseline = lambda *rest, **named: torch.tensor([2.5], dtype=torch.float64)
    for greedy in [False, True]:
        for log in [False, True]:
            found.clear()
            counts, under, from_one, average, values = mib.evaluate_area_under_curve(
                None, made, None, None, quiet=True, log_scale=log, apply_greedy=greedy)
            yield dict(cfg=size(made), scores=scores(made), greedy=greedy, log=log, full=2.5, empty=found[0],
                       metrics=found[1:], counts=counts, cpr=under, cmd=from_one, average=average, faithfulness=values)

import contextlib, io
with contextlib.redirect_stdout(io.StringIO()):
    golden = dict(selections=list(selections()), roc=list(roc()), areas=list(areas()))
(folder / "eap-ig.json").write_text(json.dumps(golden))

# Files as EAP-IG writes them.
plain = graph(2, 2, False)
plain.apply_greedy(9)
plain.to_json(str(folder / "eap-ig-circuit.json"))
plain.to_pt(str(folder / "eap-ig-circuit.pt"))
nodes = graph(2, 2, True, node_scores=True)
nodes.nodes_scores[1:] = torch.randn(nodes.n_forward - 1, generator=random)
nodes.apply_topn(3, level="node", prune=False)
nodes.to_pt(str(folder / "eap-ig-nodes.pt"))
neurons = graph(1, 1, False, neuron_level=True)
neurons.to_pt(str(folder / "eap-ig-neurons.pt"))
torch.save({"cfg": dict(plain.cfg), "src_nodes": [], "dst_nodes": []}, folder / "eap-ig-incomplete.pt")
