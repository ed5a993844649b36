"""Calls an organizer's metric; a program of its own, run inside the sandbox.

Usage: ``python run_metric.py METRIC.py DATA.json REPORT``. DATA holds for each part ("public",
"private") ``{"ids": […], "truth": […], "predicted": […] or {class: […]}}``. The metric is a
function ``score(truth, predicted)`` of two pandas objects indexed by id (Series, or for
probabilities a DataFrame with one column a class); it returns a number or ``{name: number}``.
REPORT gets ``{part: {name: number}}`` or ``{"error": …}``; a ``ValueError`` that the metric raises
itself is told to the team.
"""

import importlib.util
import json
import sys


def raised_in(error):
    last = error.__traceback__
    while last.tb_next is not None:
        last = last.tb_next
    return last.tb_frame.f_code.co_filename


def main(metric, data, report):
    import pandas as pd

    told = {}
    try:
        spec = importlib.util.spec_from_file_location("metric", metric)
        module = importlib.util.module_from_spec(spec)
        spec.loader.exec_module(module)
        with open(data, encoding="utf-8") as file:
            parts = json.load(file)
        for part, given in parts.items():
            truth = pd.Series(given["truth"], index=given["ids"], name="truth")
            answer = given["predicted"]
            predicted = (
                pd.DataFrame(answer, index=given["ids"])
                if isinstance(answer, dict)
                else pd.Series(answer, index=given["ids"], name="predicted")
            )
            found = module.score(truth, predicted)
            found = found if isinstance(found, dict) else {"score": found}
            told[part] = {str(name)[:100]: float(value) for name, value in found.items()}
    except Exception as error:
        told = {"error": f"{type(error).__name__}: {error}"[:500]}
        # Only what the metric raises itself: a library's message can hold hidden values.
        if isinstance(error, ValueError) and raised_in(error) == metric:
            told = {"refused": str(error)[:300]}
    with open(report, "w", encoding="utf-8") as file:
        json.dump(told, file)


if __name__ == "__main__":
    main(*sys.argv[1:])
