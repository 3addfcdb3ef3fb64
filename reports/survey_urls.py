"""Where customers answer surveys, and the pages on which surveys are made."""

from django.urls import path

from reports.views import survey_settings, surveys

urlpatterns = [
    path("survey/<str:token>/", surveys.page, name="survey"),
    path("settings/surveys/", survey_settings.surveys, name="settings-surveys"),
    path("settings/surveys/new/<slug:kind>/", survey_settings.survey, name="settings-new-survey"),
    path("settings/surveys/preview/", survey_settings.preview, name="settings-surveys-preview"),
    path("settings/surveys/<int:pk>/", survey_settings.survey, name="settings-survey"),
    path("settings/surveys/<int:pk>/switch/", survey_settings.switch, name="settings-survey-switch"),
    path("settings/surveys/<int:pk>/delete/", survey_settings.delete, name="settings-survey-delete"),
]
