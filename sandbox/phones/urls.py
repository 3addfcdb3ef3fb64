"""Addresses of the emulated platforms' APIs, and of the pages where one plays their people."""

from django.urls import include, path

from sandbox.phones import telegram, twilio, views

urlpatterns = [
    path("", views.phones, name="phones"),
    path("<int:pk>/", views.account, name="phones-account"),
    path("<int:pk>/log/", views.log, name="phones-log"),
    path("<int:pk>/trouble/", views.trouble, name="phones-trouble"),
    path("person/<int:pk>/", views.person, name="phones-person"),
    path("person/<int:pk>/news/", views.news, name="phones-news"),
    path("person/<int:pk>/act/", views.act, name="phones-act"),
    path("media/<int:pk>/", views.media, name="phones-media"),
    path("telegram/", include(telegram.urlpatterns)),
    path("twilio/", include(twilio.urlpatterns)),
]
