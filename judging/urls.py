from django.urls import path

from judging.views import (
    benchmarks,
    conflicts,
    feedback,
    grid,
    judge,
    panels,
    record,
    roadshow,
    rubrics,
    seating,
    submissions,
    workers,
)

DESK = "e/<slug:slug>/desk/"
DESK_ROUND = DESK + "r/<slug:round_slug>/"
PARTICIPATION = "e/<slug:slug>/r/<slug:round_slug>/teams/<slug:code>/"

urlpatterns = [
    path(
        PARTICIPATION + "submissions/",
        submissions.participation_submissions,
        name="participation-submissions",
    ),
    path(PARTICIPATION + "sample/", submissions.sample, name="sample-submission"),
    path(PARTICIPATION + "feedback/", feedback.team_feedback, name="team-feedback"),
    path("submissions/<uuid:pk>/", submissions.submission, name="submission"),
    path("submissions/<uuid:pk>/file/", submissions.submission_file, name="submission-file"),
    path(
        "submissions/<uuid:pk>/withdraw/",
        submissions.submission_withdraw,
        name="submission-withdraw",
    ),
    path("submissions/<uuid:pk>/choose/", submissions.submission_choose, name="submission-choose"),
    path("submissions/<uuid:pk>/cancel/", submissions.submission_cancel, name="submission-cancel"),
    path(DESK_ROUND + "benchmark/", benchmarks.desk_benchmark, name="desk-benchmark"),
    path(DESK_ROUND + "benchmark/rescore/", benchmarks.desk_rescore, name="desk-rescore"),
    path(DESK_ROUND + "submissions/baseline/", submissions.desk_baseline, name="desk-baseline"),
    path(DESK + "workers/", workers.desk_workers, name="desk-workers"),
    path(DESK_ROUND + "submissions/", submissions.desk_submissions, name="desk-submissions"),
    # Judges
    path("judge/", judge.judge_home, name="judge-home"),
    path("judge/worker.js", judge.judge_worker, name="judge-worker"),
    path("judge/manifest.json", judge.judge_manifest, name="judge-manifest"),
    path("judge/teams/<int:pk>/files/<int:file>/", judge.judge_file, name="judge-file"),
    path("judge/conflicts/", conflicts.judge_conflicts, name="judge-conflicts"),
    # Organizers
    path(DESK + "rubrics/", rubrics.desk_rubrics, name="desk-rubrics"),
    path(DESK + "rubrics/new/", rubrics.desk_rubric_new, name="desk-rubric-new"),
    path(DESK + "rubrics/<int:pk>/", rubrics.desk_rubric, name="desk-rubric"),
    path(DESK + "rubrics/<int:pk>/copy/", rubrics.desk_rubric_copy, name="desk-rubric-copy"),
    path(
        DESK + "rubrics/<int:pk>/version/", rubrics.desk_rubric_version, name="desk-rubric-version"
    ),
    path(
        DESK + "rubrics/<int:pk>/preview/", rubrics.desk_rubric_preview, name="desk-rubric-preview"
    ),
    path(DESK + "judges/", panels.desk_judges, name="desk-judges"),
    path(DESK + "judges/links/", panels.desk_judge_links, name="desk-judge-links"),
    path(DESK + "judges/<int:pk>/", panels.desk_judge, name="desk-judge"),
    path(DESK + "judges/<int:pk>/link/", panels.desk_judge_link, name="desk-judge-link"),
    path(DESK + "links/<uuid:pk>/revoke/", panels.desk_link_revoke, name="desk-link-revoke"),
    path(DESK_ROUND + "panels/", seating.desk_panel, name="desk-panel"),
    path(DESK_ROUND + "panels/import/", seating.desk_panel_import, name="desk-panel-import"),
    path(
        DESK_ROUND + "panels/import/<slug:kind>/",
        seating.desk_panel_import_kind,
        name="desk-panel-import-kind",
    ),
    path(
        DESK_ROUND + "panels/import/<slug:kind>.<slug:fmt>",
        seating.desk_panel_template,
        name="desk-panel-template",
    ),
    path(DESK_ROUND + "panels/<int:pk>/", seating.desk_panel_edit, name="desk-panel-edit"),
    path(
        DESK_ROUND + "panels/<int:pk>/rubric/", rubrics.desk_panel_rubric, name="desk-panel-rubric"
    ),
    path(
        DESK_ROUND + "panels/<int:pk>/assign-all/",
        seating.desk_assign_all,
        name="desk-assign-all",
    ),
    path(DESK_ROUND + "panels/<int:pk>/assign/", seating.desk_assign, name="desk-assign"),
    path(DESK_ROUND + "panels/<int:pk>/design/", seating.desk_design, name="desk-design"),
    path(
        DESK_ROUND + "panels/<int:pk>/substitute/",
        seating.desk_substitute,
        name="desk-substitute",
    ),
    path(DESK_ROUND + "recusals/", seating.desk_recuse, name="desk-recuse"),
    path(
        DESK_ROUND + "recusals/<int:pk>/lift/",
        seating.desk_recusal_lift,
        name="desk-recusal-lift",
    ),
    path(DESK_ROUND + "record/", record.desk_record, name="desk-record"),
    path(DESK_ROUND + "record.<str:fmt>", record.desk_record_export, name="desk-record-export"),
    path(DESK_ROUND + "roadshow/", roadshow.desk_roadshow, name="desk-roadshow"),
    path(DESK_ROUND + "roadshow/act/", roadshow.desk_roadshow_act, name="desk-roadshow-act"),
    path(
        DESK_ROUND + "roadshow/settings/",
        roadshow.desk_roadshow_settings,
        name="desk-roadshow-settings",
    ),
    path(DESK_ROUND + "grid/", grid.desk_grid, name="desk-grid"),
    path(DESK_ROUND + "grid/act/", grid.desk_grid_act, name="desk-grid-act"),
    path(DESK_ROUND + "sheets/<uuid:pk>/return/", grid.desk_sheet_return, name="desk-sheet-return"),
]
