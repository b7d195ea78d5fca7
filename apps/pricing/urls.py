from __future__ import annotations

from django.urls import path

from apps.pricing import api

urlpatterns = [
    path("api/v1/cost-settings", api.CostSettings.as_view(), name="api-cost-settings"),
    path("api/v1/contract-prices", api.ContractPrices.as_view(), name="api-contract-prices"),
    path(
        "api/v1/contract-prices/<int:price_id>",
        api.OneContractPrice.as_view(),
        name="api-contract-price",
    ),
]
