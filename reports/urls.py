"""Addresses of the figures. What is asked for stands in the query of each."""

from django.urls import path

from reports.views import answers, bots, dashboard, exports, figures, pains, tickets, wishes

urlpatterns = [
    path("reports/", dashboard.page, name="reports"),
    path("reports/cards/<slug:key>/", dashboard.card, name="reports-card"),
    path("reports/parts/<slug:key>/", dashboard.part, name="reports-part"),
    path("reports/answers/", answers.page, name="reports-answers"),
    path("reports/answers/export/", answers.export, name="reports-answers-export"),
    path("reports/bots/", bots.page, name="reports-bots"),
    path("reports/pains/", pains.page, name="reports-pains"),
    path("reports/pains/<slug:key>/", pains.part, name="reports-pains-part"),
    path("reports/tickets/", tickets.behind, name="reports-tickets"),
    path("reports/export/", exports.figures, name="reports-export"),
    path("reports/tickets/export/", exports.tickets, name="reports-tickets-export"),
    path("reports/targets/<slug:key>/", wishes.target, name="reports-target"),
    path("settings/figures/", figures.settings_page, name="settings-figures"),
    path("reports/weekly/", wishes.weekly, name="reports-weekly"),
]
