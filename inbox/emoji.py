"""The emoji that letters to customers need, with names to find them by: a handful, not the whole of Unicode."""

from __future__ import annotations

from django.utils.translation import gettext_lazy as _

EMOJI = (
    ("🙂", _("smile, friendly")), ("😀", _("grin, happy")), ("😄", _("laugh, happy")), ("😊", _("blush, warm smile")),
    ("😉", _("wink")), ("😅", _("relief, phew")), ("😂", _("tears of joy, laugh")), ("😍", _("heart eyes, love")),
    ("🤗", _("hug")), ("🤔", _("thinking, hmm")), ("😐", _("neutral")), ("😕", _("confused")),
    ("😟", _("worried")), ("😢", _("sad, tear")), ("😭", _("crying")), ("😞", _("disappointed")),
    ("😡", _("angry")), ("😱", _("shock")), ("😴", _("asleep")), ("🤒", _("ill")),
    ("🙏", _("thank you, please, folded hands")), ("👍", _("thumbs up, yes")), ("👎", _("thumbs down, no")),
    ("👌", _("fine, okay")), ("👋", _("wave, hello, goodbye")), ("👏", _("applause")), ("🤝", _("handshake, deal")),
    ("💪", _("strong")), ("👀", _("eyes, look")), ("✍️", _("writing")), ("🙌", _("hooray, raised hands")),
    ("❤️", _("heart, love")), ("💚", _("green heart")), ("💛", _("yellow heart")), ("💙", _("blue heart")),
    ("✅", _("done, check mark")), ("❌", _("no, cross")), ("⚠️", _("warning")), ("❗", _("exclamation mark")),
    ("❓", _("question mark")), ("💡", _("idea, lamp")), ("⭐", _("star")), ("🎉", _("party, congratulations")),
    ("🎁", _("gift")), ("🌙", _("moon, Eid, Ramadan")), ("☀️", _("sun")), ("🌧️", _("rain")), ("🔥", _("fire")),
    ("🌹", _("rose, flower")), ("☕", _("coffee, tea, break")), ("📦", _("parcel, box")), ("🚚", _("delivery, lorry")),
    ("✈️", _("plane, flight")), ("🏠", _("house, home")), ("🛒", _("shopping cart, order")), ("💳", _("card, payment")),
    ("💰", _("money, refund")), ("🧾", _("receipt, invoice")), ("📅", _("calendar, date")), ("⏰", _("clock, alarm")),
    ("⏳", _("hourglass, wait")), ("📞", _("telephone, call")), ("📧", _("e-mail, letter")), ("💬", _("message, chat")),
    ("📎", _("paper clip, attachment")), ("📷", _("camera, picture")), ("💻", _("computer")), ("📱", _("mobile phone")),
    ("🔒", _("lock, secure")), ("🔑", _("key, password")), ("🔧", _("wrench, repair")), ("🔍", _("search, magnifier")),
    ("🔗", _("link")), ("📍", _("place, pin")), ("➡️", _("arrow right")), ("⬅️", _("arrow left")),
    ("⬆️", _("arrow up")), ("⬇️", _("arrow down")), ("1️⃣", _("one, first")), ("2️⃣", _("two, second")),
    ("3️⃣", _("three, third")), ("🇵🇰", _("Pakistan, flag")),
)  # fmt: skip
