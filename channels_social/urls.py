"""What can be done with comments, from the message that shows one."""

from django.urls import path

from channels_social import views

urlpatterns = [
    path("tickets/<int:number>/messages/<int:pk>/comment/<slug:deed>/", views.comment, name="comment-deed"),
]
