"""Calls an EvalAI evaluation script; a program of its own, run inside the sandbox.

Usage: ``python run_evalai.py PACKAGE ANNOTATIONS SUBMISSION CODENAME SCORES METADATA``. PACKAGE is
a folder with ``main.py`` (or a package of that) whose ``evaluate(test_annotation_file,
user_submission_file, phase_codename, **kwargs)`` returns
``{"result": [{split: {metric: value}}]}``. SCORES gets ``{split: {metric: value}}`` as JSON.
"""

import importlib
import json
import os
import sys


def load(package):
    if os.path.exists(os.path.join(package, "__init__.py")):
        above, name = os.path.split(os.path.abspath(package))
        sys.path[:0] = [above, package]
        module = importlib.import_module(name)
        if hasattr(module, "evaluate"):
            return module
        return importlib.import_module(f"{name}.main")
    sys.path.insert(0, package)
    return importlib.import_module("main")


def main(package, annotations, submission, codename, scores, metadata):
    module = load(package)
    answer = module.evaluate(
        annotations, submission, codename, submission_metadata=json.loads(metadata)
    )
    found = {}
    for entry in (answer or {}).get("result", []):
        for split, values in entry.items():
            # Older scripts name the split and its accuracies beside each other.
            if isinstance(values, dict):
                found.setdefault(split, {}).update(values)
        if isinstance(entry.get("accuracies"), dict) and isinstance(entry.get("split"), str):
            found.pop("accuracies", None)
            found.setdefault(entry["split"], {}).update(entry["accuracies"])
    with open(scores, "w", encoding="utf-8") as file:
        json.dump(found, file)


if __name__ == "__main__":
    main(*sys.argv[1:])
