from __future__ import annotations

from django.urls import path

from apps.dashboards.demo import views

urlpatterns = [
    path("", views.demo, name="demo"),
    path("load/", views.load, name="demo_load"),
    path("remove/", views.remove, name="demo_remove"),
]
