"""What platforms fetch of us, and what can be done with comments. What platforms tell comes by `/hooks/`."""

from django.urls import path

from channels_social import public, views

urlpatterns = [
    path("files/<str:signed>/", public.file, name="public-file"),
    path("tickets/<int:number>/messages/<int:pk>/post/", views.post, name="comment-post"),
    path("tickets/<int:number>/messages/<int:pk>/comment/<slug:deed>/", views.comment, name="comment-deed"),
]
