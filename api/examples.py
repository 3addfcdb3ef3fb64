"""One realistic example for each shape of the API, which the description shows wherever the shape is taken or answered.

An app that adds shapes of its own adds their examples with `add`; a test misses those that nobody gave.
"""

from __future__ import annotations

from typing import Any

CHANNEL = {"id": 1, "slug": "support", "kind": "email"}
CUSTOMER = {"id": 17, "name": "Ayesha Khan"}
AGENT = {"id": 3, "name": "Sana Malik"}
TEAM = {"id": 2, "slug": "orders", "name": "Orders"}
ORGANISATION = {"id": 4, "name": "Khan Textiles"}
AT, LATER = "2026-11-24T09:12:00Z", "2026-11-24T10:05:41Z"
BASE = "https://desk.example.com"

CARD = {
    "key": "order-A-1009",
    "title": "Order A-1009",
    "url": "https://shop.example/orders/A-1009",
    "fields": [
        {"label": "Total", "value": "PKR 4,250"},
        {"label": "Parcel", "value": "TCS 7781 2200", "url": "https://tracking.example/77812200"},
    ],
    "position": 0,
    "expires_at": "2027-01-31T00:00:00Z",
    "updated_at": "2026-11-24T09:12:00Z",
}

TICKET = {
    "number": 4711,
    "subject": "Where is my parcel?",
    "status": "open",
    "priority": "normal",
    "type": "question",
    "severity": None,
    "topic": "delivery",
    "attributes": {"order": "A-1009"},
    "external_id": None,
    "organisation": ORGANISATION,
    "participants": [
        {"kind": "email", "value": "ayesha@example.com", "name": "Ayesha Khan", "role": "requester"},
    ],
    "due_at": None,
    "spam": False,
    "trashed": False,
    "channel": CHANNEL,
    "customer": CUSTOMER,
    "assignee": AGENT,
    "team": TEAM,
    "tags": ["parcel"],
    "language": "en",
    "snoozed_until": None,
    "message_count": 2,
    "created_at": AT,
    "updated_at": LATER,
    "last_customer_message_at": AT,
    "first_replied_at": LATER,
    "solved_at": None,
    "closed_at": None,
    "reopen_count": 0,
    "csat": None,
    "follow_up_of": None,
    "merged_into": None,
    "url": f"{BASE}/tickets/4711/",
}
ATTACHMENT = {
    "id": 88,
    "name": "label.pdf",
    "content_type": "application/pdf",
    "size": 18211,
    "inline": False,
    "url": f"{BASE}/api/v1/attachments/88/",
}
MESSAGE = {
    "id": 9021,
    "ticket": 4711,
    "direction": "out",
    "origin": "channel",
    "side": None,
    "to": [{"name": "Ayesha Khan", "address": "ayesha@example.com"}],
    "cc": [],
    "bcc": [],
    "channel": CHANNEL,
    "author": {"type": "agent", "id": 3, "name": "Sana Malik", "address": ""},
    "subject": "Re: Where is my parcel?",
    "text": "It left our warehouse today and should reach you tomorrow.",
    "html": "",
    "visible_text": "It left our warehouse today and should reach you tomorrow.",
    "language": "",
    "content_kind": "text",
    "content": {},
    "rating": None,
    "comment": None,
    "public": False,
    "edited_at": None,
    "withdrawn_at": None,
    "reactions": [],
    "external_id": "4711.9021@desk.example.com",
    "in_reply_to": "one@example.com",
    "is_auto_reply": False,
    "attachments": [ATTACHMENT],
    "delivery": {
        "state": "sent",
        "attempts": 1,
        "error": "",
        "sent_at": LATER,
        "delivered_at": None,
        "read_at": None,
    },
    "send_at": None,
    "logged": None,
    "created_at": LATER,
    "received_at": LATER,
}
FULL_CUSTOMER = {
    "id": 17,
    "external_id": "crm-2201",
    "name": "Ayesha Khan",
    "organisation": ORGANISATION,
    "stage": "customer",
    "language": "ur",
    "time_zone": "Asia/Karachi",
    "preferred_channel": CHANNEL,
    "opt_outs": [],
    "tags": ["vip"],
    "attributes": {"plan": "pro"},
    "identities": [{"id": 21, "kind": "email", "value": "ayesha@example.com", "verified": True}],
    "created_at": "2025-03-02T08:00:00Z",
    "last_seen_at": AT,
    "ticket_count": 6,
    "open_ticket_count": 1,
}
HAPPENED = {
    "id": 501,
    "kind": "order",
    "at": "2026-11-20T16:31:00Z",
    "data": {"number": "A-1009", "total": 42.5},
    "external_id": "A-1009",
}
DIRECTION = {"failing_since": None, "error": "", "last_at": LATER}
FULL_CHANNEL = {
    "id": 1,
    "kind": "email",
    "slug": "support",
    "name": "Support",
    "addresses": ["support@example.org"],
    "default_team": TEAM,
    "teams": [],
    "paused": False,
    "health": {"receiving": DIRECTION, "sending": DIRECTION},
    "settings": {"address": "support@example.org", "name": "Support"},
    "webhook_url": f"{BASE}/hooks/email/J5vVhx0Yp3/",
    "created_at": "2025-01-10T08:00:00Z",
}
TOKEN = {
    "id": 5,
    "name": "Shop",
    "scope": "write",
    "prefix": "rabta_9fK2xQ",
    "agent": AGENT,
    "created_at": AT,
    "last_used_at": None,
    "revoked_at": None,
}
MACRO = {"set": "status", "to": "pending"}

EXAMPLES: dict[str, Any] = {
    "Ticket": TICKET,
    "TicketIn": {
        "channel": "support",
        "identity": {"kind": "email", "value": "ayesha@example.com", "name": "Ayesha Khan"},
        "subject": "Your order A-1009",
        "text": "Your parcel left today.",
        "tags": ["parcel"],
    },
    "PatchedTicketPatch": {"status": "solved", "assignee": "me", "tags": ["parcel", "late"]},
    "MergeIn": {"into": 4700},
    "LinkIn": {"relation": "duplicate", "of": 4700},
    "Link": {"id": 12, "ticket": 4711, "relation": "duplicate", "of": 4700, "created_at": LATER},
    "SplitIn": {"messages": [9021], "subject": "The invoice"},
    "Message": MESSAGE,
    "MessageIn": {"kind": "reply", "text": "It left our warehouse today.", "status": "pending"},
    "PatchedMessagePatch": {"send_at": "2036-11-25T07:00:00Z"},
    "Side": {
        "id": 12,
        "ticket": 4711,
        "channel": MESSAGE["channel"],
        "subject": "Parcel A-1009",
        "answered": False,
        "closed_at": None,
        "created_at": AT,
        "last_message_at": LATER,
    },
    "SideIn": {
        "to": [{"name": "Warehouse", "address": "store@warehouse.example"}],
        "subject": "Parcel A-1009",
        "text": "Is it on your shelf?",
        "forwards": [9021],
    },
    "SideMessageIn": {"text": "And the blue one?"},
    "PatchedSidePatch": {"closed": True},
    "Event": {
        "id": 77120,
        "kind": "status_changed",
        "actor": {"type": "agent", "id": 3},
        "at": LATER,
        "data": {"from": "open", "to": "pending"},
    },
    "Attachment": ATTACHMENT,
    "Customer": FULL_CUSTOMER,
    "CustomerIn": {
        "name": "Ayesha Khan",
        "external_id": "crm-2201",
        "identities": [{"kind": "email", "value": "ayesha@example.com"}],
    },
    "CustomerPut": {"name": "Ayesha Khan", "attributes": {"plan": "pro"}},
    "PatchedCustomerPatch": {"stage": "customer", "tags": ["vip"]},
    "CustomerMergeIn": {"into": 17},
    "NewIdentityIn": {"kind": "phone", "value": "+923001234567", "name": "mobile"},
    "Moment": {"type": "event", "at": HAPPENED["at"], "message": None, "ticket": None, "event": HAPPENED},
    "CustomerEvent": HAPPENED,
    "Happenings": {"events": [HAPPENED]},
    "HappeningsIn": {
        "events": [
            {
                "kind": "order",
                "at": HAPPENED["at"],
                "external_id": "A-1009",
                "data": {"number": "A-1009", "total": 42.5},
            }
        ]
    },
    "Card": CARD,
    "Cards": {"cards": [CARD]},
    "CardIn": {name: CARD[name] for name in ("title", "url", "fields", "expires_at")},
    "Export": {
        "complete": True,
        "customer": FULL_CUSTOMER,
        "tickets": [TICKET],
        "messages": [MESSAGE],
        "events": [HAPPENED],
        "pictures": [{"identity": 31, "changed_at": AT, "content_type": "image/png", "content": "iVBORw0KGgo="}],
        "more": {"survey_answers": []},
    },
    "Organisation": {
        **ORGANISATION,
        "domains": ["khan.example"],
        "external_id": "crm-o-9",
        "attributes": {"seats": 12},
        "created_at": "2025-03-02T08:00:00Z",
    },
    "OrganisationIn": {"name": "Khan Textiles", "domains": ["khan.example"], "external_id": "crm-o-9"},
    "PatchedOrganisationIn": {"domains": ["khan.example", "khan-textiles.example"]},
    "Agent": {
        "id": 3,
        "name": "Sana Malik",
        "email": "sana@example.org",
        "role": "agent",
        "active": True,
        "away": False,
        "bot": False,
        "language": "en",
        "time_zone": "Europe/Berlin",
        "skills": ["billing"],
        "languages": ["en", "ur"],
        "teams": [TEAM],
        "created_at": "2025-01-10T08:00:00Z",
    },
    "PatchedAgentPatch": {"role": "manager", "teams": ["orders"]},
    "Team": {**TEAM, "private": False, "signature": "Yours, the people from Orders", "members": [AGENT]},
    "TeamIn": {"name": "Orders", "slug": "orders", "members": [3]},
    "PatchedTeamIn": {"members": [3, 8]},
    "Field": {
        "id": 5,
        "noun": "ticket",
        "key": "order",
        "label": "Order number",
        "help": "",
        "kind": "text",
        "choices": [],
        "required": True,
        "searchable": True,
        "position": 1,
    },
    "FieldIn": {"noun": "ticket", "key": "order", "label": "Order number", "kind": "text", "required": True},
    "PatchedFieldPatch": {"required": False},
    "Tag": {"id": 12, "name": "parcel", "colour": "#3366cc"},
    "TagIn": {"name": "parcel", "colour": "#3366cc"},
    "PatchedTagIn": {"colour": "#cc3333"},
    "Macro": {
        "id": 6,
        "name": "Sorry for the delay",
        "language": "en",
        "text": "Dear {{ customer.name }}, we are sorry for the delay.",
        "html": "",
        "actions": [MACRO],
        "team": TEAM,
        "owner": None,
    },
    "MacroIn": {
        "name": "Sorry for the delay",
        "text": "Dear {{ customer.name }}, we are sorry for the delay.",
        "actions": [MACRO],
    },
    "PatchedMacroIn": {"name": "Sorry for the wait"},
    "View": {
        "id": 9,
        "name": "Urgent and mine",
        "query": {"status": "open", "priority": "urgent,high", "assignee": "me"},
        "position": 0,
        "team": None,
        "owner": AGENT,
    },
    "ViewIn": {"name": "Urgent and mine", "query": {"status": "open", "priority": "urgent,high", "assignee": "me"}},
    "PatchedViewIn": {"position": 3},
    "Channel": FULL_CHANNEL,
    "NewChannel": FULL_CHANNEL,
    "ChannelIn": {
        "kind": "email",
        "slug": "support",
        "settings": {
            "address": "support@example.org",
            "smtp": {
                "host": "smtp.example.org",
                "port": 465,
                "security": "tls",
                "username": "support",
                "password": "…",
            },
        },
    },
    "PatchedChannelPatch": {"paused": True},
    "Checks": {"ok": True, "checks": [{"name": "SMTP smtp.example.org:465", "ok": True, "detail": "Connected."}]},
    "Receipt": {
        "id": 31007,
        "channel": CHANNEL,
        "external_id": "2c26b46b68ffc68ff99b453c1d304134",
        "state": "failed",
        "reason": "ValueError: no",
        "size": 4211,
        "attempts": 1,
        "at": AT,
        "received_at": AT,
        "done_at": AT,
    },
    "Token": TOKEN,
    "NewToken": {**TOKEN, "token": "rabta_9fK2xQ…"},
    "TokenIn": {"name": "Shop", "scope": "write"},
    "Answer": {
        "id": 61,
        "survey": {"id": 1, "name": "After a ticket", "kind": "csat"},
        "ticket": 4711,
        "customer": CUSTOMER,
        "channel": "support",
        "unasked": False,
        "language": "en",
        "asked_at": AT,
        "failed_at": None,
        "answered_at": LATER,
        "changed_at": LATER,
        "value": 5,
        "comment": "Quick and kind.",
        "further": {},
    },
}

TAGS: dict[str, str] = {
    "tickets": "Matters of customers: open them, answer, change, merge and split them.",
    "messages": "Single messages: their delivery, their original, and those that have not left yet.",
    "sides": "Side conversations with third parties inside a ticket; the customer never sees them.",
    "attachments": "Files: upload one, then name its id in a message.",
    "customers": "People who write to us, on whatever channel; what they did; export and erasure.",
    "organisations": "Companies whose people write to us.",
    "agents": "Who answers.",
    "teams": "Groups of agents; a private team's tickets are seen by its members alone.",
    "tags": "Words that tickets carry.",
    "fields": "What the organisation notes of tickets, customers and organisations in `attributes`.",
    "macros": "Canned replies plus actions.",
    "views": "Saved filters of the ticket list.",
    "channels": "Connected mailboxes, pages, bots and numbers.",
    "receipts": "What arrived, as it arrived; what could not be taken in.",
    "surveys": "What customers answered when they were asked.",
    "tokens": "What programs use to come in.",
}


def add(examples: dict[str, Any], tags: dict[str, str] | None = None) -> None:
    """Examples of an app's own shapes, by the names that the description gives them; and what its resources are."""
    EXAMPLES.update(examples)
    TAGS.update(tags or {})


def of(name: str) -> Any:
    """The example of a component: None where there is none."""
    if name.startswith("Paginated") and name.endswith("List"):
        inner = EXAMPLES.get(name.removeprefix("Paginated").removesuffix("List"))
        return None if inner is None else {"next": None, "previous": None, "results": [inner]}
    return EXAMPLES.get(name)
