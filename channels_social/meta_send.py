"""How messages leave for Messenger and Instagram, how comments are answered, and what refusals mean there."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from copy import copy
from dataclasses import dataclass
from typing import Any, Protocol

from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from channels_social import errors, graph, reading
from channels_social.messenger import Part
from channels_social.meta_events import OWN
from inbox import files, presses
from inbox.adapters import DeliveryError
from inbox.fitting import Files, words
from inbox.models import Message

MB = 1024 * 1024
RESTRICTED_SECONDS = 3600.0  # Meta restricts a page for hours
WINDOW = {(10, 2018278), (10, 2534022), (10, 2018065)}
HIDDEN = {10, 100, 200, 230}  # of a profile: hidden, or without their consent
_KINDS = {"image": gettext_lazy("pictures"), "audio": gettext_lazy("sound"), "video": gettext_lazy("videos")}
BLOCKED = {(551, 1545041), (200, 1545041), (10, 2018108)}


@dataclass(frozen=True, slots=True)
class Rules:
    """What a platform takes: bytes of attachments by their kind, characters of a comment, fields to subscribe to."""

    object: str
    platform: str
    attachments: Mapping[str, int]
    comment: int
    messages: tuple[str, ...]
    comments: tuple[str, ...]
    permissions: Mapping[str, tuple[str, ...]]  # by what the channel takes in, "" for all
    likes: bool = True  # may comments be liked?
    comment_urls: int | None = None  # addresses that an answer under a comment may have; None: any number
    comment_tags: int | None = None  # hashtags

    @property
    def files(self) -> Files:
        """What of files a message takes."""
        kinds = [(kind, most) for kind, most in self.attachments.items() if kind != "file"]
        named = tuple((f"{kind}/", most) for kind, most in kinds)
        if "file" in self.attachments:
            return Files((*named, ("", self.attachments["file"])))
        refusal = _("{platform} takes pictures, sound and videos alone: “{name}” is something else. Send a link to it.")
        said = ", ".join(f"{_KINDS[kind]} {words(most)}" for kind, most in kinds)
        return Files(named, refusal.replace("{platform}", self.platform), said)


class Comments(Protocol):
    """What can be done with comments of a platform. All raise DeliveryError."""

    def answer(self, comment: str, root: str, text: str) -> str:
        """Answer where everybody reads it; returns the id of the answer."""

    def hide(self, comment: str, hidden: bool) -> None: ...

    def like(self, comment: str, liked: bool) -> None: ...

    def remove(self, comment: str) -> None: ...

    def post(self, post: str) -> dict[str, str]:
        """What a post is: `text`, `url`, and `picture`, an address that is good for some days."""


class Account:
    """A page or account, as messages leave through it. `answered` hears who somebody is, whose comment was answered."""

    def __init__(
        self,
        api: graph.Graph,
        comments: Comments,
        rules: Rules,
        own: str,
        answered: Callable[[Message, str], None],
    ) -> None:
        self.api = api
        self.comments = comments
        self.rules = rules
        self.own = own
        self.answered = answered

    def probe(self) -> None:
        self.api.get("me", fields="id")

    def send_part(self, message: Message, part: Part) -> str:
        payload = message.payload
        if payload.get("public"):
            if message.has_files:
                raise errors.permanent(
                    _("Files cannot be sent under a comment: answer in private, or with words alone.")
                )
            return self.comments.answer(str(payload["answers"]), str(payload["thread"]), part.text)
        to = {"comment_id": payload["answers"]} if payload.get("private") else {"id": message.to[0]["address"]}
        if payload.get("private") and message.has_files and (part.file or message.text.strip()):
            raise errors.permanent(
                _("A private answer to a comment is one message: send files once they have answered.")
            )
        said: dict[str, Any] = {"recipient": to, "messaging_type": "RESPONSE"}
        if payload.get("options", {}).get("way") == "human_agent":
            said |= {"messaging_type": "MESSAGE_TAG", "tag": "HUMAN_AGENT"}
        metadata = f"{OWN}{message.pk}"
        if part.file is not None:
            said["message"] = {"attachment": self._attached(part), "metadata": metadata}
        else:
            said["message"] = {"text": part.text, "metadata": metadata}
            if part.last and (shown := presses.under(message)) and not payload.get("private"):
                said["message"]["quick_replies"] = [
                    {"content_type": "text", "title": one["label"], "payload": presses.data(message, one["key"])}
                    for one in shown
                ]
        if part.first and message.in_reply_to and not payload.get("private"):
            said["reply_to"] = {"mid": message.in_reply_to}
        told = self.api.post(f"{self.own}/messages", said)
        mid = identified(told, self.rules.platform, "message_id")
        if payload.get("private") and (person := reading.text(told.get("recipient_id"), 100)):
            self.answered(message, person)
        return mid

    def show(self, person: str, action: str) -> None:
        """A sender action: typing_on (for 20 seconds, or until the answer is there) or mark_seen."""
        self.api.show(f"{self.own}/messages", {"recipient": {"id": person}, "sender_action": action})

    def _attached(self, part: Part) -> dict[str, Any]:
        """A file is laid down there first: that may be done again, and only naming it in a message sends it."""
        file = part.file
        assert file is not None
        family = file.content_type.split("/")[0]
        kind = family if family in {"image", "audio", "video"} and family in self.rules.attachments else "file"
        named = {"name": file.name, "platform": self.rules.platform}
        if kind not in self.rules.attachments:
            raise errors.permanent(
                _("%(platform)s takes pictures, sound and videos alone: “%(name)s” is something else.") % named
            )
        most = self.rules.attachments[kind]
        if file.size > most:
            raise errors.permanent(
                _("%(platform)s takes at most %(most)s MB here: “%(name)s” is larger.") % {**named, "most": most // MB}
            )
        laid = {"message": graph.packed({"attachment": {"type": kind, "payload": {"is_reusable": True}}}).decode()}
        told = self.api.upload(
            f"{self.own}/message_attachments", (file.name, files.get(file.stored), file.content_type), laid, "filedata"
        )
        return {"type": kind, "payload": {"attachment_id": reading.text(told.get("attachment_id"), 100)}}


def identified(told: graph.Table, platform: str, name: str = "id") -> str:
    """What the platform calls what it has just taken."""
    if found := reading.text(told.get(name), 500):
        return found
    said = _("%(platform)s gave an answer that cannot be read.") % {"platform": platform}
    raise DeliveryError(said, permanent=False, unknown=True)


def asked_post(api: graph.Graph, post: str, words: str, pictures: str) -> Mapping[str, Any]:
    """What is told of a post: Graph refuses a request whole for one field that it does not give (of that kind of post,
    in that version), so those of its picture are left out then. Raises DeliveryError where the words are refused, too.
    """
    try:
        return api.get(post, fields=f"{words},{pictures}")
    except DeliveryError as error:
        if not error.permanent:
            raise
    return api.get(post, fields=words)


def post_of(text: Any, url: Any, picture: Any) -> dict[str, str]:
    """A post as its comments keep it: of addresses those that a browser may open."""
    said = {"text": reading.text(text, 500), "url": reading.text(url, 1000), "picture": reading.text(picture, 2000)}
    return {name: one for name, one in said.items() if name == "text" or one.startswith(("https://", "http://"))}


class AsApp(graph.Graph):
    """Asks as the app itself, which alone may ask about any of its tokens."""

    def __init__(self, api: graph.Graph, app_id: str) -> None:
        super().__init__(api.session, api.base, api.token, "", api.platform, api.classify)
        self.app = f"{app_id}|{api.app_secret}"

    @property
    def bearer(self) -> dict[str, str]:
        return {"Authorization": f"Bearer {self.app}"}


def classify(platform: str) -> graph.Classify:
    """What refusals of messages and comments mean; `platform` is its name for people."""

    def refused(told: graph.Refused) -> DeliveryError:
        return refusal(told, platform)

    return refused


def refusal(told: graph.Refused, platform: str) -> DeliveryError:
    named = {"platform": platform, "said": told.said}
    both = (told.code, told.subcode)
    if both in WINDOW:
        return errors.window(
            _("Too late: %(platform)s lets answers through for 24 hours after what they wrote last.") % named
        )
    if both in BLOCKED or told.code == 551:
        return errors.blocked(_("Nothing gets through to this customer: they have blocked us, or left."))
    if both == (10, 1893063):
        said = _("%(platform)s has restricted this account for some hours (%(said)s). It is tried again.") % named
        return DeliveryError(said, permanent=False, retry_after=RESTRICTED_SECONDS)
    if both == (10, 2018300):
        return errors.permanent(_("Another app answers this conversation now. Take it over there first."))
    if told.code == 10900:
        return errors.permanent(_("This comment was answered in private already: one message for each is let through."))
    if found := graph.common(told, platform):
        return found
    if told.code == 100:
        return errors.permanent(
            PARAMETERS.get(told.subcode, lambda: _("%(platform)s refused this: %(said)s"))() % named
        )
    return errors.permanent(_("%(platform)s refused this: %(said)s") % named)


PARAMETERS: dict[int, Callable[[], str]] = {
    33: lambda: _("%(platform)s does not have this any more: it was deleted, or nobody may see it."),
    2018001: lambda: _("%(platform)s does not know this person (any more)."),
    2018047: lambda: _("%(platform)s does not take this kind of file."),
    2018109: lambda: _("%(platform)s says that this file is too large."),
}


def profile(api: graph.Graph, person: str, fields: str) -> graph.Table:
    """What somebody tells of themselves: nothing where they hide it, or never agreed to it. Raises DeliveryError for
    what may pass.
    """
    asking = copy(api)
    asking.classify = lambda told: errors.permanent("") if told.code in HIDDEN else api.classify(told)
    try:
        return asking.get(person, fields=fields)
    except DeliveryError as error:
        if error.permanent:
            return {}
        raise
