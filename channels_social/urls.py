"""What platforms fetch of us. What they tell comes by `/hooks/`, which is the inbox's."""

from django.urls import path

from channels_social import public

urlpatterns = [path("files/<str:signed>/", public.file, name="public-file")]
