"""What can be wrong with a submission, told so that its team can mend it.

A fault is stored as a code with parameters and put into words only when somebody reads it, in the
reader's language.
"""

from django.utils.translation import gettext_lazy as _

MESSAGES = {
    "empty_file": _("%(file)s: the file is empty. Expected a header row and one row for each id."),
    "looks_like_zip": _(
        "%(file)s: this is a zip archive, not a table. Unpack it and send the file inside."
    ),
    "not_utf8_gbk": _(
        "%(file)s, row %(row)s: the text is not UTF-8; it looks like GBK. "
        "Save the file as “CSV UTF-8” and send it again."
    ),
    "not_utf8": _("%(file)s, row %(row)s: the text is not UTF-8. Save the file as “CSV UTF-8”."),
    "binary": _("%(file)s, row %(row)s: expected text, found binary data."),
    "wrong_columns": _("%(file)s, row 1: expected the columns %(expected)s, found %(found)s."),
    "duplicate_column": _("%(file)s, row 1: the column “%(column)s” appears twice."),
    "too_many_columns": _(
        "%(file)s, row 1: expected at most %(expected)s columns, found %(found)s."
    ),
    "not_json": _("%(file)s, row %(row)s: expected one JSON object on each line."),
    "wrong_keys": _("%(file)s, row %(row)s: expected the keys %(expected)s, found %(found)s."),
    "not_a_cell": _(
        "%(file)s, row %(row)s, column “%(column)s”: expected text or a number, found a list or "
        "an object."
    ),
    "corrupt_parquet": _("%(file)s: the Parquet file cannot be read: %(detail)s"),
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
    "onnx_external": _(
        "%(file)s: the model keeps its weights in another file. Expected them inside; "
        "onnx.save does so by default."
    ),
    "onnx_domain": _(
        "%(file)s: the model uses operators of “%(found)s”. Expected those of: %(expected)s."
    ),
    "onnx_opset": _(
        "%(file)s: the model is of opset %(found)s. Expected one from %(oldest)s to %(newest)s."
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
    "timeout": _("%(file)s: it did not finish within %(seconds)s s."),
    "out_of_memory": _("%(file)s: it needed more memory than the %(megabytes)s MB allowed."),
    "disk_full": _("%(file)s: it wrote more than the %(megabytes)s MB allowed, or too many files."),
    "too_much_output": _("%(file)s: it printed more than the %(megabytes)s MB allowed."),
    "crashed": _("%(file)s: it made the program that reads it crash."),
    "archive_corrupt": _("%(file)s: this is no zip or tar archive that can be read: %(detail)s"),
    "archive_empty": _("%(file)s: the archive is empty."),
    "archive_encrypted": _("%(file)s: “%(member)s” is encrypted. Expected it without a password."),
    "archive_escapes": _("%(file)s: the path “%(member)s” leads out of the archive."),
    "archive_bad_name": _("%(file)s: the name “%(member)s” is too long or too deep."),
    "archive_special": _(
        "%(file)s: “%(member)s” is a link or a device. Expected plain files and folders alone."
    ),
    "archive_twice": _("%(file)s: “%(member)s” is in the archive twice."),
    "archive_too_many": _("%(file)s: the archive holds more than %(limit)s files."),
    "archive_too_large": _("%(file)s: unpacked, the archive is larger than %(limit)s MB."),
    "metadata_unreadable": _("%(file)s: “%(member)s” is not YAML that can be read."),
    "no_command": _(
        "%(file)s: no command is declared. Expected a metadata.yaml in the archive's root with a "
        "line such as “command: python3 main.py”."
    ),
    "bad_command": _("%(file)s: the declared command cannot be read: %(detail)s"),
    "program_failed": _("%(file)s: the program ended with status %(status)s. Expected 0."),
    "no_predictions": _(
        "%(file)s: the program left no predictions. Expected one of: %(expected)s."
    ),
    "links_left": _("%(file)s: among the results is “%(member)s”, which is no plain file."),
    "not_an_image": _(
        "%(file)s: this is no container image. Expected what “docker save” writes. %(detail)s"
    ),
    "scoring_failed": _(
        "%(file)s: the scoring program could not score it (status %(status)s). Check the form of "
        "what you send; the organizers can see the log."
    ),
    "no_scores": _("%(file)s: the scoring program gave no “%(metric)s”."),
    "metric_refused": _("%(file)s: the metric refused the answers: %(detail)s"),
    "kind_not_accepted": _(
        "%(file)s: the task does not accept files of this kind. Expected one of: %(expected)s."
    ),
    "not_scorable": _("%(file)s: the metric “%(metric)s” cannot be computed: %(detail)s"),
    "withheld": _("%(file)s: it failed; the organizers keep the details to themselves."),
    "worker_lost": _("%(file)s: again and again the worker that scored it died."),
    "infrastructure": _(
        "The platform could not score this submission. It does not count against your quota."
    ),
}
MESSAGES["lost"] = MESSAGES["infrastructure"]


# Faults that tell of a file itself. Others, of a program that ran on hidden inputs, can hold what
# it read there.
OF_THE_FILE = {
    "kind_not_accepted", "infrastructure", "lost", "worker_lost", "timeout", "out_of_memory",
    "disk_full", "too_much_output", "no_command", "bad_command", "metadata_unreadable",
    "corrupt_onnx", "onnx_external", "onnx_domain", "onnx_opset", "onnx_inputs", "not_an_image",
}  # fmt: skip


def clean(text: str) -> str:
    """Text of a team as every database and page can hold it: no character of code 0, no halves of
    characters."""
    return text.encode("utf-8", "replace").decode("utf-8").replace("\x00", "\ufffd")


class SubmissionFault(Exception):
    """The submission is at fault; ``code`` is a key of MESSAGES and ``params`` fill it.

    ``log`` is what the team's program printed before it failed, where one did.
    """

    log = ""

    def __init__(self, code: str, **params):
        super().__init__(code)
        self.code = code
        self.params = {
            name: clean(value) if isinstance(value, str) else value
            for name, value in params.items()
        }

    def with_log(self, log: str) -> "SubmissionFault":
        self.log = log
        return self


def message_for_team(run) -> str:
    """What a run's team is told of its fault, as much of it as the benchmark lets it know."""
    code, withheld = run.error_code, run.benchmark.logs_for == run.benchmark.Logs.ORGANIZERS
    of_the_file = code in OF_THE_FILE or code.startswith("archive_")
    if code and withheld and not of_the_file and run.submission.kind != "predictions":
        return str(MESSAGES["withheld"]) % {"file": run.submission.original_name}
    return message(code, run.error_params) if code else ""


def message(code: str, params: dict) -> str:
    """The fault in words, in the active language; unknown codes of old runs show as they are."""
    text = MESSAGES.get(code)
    return str(text) % params if text is not None else code
