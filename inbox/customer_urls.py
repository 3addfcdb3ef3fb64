"""Addresses of customers and organisations, and of what is like a ticket."""

from django.urls import path

from inbox.views import customer_list, customer_notes, customers, facts, joining, organisations, similar, suggestions

urlpatterns = [
    path("customers/", customer_list.index, name="customers"),
    path("customers/new/", customer_list.new, name="customer-new"),
    path("customers/views/", customer_list.keep, name="customers-views"),
    path("customers/views/<int:pk>/", customer_list.forget, name="customers-view"),
    path("customers/<int:pk>/", customers.customer, name="customer"),
    path("customers/<int:pk>/tickets/", customers.tickets, name="customer-tickets"),
    path("customers/<int:pk>/journey/", customers.journey_of, name="customer-journey"),
    path("customers/<int:pk>/facts/<slug:name>/", facts.fact, name="customer-fact"),
    path("customers/<int:pk>/attributes/<slug:key>/", facts.attribute, name="customer-attribute"),
    path("customers/<int:pk>/identities/", facts.identities, name="customer-identities"),
    path("customers/<int:pk>/identities/<int:identity>/", facts.identity, name="customer-identity"),
    path("customers/<int:pk>/notes/", customer_notes.notes, name="customer-notes"),
    path("customers/<int:pk>/notes/<int:note>/", customer_notes.note, name="customer-note"),
    path("customers/suggestions/", suggestions.customers, name="customer-suggestions"),
    path("organisations/suggestions/", suggestions.organisations, name="organisation-suggestions"),
    path("customers/<int:pk>/merge/", joining.choose, name="customer-merge-with"),
    path("customers/<int:pk>/merge/<int:other>/", joining.merge, name="customer-merge"),
    path("customers/<int:pk>/different/<int:other>/", joining.different, name="customer-different"),
    path("customers/<int:pk>/unmerge/", joining.unmerge, name="customer-unmerge"),
    path("customers/<int:pk>/erase/", customers.erase, name="customer-erase"),
    path("organisations/<int:pk>/", organisations.organisation, name="organisation"),
    path("organisations/options/", facts.organisation_options, name="organisation-options"),
    path("tickets/<int:number>/similar/", similar.similar, name="ticket-similar"),
]
