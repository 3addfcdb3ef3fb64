"""Addresses of customers' worth."""

from django.urls import path

from reports.views import revenue, worth

urlpatterns = [
    path("settings/revenue/", revenue.settings_page, name="settings-revenue"),
    path("settings/revenue/files/", revenue.upload, name="settings-revenue-upload"),
    path("settings/revenue/<int:pk>/", revenue.one_import, name="settings-revenue-import"),
    path("reports/customers/", worth.customers, name="reports-customers"),
    path("reports/at-risk/", worth.at_risk, name="reports-at-risk"),
]
