"""The tabular explainer beside pandas, scikit-learn, XGBoost, shap, anchors and DiCE."""

import os
import statistics
import subprocess

from work import Work

HERE = os.path.dirname(os.path.abspath(__file__))


def works(cache, headlamp):
    python = os.path.join(cache, "tabular", "bin", "python")
    folder = os.path.join(cache, "tables")
    expression, mail = os.path.join(folder, "expression.csv"), os.path.join(folder, "mail.csv")
    model, tall = os.path.join(folder, "mail.json"), os.path.join(folder, "tall.csv")
    # Real tables, where they lie beside the project; they are not part of it.
    shared = os.path.join(os.path.dirname(os.path.dirname(os.path.dirname(cache))), "shared", "reference", "tables")
    spambase = os.path.join(shared, "spambase.csv")
    gordon = os.path.join(shared, "gordon_181x12533.csv.gz")
    mail_name = "spambase, 4,601 × 57" if os.path.exists(spambase) else "4,601 × 57 drawn numbers"
    out = os.path.join(cache, "out", "explain")
    peer = [python, os.path.join(HERE, "peer.py")]

    def tables():
        if not all(os.path.exists(path) for path in (model, tall, taller)):
            source = [spambase] if os.path.exists(spambase) else []
            subprocess.run([python, os.path.join(HERE, "make_tables.py"), folder, *source], check=True)

    def rate(measured, doctor):
        seconds = statistics.median(run["report"]["read_seconds"] for run in measured["ours"])
        return f"{os.path.getsize(expression) / seconds / 1e6:.0f} MB/s on one thread"

    def memory_of(cells):
        def text(measured, doctor):
            peak = max(run["peak_mib"] for run in measured["ours"])
            return f"peak memory {peak / (cells * 4 / 2**20):.2f} × the table as float32 ({cells * 4 / 2**20:.0f} MiB)"
        return text

    memory = memory_of(600 * 20532)

    taller = os.path.join(folder, "taller.csv")

    def fit_taller(*options):
        return [headlamp, "fit", taller, "--folds", "0", "--json", *options]

    def fit(*options):
        return [headlamp, "fit", expression, "--folds", "0", "--json", *options]

    explain = [headlamp, "explain", mail, "--black-box", model, "--row", "12", "--timings"]
    shap = [headlamp, "importance", mail, "--black-box", model, "--method", "shap", "--hold", "0.9", "--rows", "4000",
            "--json"]
    list_of_works = [
        Work("read-table", "CSV, 600 × 20,531, one thread; pandas",
             fit("--trees", "1", "--depth", "1", "--threads", "1"), peer + ["read", folder], "150 MB/s a core",
             ours_key="read_seconds", prepare=tables, extra=rate, note="ours: reading alone, counted by itself"),
        Work("extra-trees", "extra trees, 100 on 600 × 20,531, 5 classes; scikit-learn, 2 jobs",
             fit("--trees", "100"), peer + ["extra-trees", folder], "1×", ours_key="fit_seconds", prepare=tables,
             extra=memory, note="ours: fitting alone, counted by itself"),
        Work("boosted", "boosted trees, 25 rounds of depth 6, 32 bins, the same table; XGBoost, 2 threads",
             fit("--black-box", "boosted", "--trees", "25", "--bins", "32", "--row-share", "1", "--feature-share", "1",
                 "--leaf-weight", "1", "--depth", "6", "--learning-rate", "0.3"), peer + ["boosted", folder], "2×",
             ours_key="fit_seconds", prepare=tables, extra=memory,
             note="ours: fitting alone, counted by itself, all rows and features in every round as there"),
        Work("tree-shap", f"exact SHAP values, 4,000 rows of {mail_name}, XGBoost's 100 trees of depth 6; shap's code",
             shap, peer + ["shap-own", folder], "4×", ours_key="seconds", prepare=tables,
             note="ours: the probe alone, with 200 bootstraps of the importances"),
        Work("tree-shap-xgboost", "the same; shap as it comes, which calls XGBoost's code",
             shap, peer + ["shap", folder], "", ours_key="seconds", prepare=tables),
        Work("anchor", f"one rule for a row of {mail_name}, precision 0.95; anchor-exp",
             explain, peer + ["anchor", folder], "50×", ours_key="one_rule_seconds", prepare=tables,
             note="ours: the rule alone, counted by itself, on the surrogate's features"),
        Work("counterfactuals", "four counterfactuals of the same row; DiCE, random search",
             explain, peer + ["counterfactuals", folder], "0.1 s", ours_key="4_counterfactuals_seconds",
             prepare=tables, note="ours: the search alone, counted by itself, checked on the black box"),
        Work("explain-wide", "explain on 600 × 20,531, 5 classes, process start to files",
             [headlamp, "explain", expression, "--output", out], None, "3 × the table", prepare=tables, extra=memory),
        Work("fit-tall", "boosted trees, 100 rounds of depth 6 on 1,000,000 × 10, reading included",
             [headlamp, "fit", tall, "--black-box", "boosted", "--folds", "0", "--json"], None, "3 × the table",
             prepare=tables, extra=memory_of(1_000_000 * 11)),
    ]
    boosted = fit_taller("--black-box", "boosted")
    fitting = "ours: fitting alone, counted by itself"
    list_of_works += [
        Work("tall-xgboost", "boosted trees, 100 rounds of depth 6 on 1,000,000 × 20; XGBoost, 2 threads", boosted,
             peer + ["tall-xgboost", folder], "1×", ours_key="fit_seconds", prepare=tables, extra=memory_of(21_000_000),
             note=fitting),
        Work("tall-lightgbm", "the same; LightGBM at learning rate 0.3 and 64 leaves, 2 threads", boosted,
             peer + ["tall-lightgbm", folder], "1×", ours_key="fit_seconds", prepare=tables, note=fitting),
        Work("tall-extra-trees", "extra trees, 300 on 1,000,000 × 20, reading included", fit_taller(), None,
             "120 s, 2 GB", repeats=1, prepare=tables, extra=memory_of(21_000_000), slow=True),
        Work("explain-tall", "explain on 1,000,000 × 20, process start to files",
             [headlamp, "explain", taller, "--output", out], None, "", repeats=1, prepare=tables, slow=True,
             extra=memory_of(21_000_000)),
        Work("explain-all", f"explain --all with a forest on {mail_name}, process start to files",
             [headlamp, "explain", mail, "--black-box", "forest", "--all", "--refits", "0", "--output", out], None,
             "5 ms a row", repeats=1, prepare=tables, slow=True,
             extra=lambda measured, doctor: f"{measured['ours'][0]['wall'] / 4601 * 1000:.1f} ms a row"),
    ]
    if os.path.exists(gordon):
        list_of_works.append(
            Work("explain-gordon", "explain on gordon, 181 × 12,533 (gzip), process start to files",
                 [headlamp, "explain", gordon, "--output", out], None, "5 s"))
    return list_of_works
