"""`verify_run`: the same files give the same scores, and whatever differs is named."""

import io

import pytest
from django.core.files.base import ContentFile
from django.core.management import CommandError, call_command

from judging.models import ScoringRun
from judging.services.verification import verify
from tests.scoring.test_scoring import (  # noqa: F401
    GOOD,
    _no_broker,
    benchmark,
    captain,
    participation,
    score,
    submit,
)


@pytest.fixture
def run(participation):  # noqa: F811
    benchmark(participation, extra_metrics=["f1_macro"])
    return score(submit(participation, GOOD))


def told(run) -> str:
    out = io.StringIO()
    call_command("verify_run", str(run.pk), stdout=out)
    return out.getvalue()


def test_a_run_ends_the_same_way_again(run):
    found = verify(run)
    assert found.inputs_are_the_same
    assert found.result_is_the_same
    assert len(found.scores) == 4
    assert "the same" in told(run)
    assert "f1_macro" in told(run)
    assert ScoringRun.objects.count() == 1, "nothing is stored"


def test_a_file_that_was_exchanged_is_named(run):
    submission = run.submission
    name = submission.file.name
    submission.file.storage.delete(name)
    submission.file.storage.save(name, ContentFile(GOOD.replace(b"r0,0", b"r0,1")))
    found = verify(run)
    assert not found.inputs_are_the_same
    assert not found.result_is_the_same
    with pytest.raises(CommandError, match="would end differently"):
        told(run)


def test_another_version_of_a_package_is_named(run):
    run.provenance = {**run.provenance, "numpy": "1.0"}
    run.save()
    assert [name for name, _then, _now in verify(run).packages] == ["numpy"]


def test_a_fault_is_the_same_fault_again(participation):  # noqa: F811
    benchmark(participation)
    found = verify(score(submit(participation, b"id,label\nr0,nine\n")))
    assert found.ends == ("unknown_class", "unknown_class")
    assert found.result_is_the_same


def test_what_has_not_ended_and_what_does_not_exist(participation):  # noqa: F811
    benchmark(participation)
    waiting = submit(participation, GOOD).runs.get()
    with pytest.raises(CommandError, match="ended by itself"):
        told(waiting)
    for name in ("nonsense", "00000000-0000-0000-0000-000000000000"):
        with pytest.raises(CommandError, match="no scoring run"):
            call_command("verify_run", name)


def test_all_that_count_at_once(run, participation):  # noqa: F811
    score(submit(participation, GOOD.replace(b"r1,1", b"r1,0"), name="second.csv"))
    out = io.StringIO()
    call_command("verify_run", "all", stdout=out)
    assert out.getvalue().count("the same") == 2
