"""Discovery: tables, arrays, prompts of one's own, the report."""
import gc

import pytest

import headlamp


@pytest.fixture(scope="module")
def found():
    return headlamp.discover("ioi", examples=40, epochs=100, dictionaries=1, progress=False)


def test_tables_and_arrays(found):
    assert len(found.heads) == 32 and found.heads["rank"].iloc[0] == 1
    assert {"layer", "head", "code", "promotes"} <= set(found.codes.columns)
    assert len(found.pairs) == 32 * 31 // 2
    assert found.head_outputs.shape == (80, 4, 8, 96) and found.labels.sum() == 40
    assert found.summary["task"] == "ioi" and "heads are in the circuit" in found.text
    with pytest.raises(FileNotFoundError, match="no table 'nothing'; there are: .*heads"):
        found.table("nothing")


def test_edges_have_scores(found):
    edges = found.edges
    assert {"source", "destination", "score", "in_circuit"} <= set(edges.columns) and len(edges) > 20
    assert found.edges.equals(edges)


def test_attribution_by_another_method():
    result = headlamp.attribute("ioi", method="atp", examples=10, replace="mean", progress=False)
    assert len(result.nodes) == 1 + 4 * 9 and result.summary["replace"] == "mean"
    assert {"nodes", "edges"} <= set(result.circuit)


def test_the_report_shows_in_a_notebook(found):
    shown = found._repr_html_()
    assert shown.startswith("<iframe srcdoc=") and "&lt;!DOCTYPE html&gt;" in shown


def test_prompts_of_ones_own():
    prompts = []
    for pair in range(12):
        prompts.append({"tokens": [5 + pair, 6, 7], "label": 1, "pair": pair, "answer": 8, "wrong": [9]})
        prompts.append({"tokens": [5 + pair, 6, 10], "label": 0, "pair": pair})
    result = headlamp.discover(prompts, epochs=20, dictionaries=1, progress=False)
    assert len(result.heads) == 32


def test_a_named_folder_stays_and_a_folder_of_its_own_goes(tmp_path):
    prompts = [{"tokens": [5, 6, 7], "label": 1, "pair": 0, "answer": 8, "wrong": [9]},
               {"tokens": [5, 6, 10], "label": 0, "pair": 0}]
    options = dict(method="atp", progress=False)
    named = headlamp.attribute(prompts, output=tmp_path / "kept", **options)
    own = headlamp.attribute(prompts, **options)
    folder = own.folder
    assert folder.is_dir()
    del named, own
    gc.collect()
    assert (tmp_path / "kept" / "nodes.csv").exists() and not folder.exists()
