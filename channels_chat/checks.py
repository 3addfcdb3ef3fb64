"""Whether a chat channel will do its work: the lines of "Test connection", and what warns of trouble to come."""

from __future__ import annotations

from asgiref.sync import async_to_sync
from channels.layers import get_channel_layer
from django.db.models import Count, Q
from django.utils.translation import gettext as _

from channels_chat import config
from channels_chat.actions import continuity
from channels_chat.config import Settings
from channels_chat.forms import ORIGIN
from inbox.adapters import Check, adapter_for
from inbox.models import Agent, Channel, Role, Team

TAKERS = Q(is_active=True, is_bot=False) & ~Q(role=Role.LIGHT) & (Q(desk=None) | Q(desk__takes=True))


def takers(channel: Channel) -> int:
    """How many people take chats of this channel, whether or not they are here."""
    people = Agent.objects.filter(TAKERS)
    teams = list(channel.teams.values_list("pk", flat=True))
    if teams:
        people = people.filter(Q(teams__in=teams) | Q(role=Role.ADMIN)).distinct()
    return people.count()


def check(channel: Channel) -> list[Check]:
    """Line by line: the sites, the live layer, people who take chats, the mailbox that answers go on from."""
    settings = config.of(channel)
    found = [_sites(settings), _live(), _people(channel)]
    trouble, box = mailbox_trouble(channel), continuity.mailbox(channel)
    if trouble or (box is not None and continuity.after(channel) is not None):
        slug = box.slug if box else ""
        found.append(
            Check(str(_("Answers by e-mail")), not trouble, trouble or _("leave through %(slug)s") % {"slug": slug})
        )
    return found


def _sites(settings: Settings) -> Check:
    name = str(_("Sites"))
    wrong = [one for one in settings.origins if not ORIGIN.fullmatch(one)]
    if wrong:
        said = _("“%(site)s” is no address of a site. Correct it under Installation.")
        return Check(name, False, said % {"site": wrong[0]})
    if not settings.origins:
        return Check(name, True, _("Every site may show this chat. Name yours under Installation to keep others out."))
    return Check(name, True, ", ".join(settings.origins))


def _live() -> Check:
    """Whether what is told to the live layer comes back."""
    name = str(_("Live layer"))
    try:
        said = async_to_sync(_echo)()
    except Exception as error:  # noqa: BLE001 (whatever stops it is what people want to read)
        words = _("Redis does not answer (%(error)s): messages arrive, but late. Look after Redis (REDIS_URL).")
        return Check(name, False, words % {"error": error or type(error).__name__})
    return Check(name, said, _("Messages travel at once.") if said else _("Redis took a message and lost it."))


async def _echo() -> bool:
    layer = get_channel_layer()
    if layer is None:
        return False
    name = await layer.new_channel()
    await layer.send(name, {"type": "echo"})
    heard = await layer.receive(name)
    return bool(heard.get("type") == "echo")


def _people(channel: Channel) -> Check:
    name = str(_("People"))
    if not takers(channel):
        said = _("Nobody who sees this channel takes chats. Put people into its teams, or let them take chats again.")
        return Check(name, False, said)
    return Check(name, True, _("Somebody takes chats."))


def mailbox_trouble(channel: Channel) -> str:
    """Why answers cannot go on by e-mail; empty where they can, or are not meant to."""
    if continuity.after(channel) is None:
        return ""
    slug = (config.of(channel).continuity or {}).get("channel")
    if not slug:
        return ""  # nobody has named one
    mailbox = Channel.objects.filter(slug=slug, kind="email").first()
    if mailbox is None:
        return _("The mailbox “%(slug)s” is gone: choose another under Continuity.") % {"slug": slug}
    if mailbox.paused:
        return _("The mailbox “%(slug)s” is paused: answers to visitors who left wait there.") % {"slug": slug}
    verdict = adapter_for("email").may_send(mailbox)
    return "" if verdict.allowed else f"{mailbox.name}: {verdict.reason}"


def warnings(channel: Channel) -> list[str]:
    """What hinders this channel: sentences for the main screen."""
    settings = config.of(channel)
    found = [mailbox_trouble(channel)]
    if not takers(channel):
        found.append(
            _("Nobody takes chats of %(channel)s: visitors are asked to leave a message.") % {"channel": channel.name}
        )
    found += _routes(settings)
    return [one for one in found if one]


def _routes(settings: Settings) -> list[str]:
    wanted = {one.team for one in settings.routes}
    if not wanted:
        return []
    members = Count("members", filter=Q(members__is_active=True, members__is_bot=False), distinct=True)
    teams = {one.slug: one for one in Team.objects.filter(slug__in=wanted).annotate(people=members)}
    topics = {one["key"] for one in settings.topics}
    found = []
    for slug in sorted(wanted):
        if slug not in teams:
            found.append(_("Chats are routed to the team “%(team)s”, which is gone.") % {"team": slug})
        elif not getattr(teams[slug], "people", 0):
            found.append(
                _("Chats are routed to the team “%(team)s”, which has no members.") % {"team": teams[slug].name}
            )
    for topic in sorted({one.topic for one in settings.routes if one.topic} - topics):
        found.append(_("A route asks for the topic “%(topic)s”, which visitors cannot choose.") % {"topic": topic})
    return found
