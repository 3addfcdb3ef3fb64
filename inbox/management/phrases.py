"""What customers and agents of a seeded history write, in English and Urdu."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Phrases:
    language: str
    given: tuple[str, ...]
    family: tuple[str, ...]
    latin: tuple[str, ...]  # for addresses
    subjects: tuple[tuple[str, str], ...]  # (subject, tag)
    questions: tuple[str, ...]
    details: tuple[str, ...]
    answers: tuple[str, ...]
    thanks: tuple[str, ...]
    greeting: str
    closing: str


ENGLISH = Phrases(
    "en",
    ("Amara", "Ben", "Clara", "Daniel", "Elif", "Farid", "Greta", "Henry", "Ines", "Jonas", "Kate", "Leo", "Maya",
     "Noor", "Oscar", "Pia", "Rosa", "Simon", "Tara", "Victor"),
    ("Adler", "Baker", "Costa", "Dale", "Evans", "Fischer", "Grant", "Hill", "Irwin", "Jensen", "Kemal", "Lane",
     "Marsh", "Novak", "Ortiz", "Parker", "Quinn", "Reyes", "Shaw", "Turner"),
    ("amara", "ben", "clara", "daniel", "elif", "farid", "greta", "henry", "ines", "jonas"),
    (("Where is order {number}?", "delivery"), ("Parcel {number} came damaged", "delivery"),
     ("I cannot sign in", "account"), ("Invoice {number} is too high", "billing"), ("Please cancel {number}", "orders"),
     ("Refund for order {number}", "billing"), ("The app closes by itself", "app"), ("Change my address", "account"),
     ("Wrong size in order {number}", "orders"),
     ("Do you ship abroad?", "delivery"), ("Discount code refused", "orders")),
    ("My order {number} should have been here on Monday, and the tracking page has not moved since.",
     "I get an error each time I try to sign in, on my phone and on my computer.",
     "The invoice {number} says 89.00, but the price in the shop was 69.00.",
     "I would like to cancel order {number}; I ordered it twice by mistake.",
     "The box was open when it arrived, and the cup in it is broken.",
     "Since the last update the app closes as soon as I open my basket."),
    ("A photo is attached.", "I am at home until five, so a call would be fine too.",
     "It is a birthday present, so Friday would be too late.", "I have tried it with another card as well.",
     "My customer number is {number}.", "Could you tell me what to do next?"),
    ("I am sorry about that. I have asked the carrier, and they will deliver tomorrow between nine and twelve.",
     "Thank you for telling us. I have corrected the invoice; you will find it in your account in a few minutes.",
     "I have cancelled the second order. The money will be back on your card within three days.",
     "Please delete the app's data and sign in again. If it still closes, tell me which phone you use.",
     "A new one left our warehouse today, free of charge. You may keep the broken one.",
     "I have set your password back. You will get a mail with a link that works for an hour."),
    ("Thanks, that worked!", "Great, it arrived this morning.", "Perfect, thank you for the quick help.",
     "Still the same, I am afraid. What else can I try?", "Fine, I will wait until then."),
    "Hello,", "Kind regards",
)  # fmt: skip
URDU = Phrases(
    "ur",
    ("عائشہ", "بلال", "زینب", "حمزہ", "ثناء", "عمر", "فاطمہ", "احمد", "مریم", "علی", "سارہ", "حسن"),
    ("خان", "ملک", "قریشی", "چوہدری", "بھٹی", "صدیقی", "رضا", "شیخ", "انصاری", "میر"),
    ("ayesha", "bilal", "zainab", "hamza", "sana", "umar", "fatima", "ahmad", "maryam", "ali"),
    (("آرڈر {number} کہاں ہے؟", "delivery"), ("پارسل {number} ٹوٹا ہوا ملا", "delivery"),
     ("اکاؤنٹ میں داخل نہیں ہو پا رہا", "account"), ("بل {number} کی رقم غلط ہے", "billing"),
     ("آرڈر {number} منسوخ کر دیں", "orders"), ("رقم کی واپسی، آرڈر {number}", "billing"),
     ("ایپ خود بند ہو جاتی ہے", "app")),
    ("میرا آرڈر {number} پیر کو پہنچنا تھا لیکن ابھی تک نہیں ملا۔",
     "جب بھی داخل ہونے کی کوشش کرتا ہوں تو خرابی کا پیغام آتا ہے۔",
     "بل {number} میں 8900 روپے لکھے ہیں جبکہ قیمت 6900 روپے تھی۔",
     "براہِ کرم آرڈر {number} منسوخ کر دیں، غلطی سے دو بار دے دیا تھا۔",
     "ڈبہ کھلا ہوا تھا اور اندر کپ ٹوٹا ہوا نکلا۔",
     "نئی ایپ کھولتے ہی بند ہو جاتی ہے۔"),
    ("تصویر ساتھ بھیج رہا ہوں۔", "میں پانچ بجے تک گھر پر ہوں۔", "یہ سالگرہ کا تحفہ ہے، جمعے سے پہلے چاہیے۔",
     "دوسرے کارڈ سے بھی کوشش کر چکا ہوں۔", "میرا نمبر {number} ہے۔", "اب مجھے کیا کرنا چاہیے؟"),
    ("معذرت چاہتے ہیں۔ ہم نے معلوم کر لیا ہے، سامان کل بارہ بجے سے پہلے پہنچ جائے گا۔",
     "بتانے کا شکریہ۔ بل درست کر دیا گیا ہے، چند منٹ میں آپ کے اکاؤنٹ میں آ جائے گا۔",
     "دوسرا آرڈر منسوخ کر دیا ہے۔ رقم تین دن میں واپس مل جائے گی۔",
     "نیا کپ آج روانہ کر دیا ہے، اس کی کوئی قیمت نہیں۔",
     "پاس ورڈ نیا کر دیا ہے، آپ کو ایک پیغام ملے گا جس کا ربط ایک گھنٹے تک کام کرے گا۔"),
    ("شکریہ، مسئلہ حل ہو گیا۔", "بہت خوب، آج صبح مل گیا۔", "جلد مدد کرنے کا شکریہ۔",
     "ابھی بھی وہی مسئلہ ہے، اور کیا کروں؟",
     "ٹھیک ہے، میں انتظار کروں گا۔"),
    "السلام علیکم،", "والسلام",
)  # fmt: skip
TAGS = ("delivery", "account", "billing", "orders", "app", "vip", "callback")
