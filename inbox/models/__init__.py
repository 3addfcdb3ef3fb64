"""The nouns of Rabta: one file each, fields, constraints, predicates and querysets, no side effects."""

from inbox.models.agents import Agent, Role, Team
from inbox.models.channels import Brand, Channel
from inbox.models.customers import Customer, CustomerEvent, CustomerMerge, Identity, Organisation
from inbox.models.events import ActorKind, Cursor, Event, Heartbeat
from inbox.models.messages import (
    NEXT_STATES,
    Attachment,
    AuthorKind,
    DeliveryState,
    Direction,
    Message,
    MessageCopy,
    MessageKey,
    Origin,
)
from inbox.models.people import Invitation, LogIn
from inbox.models.receipts import MAX_INLINE_BYTES, Receipt, ReceiptState
from inbox.models.search import PARTITION, SearchDocument, SearchPerson
from inbox.models.tickets import (
    PREVIEW_LENGTH,
    SUBJECT_LENGTH,
    Engagement,
    EngagementKind,
    LinkKind,
    Participant,
    ParticipantRole,
    Priority,
    Status,
    Tag,
    Ticket,
    TicketLink,
    TicketType,
)
from inbox.models.views import Macro, SavedView

__all__ = [
    "MAX_INLINE_BYTES",
    "NEXT_STATES",
    "PARTITION",
    "PREVIEW_LENGTH",
    "SUBJECT_LENGTH",
    "ActorKind",
    "Agent",
    "Attachment",
    "AuthorKind",
    "Brand",
    "Channel",
    "Cursor",
    "Customer",
    "CustomerEvent",
    "CustomerMerge",
    "DeliveryState",
    "Direction",
    "Engagement",
    "EngagementKind",
    "Event",
    "Heartbeat",
    "Identity",
    "Invitation",
    "LinkKind",
    "LogIn",
    "Macro",
    "Message",
    "MessageCopy",
    "MessageKey",
    "Organisation",
    "Origin",
    "Participant",
    "ParticipantRole",
    "Priority",
    "Receipt",
    "ReceiptState",
    "Role",
    "SavedView",
    "SearchDocument",
    "SearchPerson",
    "Status",
    "Tag",
    "Team",
    "Ticket",
    "TicketLink",
    "TicketType",
]
