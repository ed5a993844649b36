"""Whether two names mean the same organisation."""

import time

import pytest

from judging.organisations import akin, plain_names
from judging.services.panels import same_organisations
from tests.factories import make_event, make_judge, make_team, make_track


def same(ours, theirs):
    found = akin(plain_names(ours), plain_names(theirs))
    assert akin(plain_names(theirs), plain_names(ours)) == found, "either way round"
    return found


@pytest.mark.parametrize(
    ("ours", "theirs"),
    [
        (["清华大学"], ["清华大学"]),
        (["清华大学"], ["清华大学计算机系"]),
        (["清华大学", ""], ["Tsinghua University", " 清华 大学 "]),
        (["", "清华大学"], ["清华大学", ""]),  # in the other column
        (["Tsinghua University"], ["TSINGHUA  University, Dept. of CS"]),
        (["ＡＢＣ Capital"], ["abc capital"]),  # full-width
        (["Straße GmbH"], ["STRASSE GMBH"]),
        (["Acme (Beijing)"], ["Acme（Beijing）"]),
    ],
)
def test_the_same(ours, theirs):
    assert same(ours, theirs)


@pytest.mark.parametrize(
    ("ours", "theirs"),
    [
        (["", " "], ["", "—"]),
        (["大学"], ["清华大学"]),  # too short to say anything
        (["MIT"], ["MIT Press"]),
        (["Fund 1"], ["Fund 12"]),  # not as whole words
        (["Tsing"], ["Tsinghua University"]),
        (["北京大学"], ["清华大学"]),
    ],
)
def test_not_the_same(ours, theirs):
    assert not same(ours, theirs)


@pytest.mark.django_db
def test_a_large_panel_is_compared_at_once():
    track = make_track(make_event())
    judge = make_judge(track.event, organisation_zh="浙江大学")
    team = make_team(track, organisation_en="Zhejiang", organisation_zh="浙江大学软件学院")
    other = make_team(track)
    judges = [judge] + [_of(judge, n) for n in range(60)]
    teams = [team, other] + [_of(other, n) for n in range(2500)]
    began = time.perf_counter()
    assert same_organisations(judges, teams) == {(judge.pk, team.pk)}
    assert time.perf_counter() - began < 5


def _of(thing, n):
    """One more like it, in memory."""
    names = {"organisation_zh": f"机构第{n}所", "organisation_en": f"Institute No {n}"}
    if type(thing).__name__ == "Judge":
        names = {"organisation_zh": f"基金第{n}支", "organisation_en": f"Fund No {n}"}
    return type(thing)(pk=1_000_000 + n, **names)
