from django.urls import path

from judging.views import benchmarks, submissions

DESK_ROUND = "e/<slug:slug>/desk/r/<slug:round_slug>/"
PARTICIPATION = "e/<slug:slug>/r/<slug:round_slug>/teams/<slug:code>/"

urlpatterns = [
    path(
        PARTICIPATION + "submissions/",
        submissions.participation_submissions,
        name="participation-submissions",
    ),
    path(PARTICIPATION + "sample/", submissions.sample, name="sample-submission"),
    path("submissions/<uuid:pk>/", submissions.submission, name="submission"),
    path("submissions/<uuid:pk>/file/", submissions.submission_file, name="submission-file"),
    path(
        "submissions/<uuid:pk>/withdraw/",
        submissions.submission_withdraw,
        name="submission-withdraw",
    ),
    path(DESK_ROUND + "benchmark/", benchmarks.desk_benchmark, name="desk-benchmark"),
    path(DESK_ROUND + "benchmark/rescore/", benchmarks.desk_rescore, name="desk-rescore"),
    path(DESK_ROUND + "submissions/", submissions.desk_submissions, name="desk-submissions"),
]
