"""Addresses of the agents' side of live chat."""

from django.urls import path

from channels_chat.views import deeds, desk, people

urlpatterns = [
    path("chats/", desk.desk, name="chats"),
    path("chats/rail/", desk.rail, name="chat-rail"),
    path("chats/takes/", deeds.takes, name="chat-takes"),
    path("chats/offers/", deeds.offers, name="chat-offers"),
    path("chats/visitors/", people.visitors, name="chat-visitors"),
    path("chats/visitors/start/", people.start, name="chat-start"),
    path("chats/<int:number>/", desk.column, name="chat"),
    path("chats/<int:number>/head/", desk.head, name="chat-head"),
    path("chats/<int:number>/lines/", desk.said, name="chat-lines"),
    path("chats/<int:number>/pages/", desk.pages, name="chat-pages"),
    path("chats/<int:number>/messages/", deeds.say, name="chat-say"),
    path("chats/<int:number>/accept/", deeds.accept, name="chat-accept"),
    path("chats/<int:number>/decline/", deeds.decline, name="chat-decline"),
    path("chats/<int:number>/transfer/", deeds.transfer, name="chat-transfer"),
    path("chats/<int:number>/end/", deeds.end, name="chat-end"),
    path("chats/<int:number>/page/", deeds.page, name="chat-page"),
]
