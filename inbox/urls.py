"""Addresses of the agents' workplace. Each is a noun; what changes something is a POST to it."""

from django.urls import path
from django.views.i18n import set_language

from inbox import customer_urls
from inbox.views import entrance, files, inbox, messages, palette, people, tickets
from inbox.views.settings import account, audit, blocked, channels, overview
from inbox.views.settings import fields as settings_fields
from inbox.views.settings import people as settings_people
from inbox.views.settings import tags as settings_tags
from inbox.views.settings import teams as settings_teams

urlpatterns = [
    *customer_urls.urlpatterns,
    path("", inbox.inbox, name="inbox"),
    path("tickets/<int:number>/", tickets.ticket, name="ticket"),
    path("tickets/<int:number>/changes/", tickets.changes, name="ticket-changes"),
    path("tickets/<int:number>/earlier/", tickets.earlier, name="ticket-earlier"),
    path("tickets/<int:number>/messages/", messages.create, name="ticket-messages"),
    path("tickets/<int:number>/assignment/", tickets.assignment, name="ticket-assignment"),
    path("tickets/<int:number>/status/", tickets.status, name="ticket-status"),
    path("tickets/<int:number>/priority/", tickets.priority, name="ticket-priority"),
    path("tickets/<int:number>/tags/", tickets.tags, name="ticket-tags"),
    path("tickets/<int:number>/subject/", tickets.subject, name="ticket-subject"),
    path("tickets/<int:number>/spam/", tickets.spam, name="ticket-spam"),
    path("tickets/<int:number>/trash/", tickets.trash, name="ticket-trash"),
    path("tickets/<int:number>/erasure/", tickets.erasure, name="ticket-erasure"),
    path("tickets/<int:number>/snooze/", tickets.snooze, name="ticket-snooze"),
    path("tickets/<int:number>/merge/", tickets.merge, name="ticket-merge"),
    path("messages/<int:pk>/retry/", messages.retry, name="message-retry"),
    path("messages/<int:pk>/ticket/", messages.ticket, name="message-ticket"),
    path("messages/<int:pk>/sender/", messages.sender, name="message-sender"),
    path("messages/<int:pk>/raw/", messages.raw, name="message-raw"),
    path("messages/<int:pk>/html/", messages.as_html, name="message-html"),
    path("attachments/<int:pk>/", files.attachment, name="attachment"),
    path("uploads/", files.upload, name="uploads"),
    path("settings/", overview.overview, name="settings"),
    path("settings/channels/", channels.index, name="settings-channels"),
    path("settings/channels/<slug:slug>/", channels.channel, name="settings-channel"),
    path("settings/channels/<slug:slug>/settings/", channels.settings, name="settings-channel-settings"),
    path("settings/channels/<slug:slug>/test/", channels.test, name="settings-channel-test"),
    path("settings/channels/<slug:slug>/pause/", channels.pause, name="settings-channel-pause"),
    path("settings/channels/<slug:slug>/disconnect/", channels.disconnect, name="settings-channel-disconnect"),
    path("settings/channels/<slug:slug>/receipts/", channels.retry_all, name="settings-channel-retry-all"),
    path("settings/channels/<slug:slug>/receipts/<int:pk>/", channels.retry, name="settings-channel-retry"),
    path("settings/channels/<slug:slug>/receipts/<int:pk>/raw/", channels.raw, name="settings-channel-raw"),
    path("settings/channels/new/<slug:kind>/", channels.connect, name="settings-channel-connect"),
    path("settings/profile/", account.profile, name="settings-profile"),
    path("settings/security/log-ins/", account.log_ins, name="settings-log-ins"),
    path("settings/people/", settings_people.people, name="settings-people"),
    path("settings/people/invite/", settings_people.invite, name="settings-invite"),
    path("settings/people/<int:pk>/", settings_people.person, name="settings-person"),
    path("settings/people/<int:pk>/account/", settings_people.account, name="settings-person-account"),
    path("settings/people/invitations/<int:pk>/", settings_people.invitation, name="settings-invitation"),
    path("settings/teams/", settings_teams.teams, name="settings-teams"),
    path("settings/teams/new/", settings_teams.team, name="settings-new-team"),
    path("settings/teams/<int:pk>/", settings_teams.team, name="settings-team"),
    path("settings/fields/", settings_fields.fields, name="settings-fields"),
    path("settings/fields/new/", settings_fields.field, name="settings-new-field"),
    path("settings/fields/<int:pk>/", settings_fields.field, name="settings-field"),
    path("settings/fields/<int:pk>/place/", settings_fields.move, name="settings-field-move"),
    path("settings/fields/<int:pk>/delete/", settings_fields.delete, name="settings-field-delete"),
    path("settings/tags/", settings_tags.tags, name="settings-tags"),
    path("settings/tags/new/", settings_tags.tag, name="settings-new-tag"),
    path("settings/tags/<int:pk>/", settings_tags.tag, name="settings-tag"),
    path("settings/tags/<int:pk>/merge/", settings_tags.merge, name="settings-tag-merge"),
    path("settings/tags/<int:pk>/delete/", settings_tags.delete, name="settings-tag-delete"),
    path("settings/blocked/", blocked.blocked, name="settings-blocked"),
    path("settings/blocked/<int:pk>/", blocked.unblock, name="settings-unblock"),
    path("settings/audit/", audit.log, name="settings-audit"),
    path("invitation/<str:token>/", entrance.invitation, name="invitation"),
    path("palette/", palette.palette, name="palette"),
    path("profile/", people.profile, name="profile"),
    path("problems/", people.problems, name="problems"),
    path("signs/", people.signs, name="signs"),
    path("language/", set_language, name="set_language"),
]
