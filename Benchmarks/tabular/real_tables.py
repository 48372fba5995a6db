"""The real tables that quality.py and fidelity.py go through, and how each is read."""

import os

import pandas as pd


def frames(source, scratch, names):
    """For each file of the folder `source`: its name, the table, and a path the command reads the same table from.

    The symptom table repeats its rows many times; copies are left out, in a file in the folder `scratch`.
    """
    for name in names:
        path = os.path.join(source, name)
        frame = pd.read_csv(path)
        if name.startswith("symptom"):
            frame = frame.drop_duplicates(subset=list(frame.columns[:-1]))
            path = os.path.join(scratch, "symptom.csv")
            frame.to_csv(path, index=False)
        yield name.split(".")[0], frame, path
