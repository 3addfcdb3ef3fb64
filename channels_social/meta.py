"""What a Facebook page and an Instagram account have in common: conversations with a window, and comments in public.

A ticket with a `thread_key` is about the comments below one: it is answered under it, where everybody reads it, or in
private (Meta lets one message through for each comment). Whoever answers that in private goes on in the same ticket.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import datetime
from typing import TYPE_CHECKING, Any, ClassVar

import requests
from django.db import transaction
from django.http import HttpRequest, HttpResponse
from django.utils import timezone
from django.utils.formats import date_format
from django.utils.translation import gettext as _

from channels_social import checks, comment_ways, graph, meta_events, meta_send, reading
from channels_social.comment_ways import DAY, HUMAN_AGENT, PRIVATE, PUBLIC, WEEK
from channels_social.messenger import Messenger, Part, Profile, nearest, spoke_in_public
from inbox import counting, wake
from inbox.actions import customers, receive
from inbox.actions.errors import ActionError, Unconfirmed
from inbox.adapters import Arrival, Check, Panel, Parsed, Party, RawReceipt, Verdict
from inbox.adapters import Ignore as Left
from inbox.counting import Limit
from inbox.fitting import Files, Takes
from inbox.models import (
    Agent,
    Channel,
    Direction,
    Identity,
    Message,
    Reach,
    Receipt,
    Ticket,
)
from lib import http

if TYPE_CHECKING:
    from django_stubs_ext import StrOrPromise

BEGINS = {"new", "follow_up"}  # the rules by which a message begins a ticket
YES = {"1", "on", "yes", "true"}


class MetaAdapter(Messenger):
    """The base. A subclass says what its platform calls things, reads comments, and answers them."""

    window = DAY
    writing_seconds = 15  # of the 20 that Meta shows it
    tells_reading = True
    buttons = 13
    secrets = ("token", "app_secret")
    knows_people = True
    tells_names = True
    own_setting: ClassVar[str]  # the setting that names the page or account
    prefix: ClassVar[str]  # of the scope of its people
    rules: ClassVar[meta_send.Rules]

    # Whose it is -----------------------------------------------------------------------------------------------------

    def own(self, channel: Channel) -> str:
        return str(channel.settings.get(self.own_setting) or "")

    def scope(self, channel: Channel) -> str:
        return f"{self.prefix}:{self.own(channel)}"

    def commenters(self, channel: Channel) -> str:
        """The scope of whoever comments."""
        return self.scope(channel)

    def reaches(self, channel: Channel, ticket: Ticket | None = None) -> list[tuple[str, str]]:
        private, public = (self.identity_kind, self.scope(channel)), (self.identity_kind, self.commenters(channel))
        return list(dict.fromkeys([public, private])) if ticket is not None and ticket.thread_key else [private]

    def keeps_secret(self, name: str, old: Mapping[str, Any], new: Mapping[str, Any]) -> bool:
        """Never to another server, nor for another page."""
        return all(old.get(one) == new.get(one) for one in ("api_url", self.own_setting))

    def posted(self, data: Mapping[str, str]) -> dict[str, Any]:
        """A page says nothing of a box that is not ticked."""
        return {**data, **{name: name in data for name in ("messages", "comments", "human_agent", "show_activity")}}

    def facts(self, channel: Channel) -> list[tuple[StrOrPromise, str]]:
        return [
            (self.label, reading.text(channel.condition.get("name"), 200) or self.own(channel)),
            (_("Takes in"), ", ".join(str(one) for one in self._takes(channel))),
            graph.end_of(channel),
        ]

    def _takes(self, channel: Channel) -> list[StrOrPromise]:
        named = {"messages": _("messages"), "comments": _("comments")}
        return [words for name, words in named.items() if channel.settings.get(name, True)]

    def panels(self, channel: Channel, agent: Agent) -> list[Panel]:
        """What is entered in the app dashboard."""
        shared = graph.webhook_panel(channel, self.rules.platform).context
        return [Panel("channels_social/_meta_webhook.html", {**shared, "object": self.rules.object})]

    def api_of(self, channel: Channel, session: requests.Session) -> graph.Graph:
        raise NotImplementedError

    def wire(self, channel: Channel, session: requests.Session) -> meta_send.Account:
        api = self.api_of(channel, session)
        return meta_send.Account(api, self.comments(api), self.rules, self.own(channel), self.answered)

    def comments(self, found: graph.Graph) -> meta_send.Comments:
        """What can be done with comments."""
        raise NotImplementedError

    # In --------------------------------------------------------------------------------------------------------------

    def handshake(self, request: HttpRequest, channel: Channel) -> HttpResponse:
        return graph.handshake(request, channel)

    def webhook(
        self, request: HttpRequest, channel: Channel, body: bytes
    ) -> tuple[list[RawReceipt], HttpResponse | None]:
        """One receipt an event. An app has one address for all its pages: what is another channel's goes there."""
        graph.verify(request, channel, body)
        mine: list[RawReceipt] = []
        others: dict[str, list[RawReceipt]] = {}
        for own, raw in meta_events.receipts(reading.load(body)):
            (mine if own == self.own(channel) else others.setdefault(own, [])).append(raw)
        for own, raws in others.items():
            if (other := self._sibling(channel, own)) is not None:
                receive.put(other, raws)
        return mine, None

    def _sibling(self, channel: Channel, own: str) -> Channel | None:
        """Another channel, of another page of the same app: the signature that was good is good for it, too."""
        found = Channel.objects.filter(kind=self.kind, **{f"settings__{self.own_setting}": own}).exclude(pk=channel.pk)
        secret = channel.secrets.get("app_secret")
        return next((one for one in found if secret and one.secrets.get("app_secret") == secret), None)

    def parse(self, receipt: Receipt, raw: bytes) -> Sequence[Parsed]:
        told, channel = reading.table(reading.load(raw)), receipt.channel
        account = self._account(channel)
        if "standby" in told:
            raise Left(_("Another app answers this conversation now: Rabta was told in passing."))
        if isinstance(event := told.get("messaging"), Mapping):
            if not channel.settings.get("messages", True):
                raise Left(_("This channel takes in no messages."), keep=False)
            return meta_events.conversation(event, account, receipt.at)
        if isinstance(change := told.get("changes"), Mapping):
            if not channel.settings.get("comments", True):
                raise Left(_("This channel takes in no comments."), keep=False)
            return self.read_comment(change, account, meta_events.entry_time(told.get("time"), receipt.at))
        if isinstance(told.get("other"), Mapping):
            raise Left(_("Meta tells of something that is neither a message nor a comment."))
        raise ValueError("no event of Meta's")

    def read_comment(self, change: meta_events.Table, account: meta_events.Account, at: datetime) -> Sequence[Parsed]:
        """One change of the page or account, as plain values. Raises Ignore."""
        raise NotImplementedError

    def _account(self, channel: Channel) -> meta_events.Account:
        def name_of(who: Party) -> str:
            known = Identity.objects.active().filter(kind=who.kind, scope=who.scope, value=who.value)
            return known.values_list("name", flat=True).first() or ""

        def root_of(comment: str) -> str:
            here = Message.objects.filter(channel=channel, external_id=comment, payload__public=True)
            return str(here.values_list("payload__thread", flat=True).first() or "")

        def talks_to(thread: str) -> Party | None:
            here = Message.objects.filter(ticket__channel=channel, ticket__thread_key=thread, direction=Direction.IN)
            last = here.filter(payload__public=True).order_by("-pk").first()
            return (
                Party(self.identity_kind, last.author_address, last.author_name, self.commenters(channel))
                if last
                else None
            )

        return meta_events.Account(
            kind=self.identity_kind,
            own=self.own(channel),
            people=self.scope(channel),
            commenters=self.commenters(channel),
            keys=f"channel:{channel.pk}",
            app_id=str(channel.settings.get("app_id") or ""),
            name_of=name_of,
            root_of=root_of,
            asked=lambda who: comment_ways.private_answer(channel, who),
            talks_to=talks_to,
        )

    def arrived(self, arrivals: Sequence[Arrival]) -> None:
        """Of a thread, the first one says what all stand under: that is asked for."""
        super().arrived(arrivals)
        for one in arrivals:
            message = one.message
            if message.thread_rule in BEGINS and (message.payload.get("post") or {}).get("id"):
                wake.run("channels_social.tasks.posts", [message.channel_id, message.pk], "social")

    def profile(self, channel: Channel, session: requests.Session, identity: Identity) -> Profile:
        """What somebody calls themselves, and their picture. Of who hides both nothing is told."""
        return self.told_of(self.api_of(channel, session), identity.value)

    def told_of(self, found: graph.Graph, person: str) -> Profile:
        """The same over the platform's API. Raises DeliveryError."""
        raise NotImplementedError

    # Out -------------------------------------------------------------------------------------------------------------

    def reach(self, ticket: Ticket, channel: Channel) -> Reach | None:
        """How this ticket's customer can be written to in private: comments open no window."""
        own = Identity.objects.active().filter(
            customer=ticket.customer_id, kind=self.identity_kind, scope=self.scope(channel)
        )
        return nearest(own, ticket, channel)

    def may_reply(self, ticket: Ticket, channel: Channel) -> Verdict:
        if ticket.thread_key:
            return Verdict(True)  # in public at any time; what `prepare` lets through in private
        return self.verdict(channel, self.reach(ticket, channel))

    def rings(self, ticket: Ticket, channel: Channel) -> bool:
        """A comment stands in public."""
        return not ticket.thread_key

    def verdict(self, channel: Channel, reach: Reach | None) -> Verdict:
        """Whether somebody can be written to in private now, and if too late, whether a person still may."""
        if reach is None or (reach.last_in_at is None and reach.closes_at is None):
            return Verdict(False, self.closed(None))
        if reach.opted_out_at is not None:
            return Verdict(False, _("This customer asked for no more messages here."))
        if reach.blocked_at is not None:
            return Verdict(False, _("Nothing gets through to this customer here: they have blocked us, or left."))
        if reach.open:
            return Verdict(True, until=reach.closes_at)
        wrote = reach.last_in_at is not None and reach.last_in_at + WEEK > timezone.now()
        late = bool(channel.settings.get(HUMAN_AGENT)) and wrote  # that is counted from their message alone
        ways = frozenset({HUMAN_AGENT}) if late else frozenset()
        return Verdict(False, self.closed(reach.closes_at), reach.closes_at, ways)

    def prepare(
        self, ticket: Ticket, channel: Channel, text: str, options: Mapping[str, Any]
    ) -> tuple[str, dict[str, Any]]:
        """`way`: human_agent after the window; of comments public or private, with `public_ok` for the first answer
        that everybody reads.
        """
        left = dict(options)
        way, agreed = str(left.pop("way", "") or ""), str(left.pop("public_ok", "") or "").lower() in YES
        if ticket.thread_key:
            return self._prepare_comment(ticket, channel, text, left, way, agreed)
        if way not in {"", HUMAN_AGENT}:
            raise ActionError(_("This channel has no such options."), "options")
        text, kept = super().prepare(ticket, channel, text, left)
        return text, kept | ({"way": way} if way else {})

    def _prepare_comment(
        self, ticket: Ticket, channel: Channel, text: str, left: dict[str, Any], way: str, agreed: bool
    ) -> tuple[str, dict[str, Any]]:
        talk = comment_ways.talk_in_private(ticket, channel)
        way = way or (PRIVATE if talk else PUBLIC)
        comment = comment_ways.last_comment(ticket, channel)
        if way == PUBLIC and comment is not None:
            if left:
                raise ActionError(_("This channel has no such options."), "options")
            if comment.payload.get("live"):
                raise ActionError(_("Comments of a live broadcast can be answered in private alone."), "options")
            if not text.strip():
                raise ActionError(_("An answer under a comment needs words: files cannot be sent there."), "empty")
            if len(text) > self.rules.comment:
                told = {"most": self.rules.comment, "length": len(text)}
                raise ActionError(
                    _("An answer under a comment has at most %(most)s characters; this has %(length)s.") % told,
                    "too_long",
                )
            if why := comment_ways.too_many(self.rules, text):
                raise ActionError(why, "options")
            if not agreed and not spoke_in_public(ticket):
                raise Unconfirmed(
                    _("Everybody can read an answer under a comment. Confirm that this one is meant for all."),
                    "public",
                    "public_ok",
                    _("Send it for all to read"),
                )
            return text, {"way": PUBLIC, "comment": comment.pk}
        if way == HUMAN_AGENT and talk is not None:
            return self._prepare_talk(ticket, channel, text, left, way, talk)
        if way == PRIVATE and talk is not None and comment_ways.goes_on(talk, comment):
            return self._prepare_talk(ticket, channel, text, left, way, talk)
        if way == PRIVATE and comment is not None:
            if left:
                raise ActionError(_("This channel has no such options."), "options")
            self._check_private(ticket, comment, text)
            return text, {"way": PRIVATE, "comment": comment.pk}
        raise ActionError(_("There is no comment here that could be answered so."), "options")

    def _prepare_talk(
        self, ticket: Ticket, channel: Channel, text: str, left: dict[str, Any], way: str, talk: Message
    ) -> tuple[str, dict[str, Any]]:
        """They have answered in private: that goes on, as long as the window is open."""
        verdict = self.verdict_of(talk)
        if not verdict.allowed and way not in verdict.allows:
            raise ActionError(str(verdict.reason), "window_closed")
        text, kept = super().prepare(ticket, channel, text, left)
        late = {} if verdict.allowed else {"way": HUMAN_AGENT}
        return text, {"way": PRIVATE, "person": talk.author_address, **kept, **late}

    def verdict_of(self, talk: Message) -> Verdict:
        """Whether what they said in private can be answered there."""
        who = Identity.objects.active().filter(
            kind=self.identity_kind, scope=self.scope(talk.channel), value=talk.author_address
        )
        return self.verdict(talk.channel, Reach.objects.filter(channel=talk.channel_id, identity__in=who).first())

    def _check_private(self, ticket: Ticket, comment: Message, text: str) -> None:
        assert self.limit is not None
        if (why := comment_ways.no_private(ticket, comment)) is not None:
            raise why
        if counting.size(text, self.limit) > self.limit.longest:
            raise ActionError(_("A private answer to a comment is one message: make it shorter."), "too_long")

    def freeze(self, message: Message, answered: Message | None) -> None:
        super().freeze(message, answered)
        options = message.payload.get("options", {})
        by_person = message.agent is not None and not message.agent.is_bot and message.kind == "message"
        if options.get("way") == HUMAN_AGENT and not by_person:
            raise ActionError(_("So late, only a person may answer: nothing automatic."), "window_closed")
        if person := options.get("person"):
            message.to = [{"name": "", "address": person}]
            return
        if comment := Message.objects.filter(pk=options.get("comment") or 0).first():
            message.in_reply_to = comment.external_id
            kept = {"answers": comment.external_id, "thread": comment.payload.get("thread", comment.external_id)}
            if options["way"] == PUBLIC:
                message.payload |= {**kept, "public": True, "post": comment.payload.get("post", {})}
            else:
                message.payload |= {**kept, "private": True}

    def parts(self, message: Message) -> list[Part]:
        """An answer in public is one comment."""
        if message.payload.get("public"):
            return [Part(message.text, first=True)]
        return super().parts(message)

    def answered(self, message: Message, person: str) -> None:
        """A private answer to a comment has left: now it is known who they are in private, and that stays known."""
        party = Party(self.identity_kind, person, scope=self.scope(message.channel))
        with transaction.atomic():
            row = Message.objects.select_for_update(no_key=True).get(pk=message.pk)
            row.payload["private_to"] = person
            row.save(update_fields=["payload"])
            message.payload = row.payload
            theirs = Identity.objects.active().filter(
                kind=self.identity_kind,
                scope=self.commenters(message.channel),
                value=(message.to or [{}])[0]["address"],
            )
            customer = next((one.customer for one in theirs.select_related("customer")), row.ticket.customer)
            try:
                with transaction.atomic():
                    customers.add_identity(customer, party, by=None, how="channel")
            except ActionError:
                pass  # somebody has it: that the two are one, people may say
            customers.join(row.ticket, party, by=None)

    def show_activity(self, wire: meta_send.Account, message: Message, *, writing: bool) -> None:
        wire.show(message.author_address, "typing_on" if writing else "mark_seen")

    def takes(self, ticket: Ticket, channel: Channel, options: Mapping[str, Any]) -> Takes:
        """Under a comment words alone, as one comment; the first answer to one in private is one message, no files."""
        way = options.get("way")
        if way == PUBLIC:
            told = _("Files cannot be sent under a comment: answer in private, or with words alone.")
            return Takes(Limit(self.rules.comment, "codepoints", most=1), Files((), told))
        if way == PRIVATE and "person" not in options and self.limit is not None:
            told = _("A private answer to a comment is one message: send files once they have answered.")
            return Takes(replace(self.limit, most=1), Files((), told))
        return Takes(self.limit, self.rules.files)

    def composer_panel(
        self, ticket: Ticket, channel: Channel, agent: Agent, options: Mapping[str, str] | None = None
    ) -> Panel | None:
        if ticket.thread_key:
            return comment_ways.panel(self, ticket, channel, (options or {}).get("way", ""))
        if HUMAN_AGENT in self.may_reply(ticket, channel).allows:
            return Panel("channels_social/_human_agent.html", {"chosen": (options or {}).get("way") == HUMAN_AGENT})
        return None

    # Health ----------------------------------------------------------------------------------------------------------

    def fields(self, channel: Channel) -> list[str]:
        """What the page or account has to tell us of."""
        wanted = self.rules.messages if channel.settings.get("messages", True) else ()
        return [*wanted, *(self.rules.comments if channel.settings.get("comments", True) else ())]

    def check(self, channel: Channel) -> list[Check]:
        return checks.run(lambda: self.tend(channel), self._lines, channel)

    def tend(self, channel: Channel) -> dict[str, Any]:
        """Look whether the token is good and how long it will be, and subscribe to what is missing: after an hour of
        failures Meta tells nothing more by itself.
        """
        with http.Session() as session:
            api = self.api_of(channel, session)
            found = self.who(api, channel)
            found |= self.token_of(api, channel)
            wanted = self.fields(channel)
            path = f"{self.own(channel)}/subscribed_apps"
            missing = lacked = graph.missing_fields(api.get(path), wanted, str(channel.settings.get("app_id") or ""))
            if missing:
                api.post(path, subscribed_fields=",".join(wanted))
                missing = graph.missing_fields(api.get(path), wanted, str(channel.settings.get("app_id") or ""))
                found["subscribed"] = timezone.now().isoformat()
            told = [one for one in wanted if one not in missing]
            return {**found, "missing": missing, **checks.news(channel, told, lacked, well=not missing)}

    def who(self, found: graph.Graph, channel: Channel) -> dict[str, Any]:
        """What the platform calls the one whose token this is. Raises DeliveryError where it is another's."""
        raise NotImplementedError

    def token_of(self, found: graph.Graph, channel: Channel) -> dict[str, Any]:
        """Until when the token is good, and what it lacks: asked as the app, where we know which one it is."""
        app_id = str(channel.settings.get("app_id") or "")
        if not app_id:
            return {}
        state = graph.token_state(meta_send.AsApp(found, app_id))
        return {**state, "lacking": self._lacking(channel, state.get("scopes") or [])}

    def _lacking(self, channel: Channel, scopes: Sequence[str]) -> list[str]:
        on = {"", *(name for name in ("messages", "comments") if channel.settings.get(name, True))}
        needed = [one for name, names in self.rules.permissions.items() if name in on for one in names]
        return [one for one in needed if one not in scopes] if scopes else []

    def _lines(self, found: Mapping[str, Any], channel: Channel) -> list[Check]:
        lines = [Check(_("Token"), True, _("It is good for %(name)s.") % {"name": found["name"]})]
        if ends := graph.expires_at(channel):
            soon = ends - graph.SOON < timezone.now()
            date = date_format(timezone.localtime(ends), "DATE_FORMAT")
            lines.append(Check(_("Token's end"), not soon, _("It expires on %(date)s.") % {"date": date}))
        if found.get("lacking"):
            lacking = ", ".join(found["lacking"])
            lines.append(Check(_("Permissions"), False, _("The token lacks %(names)s.") % {"names": lacking}))
        if found["missing"]:
            told = _("Meta does not tell us of %(names)s.") % {"names": ", ".join(found["missing"])}
            lines.append(Check(_("News"), False, told))
        else:
            lines.append(
                Check(_("News"), True, _("Meta tells them to %(url)s, once the app's webhook is set to that.")
                      % {"url": checks.hook_url(channel)})
            )  # fmt: skip
        return lines

    def login_ends_at(self, channel: Channel) -> datetime | None:
        return graph.expires_at(channel)

    def warnings(self, channel: Channel) -> list[str]:
        found, told = channel.condition, graph.warnings(channel)
        if lacking := found.get("lacking"):
            told.append(
                _("The token of %(channel)s lacks permissions: %(names)s.")
                % {"channel": channel.name, "names": ", ".join(map(str, lacking))}
            )
        if missing := found.get("missing"):
            told.append(
                _("Meta does not tell %(channel)s of %(names)s.")
                % {"channel": channel.name, "names": ", ".join(map(str, missing))}
            )
        return [*told, *checks.told_again(channel, self.rules.platform)]
