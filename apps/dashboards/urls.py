from __future__ import annotations

from django.urls import include, path

from apps.dashboards import (
    calibration_views,
    ledger_views,
    onboarding,
    qa_views,
    repricing_views,
    sessions_views,
    views,
)

urlpatterns = [
    path("", views.landing, name="landing"),
    path("start/", onboarding.start, name="start"),
    path("start/waiting/", onboarding.waiting_fragment, name="start-waiting"),
    path("start/test-event/", onboarding.send_test_event, name="start-test"),
    path("start/key/", onboarding.new_key, name="start-key"),
    path("dashboard/", views.dashboard, name="dashboard"),
    path("dashboard/bands/<slug:slug>/", views.band, name="band"),
    path("dashboard/trends/<slug:slug>/", views.trends, name="trends"),
    path("metrics/", views.metrics, name="metrics"),
    path("metrics/<slug:key>/", views.metric, name="metric"),
    path("metrics/<slug:key>/csv/", views.metric_csv, name="metric-csv"),
    path("sessions/", sessions_views.sessions, name="sessions"),
    path("sessions/<str:public_id>/<str:session_id>/", sessions_views.session, name="session"),
    path("qa/", qa_views.queue, name="qa"),
    path("qa/draw/", qa_views.draw, name="qa-draw"),
    path("qa/<str:public_id>/<str:session_id>/", qa_views.review, name="qa-review"),
    path("calibration/", calibration_views.label_page, name="calibration"),
    path("calibration/draw/", calibration_views.draw, name="calibration-draw"),
    path("calibration/undo/", calibration_views.undo, name="calibration-undo"),
    path("calibration/report/", calibration_views.report, name="calibration-report"),
    path("calibration/use/", calibration_views.use, name="calibration-use"),
    path("calibration/<int:number>/<int:place>/", calibration_views.label, name="calibration-label"),
    path("freshness/", views.freshness_badge, name="freshness"),
    path("events/ledger/", ledger_views.batches, name="ledger"),
    path("events/ledger/<int:batch_id>/withdraw/", ledger_views.withdraw, name="withdraw"),
    path("events/rejected/", ledger_views.rejected, name="rejected"),
    path("events/rejected/replay/", ledger_views.replay, name="replay"),
    path("settings/repricing/", repricing_views.repricing, name="repricing"),
    path(
        "settings/repricing/<int:repricing_id>/apply/",
        repricing_views.decide,
        {"decision": "apply"},
        name="repricing-apply",
    ),
    path(
        "settings/repricing/<int:repricing_id>/discard/",
        repricing_views.decide,
        {"decision": "discard"},
        name="repricing-discard",
    ),
    path("demo/", include("apps.dashboards.demo.urls")),
    path("styleguide", views.styleguide, name="styleguide"),
]
