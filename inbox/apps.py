from django.apps import AppConfig
from django.utils.translation import gettext_lazy as _


class InboxConfig(AppConfig):
    name = "inbox"
    verbose_name = _("Inbox")

    def ready(self) -> None:
        # Registered by being imported: the followers, the heartbeats, what log-ins leave behind.
        from inbox import acknowledge, notify, preferences, processes, second_factor, sessions  # noqa: F401
        from inbox.rights import Right
        from inbox.search import follower  # noqa: F401

        mine, ours, page = preferences.MINE, preferences.ORGANISATION, preferences.Page
        for one in (
            page("profile", _("Profile"), "person", "settings-profile", mine, 10, None,
                 _("Your name, signature, language and time zone.")),
            page("security", _("Security"), "lock", "mfa_index", mine, 20, None,
                 _("Password, second factor, passkeys, and where you are logged in.")),
            page("notifications", _("Notifications"), "bell", "settings-notifications", mine, 15, None,
                 _("What you are told of: on the page, in the browser, by e-mail.")),
            page("people", _("People"), "people", "settings-people", ours, 30, Right.PEOPLE,
                 _("Who works here: invite, change roles, switch off.")),
            page("teams", _("Teams"), "team", "settings-teams", ours, 40, Right.TEAMS,
                 _("Who is in which team, and which channels a team sees.")),
            page("hours", _("Hours of business"), "calendar", "settings-hours", ours, 42, Right.TEAMS,
                 _("When you work, and on which days you do not: what business time is counted by.")),
            page("tags", _("Tags"), "tag", "settings-tags", ours, 50, Right.SHARE,
                 _("The words that tickets carry: colours, names, merging.")),
            page("fields", _("Fields"), "pencil", "settings-fields", ours, 60, Right.FIELDS,
                 _("What you note of tickets, customers and organisations; what is needed to solve.")),
            page("macros", _("Macros"), "macro", "settings-macros", ours, 45, Right.ANSWER,
                 _("What you write often, and what is done with it: your own, your team’s, everybody’s.")),
            page("brands", _("Brands"), "signature", "settings-brands", ours, 25, Right.CHANNELS,
                 _("Under which name, address and signature each channel answers.")),
            page("quiet", _("Quiet hours"), "mute", "settings-quiet", ours, 27, Right.CHANNELS,
                 _("When what you begin by SMS or messenger makes no telephone ring.")),
            page("blocked", _("Blocked senders"), "block", "settings-blocked", ours, 70, Right.ANSWER,
                 _("Addresses and domains whose messages go among the spam.")),
            page("audit", _("Audit log"), "clock", "settings-audit", ours, 90, Right.AUDIT,
                 _("Who changed settings and permissions, and when.")),
        ):  # fmt: skip
            preferences.register(one)
