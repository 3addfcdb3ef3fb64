"""The nouns of Rabta: one file each, fields, constraints, predicates and querysets, no side effects."""

from inbox.models.agents import Agent, Role, Team
from inbox.models.attention import Mention, Notification, NotificationKind, PushSubscription, TicketFollower, TicketSeen
from inbox.models.blocks import Block, BlockKind
from inbox.models.channels import Brand, Channel
from inbox.models.customers import (
    Card,
    Customer,
    CustomerEvent,
    CustomerMerge,
    CustomerNote,
    DifferentPeople,
    Identity,
    Organisation,
)
from inbox.models.deployment import Setting
from inbox.models.drafts import Draft, DraftKind
from inbox.models.events import ActorKind, Cursor, Event, Heartbeat
from inbox.models.fields import Field, FieldKind, FieldNoun
from inbox.models.jobs import Job, JobItem, JobKind, JobState
from inbox.models.messages import (
    NEXT_STATES,
    Attachment,
    AuthorKind,
    DeliveryState,
    Direction,
    Message,
    MessageCopy,
    MessageKey,
    MessagePart,
    Origin,
    RemoteFile,
)
from inbox.models.people import Invitation, LogIn
from inbox.models.pictures import Picture
from inbox.models.reach import Reach
from inbox.models.receipts import MAX_INLINE_BYTES, Receipt, ReceiptState
from inbox.models.schedules import ScheduleOf, ScheduleVersion
from inbox.models.search import PARTITION, SearchDocument, SearchPerson
from inbox.models.side import SideConversation
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
    "Block",
    "BlockKind",
    "Brand",
    "Card",
    "Channel",
    "Cursor",
    "Customer",
    "CustomerEvent",
    "CustomerMerge",
    "CustomerNote",
    "DeliveryState",
    "DifferentPeople",
    "Direction",
    "Draft",
    "DraftKind",
    "Engagement",
    "EngagementKind",
    "Event",
    "Field",
    "FieldKind",
    "FieldNoun",
    "Heartbeat",
    "Identity",
    "Invitation",
    "Job",
    "JobItem",
    "JobKind",
    "JobState",
    "LinkKind",
    "LogIn",
    "Macro",
    "Mention",
    "Message",
    "MessageCopy",
    "MessageKey",
    "MessagePart",
    "Notification",
    "NotificationKind",
    "Organisation",
    "Origin",
    "Participant",
    "ParticipantRole",
    "Picture",
    "Priority",
    "PushSubscription",
    "Reach",
    "Receipt",
    "ReceiptState",
    "RemoteFile",
    "Role",
    "SavedView",
    "ScheduleOf",
    "ScheduleVersion",
    "SearchDocument",
    "SearchPerson",
    "Setting",
    "SideConversation",
    "Status",
    "Tag",
    "Team",
    "Ticket",
    "TicketFollower",
    "TicketLink",
    "TicketSeen",
    "TicketType",
]
