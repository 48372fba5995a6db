"""In a notebook: cells run, results show, progress appears, and the stop button stops the command."""
import os
import time

import pytest

nbformat = pytest.importorskip("nbformat")
nbclient = pytest.importorskip("nbclient")
pytest.importorskip("ipykernel")

CELLS = [
    "import headlamp\n"
    "found = headlamp.discover('ioi', examples=20, epochs=50, dictionaries=1, ablation_examples=0)",
    "found",
    "found.heads.head()",
    "import numpy as np, pandas\n"
    "x, y = np.random.default_rng(0).normal(size=(2, 200))\n"
    "table = pandas.DataFrame({'x': x, 'y': y, 'over': np.where(x > 0, 'yes', 'no')})\n"
    "why = headlamp.explain(table, target='over', black_box=lambda rows: (rows['x'] > 0).astype(float), refits=0)",
    "why",
    "try:\n    headlamp.discover('no-such')\nexcept headlamp.HeadlampError as error:\n    print(error)",
]


def test_a_notebook_runs(tmp_path):
    notebook = nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell(cell) for cell in CELLS])
    nbclient.NotebookClient(notebook, timeout=600, resources={"metadata": {"path": str(tmp_path)}}).execute()
    shown = [cell["outputs"] for cell in notebook.cells]
    for page in (shown[1], shown[4]):
        assert any("<iframe srcdoc=" in output.get("data", {}).get("text/html", "") for output in page)
    assert "<table" in shown[2][0]["data"]["text/html"]
    said = "".join(output["text"] for output in shown[0] if output.get("name") == "stderr")
    assert "record" in said and "\x1b" not in said
    assert "no task 'no-such'" in "".join(output["text"] for output in shown[5] if output.get("name") == "stdout")


def test_the_stop_button_ends_the_command(tmp_path):
    from jupyter_client.manager import start_new_kernel

    manager, client = start_new_kernel(cwd=str(tmp_path))
    try:
        client.execute("import headlamp, os; print(os.getpid())", reply=True, timeout=60)
        request = client.execute("headlamp.discover('ioi', examples=2000, epochs=100000, progress=False)")
        children = wait_for(lambda: commands_running())
        assert children, "the command never started"
        time.sleep(1)
        manager.interrupt_kernel()
        reply = wait_for(lambda: reply_to(client, request), 30)
        assert reply["content"]["ename"] == "KeyboardInterrupt"
        assert wait_for(lambda: not any(os.path.exists(f"/proc/{child}") for child in children), 10)
    finally:
        client.stop_channels()
        manager.shutdown_kernel(now=True)


def reply_to(client, request):
    try:
        reply = client.get_shell_msg(timeout=0.2)
    except Exception:
        return None
    return reply if reply["parent_header"].get("msg_id") == request else None


def wait_for(condition, seconds=60.0):
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        if found := condition():
            return found
        time.sleep(0.1)
    return None


def commands_running():
    """The processes below this one whose command line has our large number of steps in it."""
    found = []
    for entry in os.listdir("/proc"):
        try:
            if entry.isdigit() and b"\x00100000\x00" in open(f"/proc/{entry}/cmdline", "rb").read():
                found.append(int(entry))
        except OSError:
            continue
    return found
