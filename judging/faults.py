"""What can be wrong with a submission, told so that its team can mend it.

A fault is stored as a code with parameters and put into words only when somebody reads it, in the
reader's language.
"""

from django.utils.translation import gettext_lazy as _

MESSAGES = {
    "empty_file": _("%(file)s: the file is empty. Expected a header row and one row for each id."),
    "looks_like_zip": _(
        "%(file)s: this is a zip archive, not a CSV file. Unpack it and send the CSV inside."
    ),
    "not_utf8_gbk": _(
        "%(file)s, row %(row)s: the text is not UTF-8; it looks like GBK. "
        "Save the file as “CSV UTF-8” and send it again."
    ),
    "not_utf8": _("%(file)s, row %(row)s: the text is not UTF-8. Save the file as “CSV UTF-8”."),
    "binary": _("%(file)s, row %(row)s: expected text, found binary data."),
    "wrong_columns": _("%(file)s, row 1: expected the columns %(expected)s, found %(found)s."),
    "duplicate_column": _("%(file)s, row 1: the column “%(column)s” appears twice."),
    "wrong_cells": _("%(file)s, row %(row)s: expected %(expected)s cells, found %(found)s."),
    "too_many_rows": _("%(file)s: expected %(expected)s rows of data, found more than that."),
    "blank": _("%(file)s, row %(row)s, column “%(column)s”: the cell is empty."),
    "duplicate_id": _(
        "%(file)s, row %(row)s, column “%(column)s”: the id “%(value)s” was already in "
        "row %(first)s. Expected each id once."
    ),
    "unknown_id": _(
        "%(file)s, row %(row)s, column “%(column)s”: the id “%(value)s” is not among the ids of "
        "the task. Download the sample to see them."
    ),
    "missing_ids": _(
        "%(file)s, column “%(column)s”: %(count)s ids are missing, among them %(examples)s. "
        "Expected one row for each id."
    ),
    "not_number": _(
        "%(file)s, row %(row)s, column “%(column)s”: expected a number, found “%(value)s”."
    ),
    "not_finite": _(
        "%(file)s, row %(row)s, column “%(column)s”: expected a finite number, found “%(value)s”."
    ),
    "unknown_class": _(
        "%(file)s, row %(row)s, column “%(column)s”: “%(value)s” is not one of the classes: "
        "%(expected)s."
    ),
    "bad_probability": _(
        "%(file)s, row %(row)s, column “%(column)s”: expected a probability from 0 to 1, found "
        "“%(value)s”."
    ),
    "bad_sum": _("%(file)s, row %(row)s: the probabilities add up to %(value)s. Expected 1."),
    "corrupt_onnx": _(
        "%(file)s: this is not an ONNX model that can be loaded. Expected a file as "
        "onnx.save writes it, without external data. The loader said: %(detail)s"
    ),
    "onnx_inputs": _(
        "%(file)s: expected one input of shape (rows, %(features)s) and type float or double, "
        "found %(found)s."
    ),
    "onnx_outputs": _("%(file)s: expected an output with %(expected)s, found %(found)s."),
    "onnx_failed": _("%(file)s: the model failed while it ran: %(detail)s"),
    "onnx_not_finite": _(
        "%(file)s: the model's answer for the id in row %(row)s of the inputs is not a finite "
        "number."
    ),
    "timeout": _("%(file)s: the model did not finish within %(seconds)s s."),
    "out_of_memory": _("%(file)s: the model needed more memory than the %(megabytes)s MB allowed."),
    "crashed": _("%(file)s: the model made its runtime crash."),
    "kind_not_accepted": _(
        "%(file)s: the task does not accept files of this kind. Expected one of: %(expected)s."
    ),
    "not_scorable": _("%(file)s: the metric “%(metric)s” cannot be computed: %(detail)s"),
    "infrastructure": _(
        "The platform could not score this submission. It will be tried again and does not count "
        "against your quota."
    ),
}


class SubmissionFault(Exception):
    """The submission is at fault; ``code`` is a key of MESSAGES and ``params`` fill it."""

    def __init__(self, code: str, **params):
        super().__init__(code)
        self.code, self.params = code, params


def message(code: str, params: dict) -> str:
    """The fault in words, in the active language; unknown codes of old runs show as they are."""
    text = MESSAGES.get(code)
    return str(text) % params if text is not None else code
