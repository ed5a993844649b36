from judging.api import tablet, views


def register(router) -> None:
    """Add this app's endpoints to the API's router."""
    router.register("benchmarks", views.BenchmarkViewSet, "api-benchmark")
    router.register("submissions", views.SubmissionViewSet, "api-submission")
    router.register("runs", views.RunViewSet, "api-run")
    router.register("rubrics", views.RubricViewSet, "api-rubric")
    router.register("judges", views.JudgeViewSet, "api-judge")
    router.register("panels", views.PanelViewSet, "api-panel")
    router.register("assignments", views.AssignmentViewSet, "api-assignment")
    router.register("scoresheets", views.ScoresheetViewSet, "api-scoresheet")
    router.register("tablet", tablet.TabletViewSet, "api-tablet")
    router.register("recusals", views.RecusalViewSet, "api-recusal")
    router.register("ties", views.TieViewSet, "api-tie")
