"""Large downloads: asked for, prepared, fetched, and removed; and whatever goes wrong."""

import json
import tempfile
import time
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from types import SimpleNamespace

import pytest
from django.core.files.storage import FileSystemStorage, default_storage
from django.db import connection, transaction
from django.urls import reverse
from django.utils import timezone, translation

from contest import tables_out
from contest.errors import Refused, WrongMove
from contest.models import EventRole
from contest.services import rounds
from judging.models import Recusal, Scoresheet
from judging.services import record
from judging.services.panels import recuse
from judging.services.scoresheets import return_sheet
from leaderboard.exports import documents, scores
from leaderboard.exports.documents import DOCUMENTS
from leaderboard.models import Award, PreparedFile
from leaderboard.services import advancement, awards, downloads, standings
from leaderboard.services.advancement_rules import save_rule
from leaderboard.states import PREPARED_MOVES, PreparedStatus
from leaderboard.tasks import prepare_download, tidy_downloads
from tests.factories import make_event, make_judge, make_round, make_team, make_track, make_user
from tests.leaderboard.test_standings import roadshow
from tests.stack.conftest import object_store

pytestmark = pytest.mark.django_db
BACKEND = "django.contrib.auth.backends.ModelBackend"
SCORES, RECORD = DOCUMENTS["scores"], DOCUMENTS["record"]


@pytest.fixture(autouse=True)
def _everything_is_large(monkeypatch):
    monkeypatch.setattr(tables_out, "AT_ONCE", 3)


@pytest.fixture(autouse=True)
def _english():
    with translation.override("en"):
        yield


@pytest.fixture
def organizer():
    return make_user(name="Lin")


@pytest.fixture
def round(organizer):
    track = make_track(make_event(organizer))
    teams, judges = [make_team(track) for _n in range(4)], [make_judge(track.event) for _n in "abc"]
    marks = [[9, 9, 8.5], [7, 7.5, 7], [5, 5, 5.5], [3, 2.5, 3]]
    round = roadshow(track, teams, judges, marks, advance=2)
    standings.refresh(round)
    return round


@pytest.fixture
def client(client, organizer):
    client.force_login(organizer, backend=BACKEND)
    client.defaults["HTTP_ACCEPT_LANGUAGE"] = "en"
    return client


def url(name, round, *more):
    return reverse(name, args=[round.event.slug, round.slug, *more])


def shown(client, round) -> str:
    answer = client.get(url("desk-exports", round))
    assert answer.status_code == 200
    return answer.content.decode()


def ask(client, round, document="scores", fmt="csv"):
    answer = client.post(url("desk-export-prepare", round, document, fmt))
    assert answer.status_code == 302
    assert answer.url == url("desk-exports", round) + f"#{document}"
    return PreparedFile.objects.filter(document=document, fmt=fmt).first()


def content(answer) -> bytes:
    assert answer.status_code == 200, answer.status_code
    return b"".join(answer.streaming_content)


def prepared(round, organizer, document=SCORES, fmt="csv") -> PreparedFile:
    file = downloads.ask(document, round, fmt, organizer)
    if file.is_active:
        assert downloads.prepare_next() == file
    file.refresh_from_db()
    assert file.status == PreparedStatus.READY, file.fault
    return file


def change(round, organizer) -> None:
    sheet = Scoresheet.objects.filter(assignment__participation__round=round).first()
    return_sheet(sheet, organizer, "look again")


def stored() -> list[str]:
    try:
        return default_storage.listdir("downloads")[1]
    except FileNotFoundError:
        return []


# --- Small and large -------------------------------------------------------------------------


def test_small_files_are_given_at_once(client, round, monkeypatch):
    monkeypatch.setattr(tables_out, "AT_ONCE", 5000)
    page = shown(client, round)
    for name in ("scores", "matrix", "reliability", "record"):
        for fmt in DOCUMENTS[name].formats:
            assert f'href="{url("desk-export", round, name, fmt)}"' in page
            assert content(client.get(url("desk-export", round, name, fmt)))
    assert "prepare/" not in page
    assert not PreparedFile.objects.exists()


def test_what_is_large_is_counted_before_anything_is_written(round, organizer, monkeypatch):
    sheets, marks = 12, 12
    size = 10 * 4 + sheets + marks
    assert SCORES.size(round) == size
    assert RECORD.size(round) == record.of_round(round).length
    monkeypatch.setattr(tables_out, "AT_ONCE", size)
    assert not SCORES.is_large(round)
    monkeypatch.setattr(tables_out, "AT_ONCE", size - 1)
    assert SCORES.is_large(round)
    finalists = DOCUMENTS["finalists"]
    assert finalists.size(round) == 0
    rounds.close_round(round, organizer)
    advancement.propose(round, organizer)
    assert finalists.size(round) == 10 * 2


@pytest.mark.parametrize("name", ["scores", "matrix", "reliability", "record"])
def test_a_prepared_file_is_what_one_would_have_got_at_once(client, round, monkeypatch, name):
    for fmt in DOCUMENTS[name].formats:
        if fmt in ("xlsx", "pdf"):  # which hold the moment at which they were made
            continue
        ask(client, round, name, fmt)
        file = PreparedFile.objects.get(document=name, fmt=fmt)
        assert downloads.prepare_next() == file
        answer = client.get(url("desk-export-file", round, file.pk))
        assert answer["Content-Disposition"] == (
            f'attachment; filename="{round.event.slug}-{round.slug}-{name}.{fmt}"'
        )
        got = content(answer)
        file.refresh_from_db()
        assert (file.size, file.done, file.total or 0) == (len(got), file.done, file.done)
        monkeypatch.setattr(tables_out, "AT_ONCE", 5000)
        direct = content(client.get(url("desk-export", round, name, fmt)))
        monkeypatch.setattr(tables_out, "AT_ONCE", 3)
        if (name, fmt) == ("record", "json"):
            direct, got = (
                {k: v for k, v in json.loads(each).items() if k != "exported_at"}
                for each in (direct, got)
            )
        assert got == direct, fmt


@pytest.mark.parametrize("name", ["scores", "matrix", "reliability", "record"])
def test_workbooks_and_papers_are_prepared_too(round, organizer, name):
    for fmt in set(DOCUMENTS[name].formats) & {"xlsx", "pdf"}:
        start = prepared(round, organizer, DOCUMENTS[name], fmt).file.open("rb").read(4)
        assert start == (b"%PDF" if fmt == "pdf" else b"PK\x03\x04")


def test_a_direct_address_of_a_large_file_leads_to_the_page(client, round):
    for name, address in (
        ("scores", url("desk-export", round, "scores", "xlsx")),
        ("record", url("desk-export", round, "record", "json")),
    ):
        answer = client.get(address)
        assert answer.status_code == 302
        assert answer.url == url("desk-exports", round) + f"#{name}"
    answer = client.get(url("desk-record-export", round, "json"))
    assert answer.url == url("desk-exports", round)
    assert not PreparedFile.objects.exists(), "looking begins nothing"


# --- Asking ----------------------------------------------------------------------------------


def test_asking_twice_is_one_preparation(client, round, organizer):
    page = shown(client, round)
    assert url("desk-export-prepare", round, "scores", "csv") in page
    assert "Waits its turn" not in page
    first = ask(client, round)
    page = shown(client, round)
    assert "Waits its turn" in page
    assert 'hx-trigger="every 2s"' in page
    ask(client, round)
    second = make_user()
    EventRole.objects.create(event=round.event, user=second)
    client.force_login(second, backend=BACKEND)
    ask(client, round)
    assert PreparedFile.objects.get() == first
    assert first.asked_by == organizer
    # While it is written, whatever comes in.
    first.move(
        PreparedStatus.PREPARING, started_at=timezone.now(), heartbeat_at=timezone.now(), done=1
    )
    PreparedFile.objects.update(total=4)
    change(round, organizer)
    ask(client, round)
    assert PreparedFile.objects.get() == first
    assert "1 of 4 (25 %)" in shown(client, round)


def test_each_language_document_and_format_has_its_own(client, round):
    ask(client, round)
    ask(client, round, "matrix")
    ask(client, round, "matrix", "json")
    client.defaults["HTTP_ACCEPT_LANGUAGE"] = "zh-hans"
    ask(client, round)
    kinds = set(PreparedFile.objects.values_list("document", "fmt", "language"))
    assert kinds == {
        ("scores", "csv", "en"), ("matrix", "csv", "en"), ("matrix", "json", "en"),
        ("scores", "csv", "zh-hans"),
    }  # fmt: skip


def test_of_two_who_ask_in_the_same_moment_both_get_the_same(round, organizer, monkeypatch):
    kind = {"round": round, "document": "scores", "fmt": "csv", "language": "en"}
    atomic, other = transaction.atomic, []

    def a_moment_earlier():
        other.append(PreparedFile.objects.create(**kind))
        return atomic()

    monkeypatch.setattr(downloads, "transaction", SimpleNamespace(atomic=a_moment_earlier))
    assert downloads.ask(SCORES, round, "csv", organizer) == other[0]
    assert PreparedFile.objects.get() == other[0]


@pytest.mark.django_db(transaction=True)
def test_organizers_and_workers_at_once(round, organizer, monkeypatch):
    """However many ask and work in the same moment, each file is made once and one at a time."""
    monkeypatch.setattr(downloads, "wake", lambda: None)
    write, at_it, most, written = documents.Document.write, [], [], []

    def watched(self, source, fmt, *args):
        at_it.append(fmt)
        most.append(len(at_it))
        time.sleep(0.05)
        write(self, source, fmt, *args)
        written.append(at_it.pop())

    monkeypatch.setattr(documents.Document, "write", watched)

    def person(n):
        try:
            with translation.override("en"):
                downloads.ask(SCORES, round, ("csv", "json")[n % 2], organizer)
        finally:
            connection.close()

    def worker(n):
        try:
            for _n in range(30):
                if not downloads.prepare_next() and len(written) == 2:
                    break
                time.sleep(0.02)
        finally:
            connection.close()

    with ThreadPoolExecutor(8) as pool:
        list(pool.map(person, range(8)))
        assert PreparedFile.objects.filter(status=PreparedStatus.WAITING).count() == 2
        list(pool.map(worker, range(8)))
    assert sorted(written) == ["csv", "json"]
    assert most == [1, 1]
    assert set(PreparedFile.objects.values_list("status", flat=True)) == {PreparedStatus.READY}
    assert len(stored()) == 2


def test_a_worker_is_told_once_it_is_stored(
    round, organizer, monkeypatch, django_capture_on_commit_callbacks
):
    sent = []
    monkeypatch.setattr(prepare_download, "apply_async", lambda **options: sent.append(options))
    with django_capture_on_commit_callbacks(execute=True):
        file = downloads.ask(SCORES, round, "csv", organizer)
        assert sent == []
    assert sent == [{"retry": False}]
    prepare_download()
    file.refresh_from_db()
    assert file.status == PreparedStatus.READY


def test_a_broker_that_is_down_delays_it(
    round, organizer, monkeypatch, django_capture_on_commit_callbacks
):
    def down(*args, **options):
        raise OSError("no broker")

    monkeypatch.setattr(prepare_download, "apply_async", down)
    with django_capture_on_commit_callbacks(execute=True):
        downloads.ask(SCORES, round, "csv", organizer)
    sent = []
    monkeypatch.setattr(prepare_download, "apply_async", lambda **options: sent.append(options))
    assert downloads.tidy()["woken"] == 0, "it has only just been asked for"
    assert downloads.tidy(timezone.now() + timedelta(minutes=2))["woken"] == 1
    assert len(sent) == 1


def test_nothing_and_unknown_formats_are_refused(client, round, organizer):
    empty = make_round(round.track, format="roadshow", status="draft", ordinal=2)
    for name in ("scores", "record"):
        with pytest.raises(Refused) as refused:
            downloads.ask(DOCUMENTS[name], empty, "csv", organizer)
        assert refused.value.code == "nothing_yet"
        assert client.post(url("desk-export-prepare", empty, name, "csv")).status_code == 409
    with pytest.raises(Refused):
        downloads.ask(SCORES, round, "pdf", organizer)
    for name, fmt in (("scores", "pdf"), ("nothing", "csv")):
        assert client.post(url("desk-export-prepare", round, name, fmt)).status_code == 404
    assert client.put(url("desk-export-prepare", round, "scores", "csv")).status_code == 405
    assert not PreparedFile.objects.exists()


# --- Changed inputs --------------------------------------------------------------------------


def test_the_file_of_this_state_is_not_made_again(client, round, organizer):
    first = prepared(round, organizer)
    page = shown(client, round)
    assert url("desk-export-file", round, first.pk) in page
    assert "older state" not in page
    assert ask(client, round) == first
    assert PreparedFile.objects.count() == 1


def test_what_the_state_does_not_tell_is_had_by_preparing_it_anew(client, round, organizer):
    """A team that was given another name, say."""
    first = prepared(round, organizer)
    assert "Prepare anew" in shown(client, round)
    act = url("desk-export-prepare", round, "scores", "csv")
    for _press in range(2):
        assert client.post(act, {"anew": "1"}).status_code == 302
    second = PreparedFile.objects.exclude(pk=first.pk).get()
    assert downloads.prepare_next() == second
    assert url("desk-export-file", round, second.pk) in shown(client, round)


@pytest.mark.parametrize("document", [SCORES, DOCUMENTS["reliability"], RECORD])
def test_a_file_of_an_older_state_says_so_and_can_be_had_until_the_new_one_is_there(
    client, round, organizer, document
):
    fmt = "json"
    first = prepared(round, organizer, document, fmt)
    change(round, organizer)
    standings.refresh(round)
    page = shown(client, round)
    assert "older state" in page
    assert "Prepare anew" in page
    second = ask(client, round, document.name, fmt)
    assert second != first
    page = shown(client, round)
    assert "Waits its turn" in page
    assert url("desk-export-file", round, first.pk) in page
    downloads.tidy()
    assert default_storage.exists(first.file.name)
    downloads.prepare_next()
    page = shown(client, round)
    assert "older state" not in page
    assert url("desk-export-file", round, first.pk) not in page
    assert url("desk-export-file", round, second.pk) in page
    assert downloads.tidy()["removed"] == 1
    assert not default_storage.exists(first.file.name)
    assert PreparedFile.objects.get() == second


def test_whatever_is_not_in_the_ranking_counts_too(round, organizer):
    """A conflict of interest that is declared once all is signed, a proposal, a mark."""

    def state():
        return downloads._digest(SCORES.inputs(round))

    seen = {state()}
    rounds.close_round(round, organizer)
    proposal = advancement.propose(round, organizer)
    seen.add(state())
    advancement.sign_off(proposal, organizer)
    seen.add(state())
    judge = Scoresheet.objects.first().assignment.judge
    recuse(judge, round.participations.first().team, organizer, "adviser")
    assert Recusal.objects.exists()
    seen.add(state())
    first, second = Award.objects.create(round=round, name_en="A"), round.participations.first()
    awards.give(first, second, organizer)
    seen.add(state())
    assert len(seen) == 5


def test_a_wildcard_that_goes_to_another_team_is_another_state(round, organizer):
    """As many advance by one as before."""
    save_rule(round, organizer, wildcards=1, reserves=0, ties="ask", quotas=[])
    rounds.close_round(round, organizer)
    proposal = advancement.propose(round, organizer)
    out = [row.row.participation for row in proposal.rows.filter(outcome="out")][:2]
    seen = set()
    for team in out:
        advancement.give_wildcard(proposal, team, organizer, "host")
        seen.add(downloads._digest(DOCUMENTS["finalists"].inputs(round)))
        advancement.take_wildcard(proposal, team, organizer)
    assert len(seen) == 2


# --- Whatever goes wrong ---------------------------------------------------------------------


def test_moves_are_those_of_the_table(round):
    for before in PreparedStatus:
        for after in PreparedStatus:
            file = PreparedFile.objects.create(
                round=round, document="scores", fmt="csv", language="en", status=before
            )
            if after in PREPARED_MOVES[before]:
                file.move(after)
                assert file.status == after
            else:
                with pytest.raises(WrongMove):
                    file.move(after)
            file.refresh_from_db()
            assert file.status == (after if after in PREPARED_MOVES[before] else before)
            file.delete()


def test_a_message_that_comes_twice_writes_once(round, organizer, monkeypatch):
    file = downloads.ask(SCORES, round, "csv", organizer)
    written = []
    write = documents.Document.write

    def twice(self, *args):
        written.append(self.name)
        assert downloads.prepare_next() is None
        return write(self, *args)

    monkeypatch.setattr(documents.Document, "write", twice)
    assert downloads.prepare_next() == file
    assert downloads.prepare_next() is None
    assert written == ["scores"]
    assert len(stored()) == 1


def test_one_at_a_time_in_the_order_in_which_they_were_asked_for(round, organizer, monkeypatch):
    woken, written = [], []
    monkeypatch.setattr(downloads, "wake", lambda: woken.append(len(written)))
    for fmt in ("csv", "json", "xlsx"):
        downloads.ask(SCORES, round, fmt, organizer)
    write = documents.Document.write

    def another_comes(self, source, fmt, *args):
        assert downloads.prepare_next() is None, "one is being written"
        written.append(fmt)
        return write(self, source, fmt, *args)

    monkeypatch.setattr(documents.Document, "write", another_comes)
    for _n in range(4):
        downloads.prepare_next()
    assert written == ["csv", "json", "xlsx"]
    assert woken == [1, 2], "after each, while more wait"


def fails(*args):
    raise RuntimeError("the disk is full")


def test_what_fails_says_so_and_can_be_tried_again(client, round, organizer, monkeypatch, caplog):
    first = ask(client, round)
    with monkeypatch.context() as broken:
        broken.setattr(documents.Document, "write", fails)
        downloads.prepare_next()
    first.refresh_from_db()
    assert (first.status, first.fault) == (PreparedStatus.FAILED, "failed")
    assert "the disk is full" in caplog.text
    assert stored() == []
    page = shown(client, round)
    assert "It could not be written." in page
    assert "the disk is full" not in page
    second = ask(client, round)
    assert second != first
    assert "It could not be written." not in shown(client, round)
    downloads.prepare_next()
    assert url("desk-export-file", round, second.pk) in shown(client, round)
    downloads.tidy()
    assert PreparedFile.objects.get() == second, "what it replaced is removed"


def test_what_is_given_up_leaves_no_scores_behind(round, organizer, monkeypatch, tmp_path):
    scratch = tmp_path / "scratch"
    scratch.mkdir()
    monkeypatch.setattr(tempfile, "tempdir", str(scratch))
    file = downloads.ask(SCORES, round, "xlsx", organizer)
    monkeypatch.setattr(scores, "_team", fails)
    downloads.prepare_next()
    file.refresh_from_db()
    assert file.fault == "failed"
    assert list(scratch.iterdir()) == []
    assert stored() == []


def test_a_lost_worker_is_noticed_and_its_late_result_dropped(client, round, organizer):
    first = downloads.ask(SCORES, round, "csv", organizer)
    write = SCORES.formats["csv"][1]

    def slow(standing, out, progress):
        """While it writes, nobody hears of it for two minutes."""
        silent = timezone.now() - timedelta(minutes=2)
        PreparedFile.objects.filter(pk=first.pk).update(heartbeat_at=silent)
        page = shown(client, round)
        assert "The worker that prepared it was stopped." in page
        assert "Prepare anew" in page
        assert ask(client, round) != first
        write(standing, out, progress)

    changed = dict(SCORES.formats) | {"csv": (tables_out.CSV_TYPE, slow)}
    with pytest.MonkeyPatch.context() as patch:
        patch.setitem(
            DOCUMENTS, "scores", documents.Document(**(vars(SCORES) | {"formats": changed}))
        )
        downloads.prepare_next()
    first.refresh_from_db()
    assert (first.status, first.fault) == (PreparedStatus.FAILED, "lost")
    assert stored() == [], "the second has not been begun"
    second = PreparedFile.objects.get(status=PreparedStatus.WAITING)
    assert downloads.prepare_next() == second
    assert len(stored()) == 1


@pytest.mark.parametrize(
    ("fields", "minutes", "fault"),
    [
        ({"status": "waiting"}, 30, ""),
        ({"status": "waiting"}, 61, "no_worker"),
        # A worker is at another one.
        ({"status": "waiting", "busy": True}, 61, ""),
        ({"status": "preparing", "heartbeat_at": timedelta(0)}, 0.5, ""),
        ({"status": "preparing", "heartbeat_at": timedelta(0)}, 1.5, "lost"),
        # It says that it is alive, and does not come to its end.
        ({"status": "preparing", "heartbeat_at": timedelta(minutes=61)}, 61, "lost"),
    ],
)
def test_nothing_is_under_way_for_ever(client, round, monkeypatch, fields, minutes, fault):
    monkeypatch.setattr(downloads, "wake", lambda: None)
    start = timezone.now() - timedelta(minutes=minutes)
    if fields.get("busy"):
        PreparedFile.objects.create(
            round=round, document="matrix", fmt="csv", language="en", status="ready", size=1,
            started_at=timezone.now(), ended_at=timezone.now(), heartbeat_at=timezone.now(),
        )  # fmt: skip
        fields = {"status": "waiting"}
    if "heartbeat_at" in fields:
        fields = fields | {"heartbeat_at": start + fields["heartbeat_at"], "started_at": start}
    file = PreparedFile.objects.create(
        round=round, document="scores", fmt="csv", language="en", asked_at=start, **fields
    )
    assert ("Could not be prepared" in shown(client, round)) == bool(fault)
    tidy_downloads()
    file.refresh_from_db()
    assert (file.fault, file.is_active) == (fault, not fault)


def test_a_file_that_is_gone_from_the_store_can_be_made_anew(client, round, organizer):
    file = prepared(round, organizer)
    default_storage.delete(file.file.name)
    assert client.get(url("desk-export-file", round, file.pk)).status_code == 409
    assert "no longer in the store" in shown(client, round)
    assert ask(client, round) != file
    assert client.get(url("desk-export-file", round, file.pk)).status_code == 404


def test_a_round_that_has_nothing_any_more(client, round, organizer, monkeypatch):
    file = downloads.ask(SCORES, round, "csv", organizer)
    monkeypatch.setattr("leaderboard.exports.documents.standing_of", lambda round: None)
    empty = documents.Document(**(vars(SCORES) | {"source": lambda round: None}))
    monkeypatch.setitem(DOCUMENTS, "scores", empty)
    downloads.prepare_next()
    file.refresh_from_db()
    assert file.fault == "empty"


# --- Keeping and removing --------------------------------------------------------------------


def test_files_are_kept_for_some_days(round, organizer, settings, monkeypatch):
    settings.DOWNLOADS_KEPT_DAYS = 7
    first = prepared(round, organizer)
    matrix = prepared(round, organizer, DOCUMENTS["matrix"])
    assert first.kept_until - first.ended_at == timedelta(days=7)
    assert downloads.tidy(timezone.now() + timedelta(days=6.9))["removed"] == 0
    PreparedFile.objects.filter(pk=first.pk).update(ended_at=timezone.now() - timedelta(days=7.1))
    with monkeypatch.context() as broken:  # the store is away: it is removed later
        broken.setattr(FileSystemStorage, "delete", fails)
        assert downloads.tidy()["removed"] == 0
    assert PreparedFile.objects.count() == 2
    assert downloads.tidy()["removed"] == 1
    assert PreparedFile.objects.get() == matrix
    assert stored() == [matrix.file.name.removeprefix("downloads/")]


def test_names_in_the_store_cannot_be_guessed(round, organizer):
    file = prepared(round, organizer)
    name = file.file.name.removeprefix("downloads/")
    assert len(name) >= 40
    for known in (str(file.pk), file.pk.hex, round.slug, round.event.slug, "scores"):
        assert known not in name
    assert prepared(round, organizer, DOCUMENTS["matrix"]).file.name != file.file.name


def test_files_in_an_object_store(client, round, organizer, settings):
    with object_store() as store:
        settings.STORAGES = settings.STORAGES | {
            "default": {
                "BACKEND": "storages.backends.s3.S3Storage",
                "OPTIONS": {
                    "bucket_name": store["S3_BUCKET"],
                    "endpoint_url": store["S3_ENDPOINT_URL"],
                    "region_name": store["S3_REGION"],
                    "access_key": store["S3_ACCESS_KEY"],
                    "secret_key": store["S3_SECRET_KEY"],
                    "addressing_style": store["S3_ADDRESSING_STYLE"],
                    "default_acl": "private",
                    "file_overwrite": False,
                },
            }
        }
        file = prepared(round, organizer, fmt="json")
        assert stored() == [file.file.name.removeprefix("downloads/")]
        got = content(client.get(url("desk-export-file", round, file.pk)))
        assert len(got) == file.size
        assert json.loads(got)["round"] == round.slug
        downloads.tidy(timezone.now() + timedelta(days=8))
        assert stored() == []
        again = prepared(round, organizer)
        default_storage.delete(again.file.name)
        assert client.get(url("desk-export-file", round, again.pk)).status_code == 409


def test_a_file_is_of_one_round(client, round, organizer):
    other = make_round(round.track, format="roadshow", ordinal=2)
    file = prepared(round, organizer)
    assert client.get(url("desk-export-file", other, file.pk)).status_code == 404
    content(client.get(url("desk-export-file", round, file.pk)))


# --- Progress, pages, API --------------------------------------------------------------------


@pytest.mark.django_db(transaction=True)
def test_how_far_it_is_can_be_seen_while_it_is_written(client, round, organizer, monkeypatch):
    monkeypatch.setattr(downloads, "BEAT_S", 0.01)
    file = downloads.ask(RECORD, round, "csv", organizer)
    row, seen = documents.record_exports.row, []

    def slow(entry):
        if entry.number == 5:
            deadline = timezone.now() + timedelta(seconds=20)
            while timezone.now() < deadline:
                file.refresh_from_db()
                if file.done == 4:
                    break
            part = client.get(
                url("desk-export-prepare", round, "record", "csv"), headers={"HX-Request": "true"}
            ).content.decode()
            seen.append(part)
        return row(entry)

    monkeypatch.setattr("judging.exports.row", slow)
    downloads.prepare_next()
    total = record.of_round(round).length
    assert f"4 of {total} ({100 * 4 // total} %)" in seen[0]
    assert f'<progress value="4" max="{total}"' in seen[0]
    assert 'hx-trigger="every 2s"' in seen[0]
    assert "<html" not in seen[0]
    part = client.get(
        url("desk-export-prepare", round, "record", "csv"), headers={"HX-Request": "true"}
    ).content.decode()
    assert "hx-trigger" not in part
    assert url("desk-export-file", round, file.pk) in part
    assert "%)" not in part
    # Without htmx it is the page.
    answer = client.get(url("desk-export-prepare", round, "record", "csv"))
    assert answer.url == url("desk-exports", round) + "#record"


def test_the_page_asks_no_more_for_more_files(
    client, round, organizer, django_assert_max_num_queries
):
    prepared(round, organizer)
    prepared(round, organizer, RECORD)
    shown(client, round)
    with django_assert_max_num_queries(60) as few:
        shown(client, round)
    for document in DOCUMENTS.values():
        if document.is_there(round):
            for fmt in document.formats:
                prepared(round, organizer, document, fmt)
    with django_assert_max_num_queries(len(few)):
        shown(client, round)
    with django_assert_max_num_queries(25):
        client.get(
            url("desk-export-prepare", round, "scores", "csv"), headers={"HX-Request": "true"}
        )


def test_the_api_says_where_to_ask(client, round, organizer):
    standing = standings.current(round, standings.FULL)
    address = reverse("api-standing-file", args=[standing.pk, "scores", "json"])
    answer = client.get(address)
    assert answer.status_code == 202
    told = answer.json()
    assert (told["status"], told["document"], told["fmt"]) == ("waiting", "scores", "json")
    place = answer["Location"]
    assert place == reverse("api-prepared-file-detail", args=[told["id"]])
    assert client.get(address).json()["id"] == told["id"]
    refused = client.get(place + "file/")
    assert (refused.status_code, refused.json()["code"]) == (409, "not_ready")
    downloads.prepare_next()
    told = client.get(place).json()
    assert (told["status"], told["done"], told["total"]) == ("ready", 4, 4)
    file = content(client.get(place + "file/"))
    assert len(file) == told["size"]
    assert content(client.get(address)) == file
    PreparedFile.objects.update(status="preparing", started_at=timezone.now(), heartbeat_at=None)
    PreparedFile.objects.update(heartbeat_at=timezone.now() - timedelta(minutes=2))
    assert client.get(place).json()["fault"] == "lost"
    other = make_user()
    make_event(other)
    client.force_login(other, backend=BACKEND)
    for path in (address, place, place + "file/"):
        assert client.get(path).status_code == 404
    assert client.get(place.replace(told["id"], "nonsense")).status_code == 404
