"""What customers and agents of a seeded history write, in English and Urdu; names from more languages, with accents."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Phrases:
    """Sentences take %(number)s, an order's number, %(code)s, its reference, %(product)s, %(city)s and %(phone)s."""

    language: str
    given: tuple[tuple[str, str], ...]  # (as it is written, as addresses have it)
    family: tuple[str, ...]
    cities: tuple[str, ...]
    subjects: tuple[tuple[str, str], ...]  # (subject, tag)
    questions: tuple[str, ...]
    details: tuple[str, ...]
    answers: tuple[str, ...]
    more: tuple[str, ...]  # what agents say besides
    thanks: tuple[str, ...]
    files: tuple[str, ...]
    greeting: str
    closing: str


ENGLISH = Phrases(
    "en",
    (("Amara", "amara"), ("Ben", "ben"), ("Clara", "clara"), ("Daniel", "daniel"), ("Elif", "elif"), ("Farid", "farid"),
     ("Greta", "greta"), ("Henry", "henry"), ("Inés", "ines"), ("Jonas", "jonas"), ("Kate", "kate"), ("Léo", "leo"),
     ("Maya", "maya"), ("Noor", "noor"), ("Óscar", "oscar"), ("Pia", "pia"), ("Rosa", "rosa"), ("Søren", "soren"),
     ("Tara", "tara"), ("Victor", "victor"), ("Zoë", "zoe"), ("Łukasz", "lukasz"), ("André", "andre"),
     ("Beyza", "beyza"), ("Chiara", "chiara"), ("Dmitri", "dmitri"), ("Esther", "esther"), ("François", "francois"),
     ("Günther", "gunther"), ("Hana", "hana"), ("Ivan", "ivan"), ("Jörg", "jorg"), ("Karim", "karim"),
     ("Lucía", "lucia"), ("Mateus", "mateus"), ("Nadia", "nadia"), ("Olga", "olga"), ("Priya", "priya"),
     ("Ruth", "ruth"), ("Siobhán", "siobhan"), ("Tomás", "tomas"), ("Uma", "uma"), ("Wanjiru", "wanjiru"),
     ("Yusuf", "yusuf")),
    ("Adler", "Baker", "Costa", "Dale", "Evans", "Fischer", "Grant", "Hill", "Irwin", "Jensen", "Kemal", "Lane",
     "Marsh", "Novák", "Ortiz", "Parker", "Quinn", "Reyes", "Shaw", "Turner", "Müller", "Großmann", "Muñoz", "Öztürk",
     "Sørensen", "Lefèvre", "Wójcik", "Ivanova", "Haddad", "Okafor", "Nakamura", "Silva", "Brandão", "Keller",
     "Lindqvist", "Moreau", "O'Brien", "Petrov", "Rossi", "Schäfer", "Tanaka", "Ueda", "Vargas", "Weiß", "Yıldız",
     "Zimmer", "Abebe", "Björk", "Çelik", "Dvořák"),
    ("Berlin", "Zürich", "São Paulo", "Lyon", "Kraków", "Leeds", "Malmö", "Porto", "Vienna", "Izmir", "Cork", "Ghent",
     "Nairobi", "Osaka", "Toronto", "Austin", "Pune", "Lima", "Cairo", "Perth"),
    (("Where is order %(number)s?", "delivery"), ("Parcel %(number)s came damaged", "delivery"),
     ("I cannot sign in", "account"), ("Invoice %(number)s is too high", "billing"),
     ("Please cancel %(code)s", "orders"), ("Refund for order %(number)s", "billing"),
     ("The app closes by itself", "app"), ("Change my address to %(city)s", "account"),
     ("Wrong size in order %(number)s", "orders"), ("Do you ship to %(city)s?", "delivery"),
     ("Discount code refused", "orders"), ("%(product)s: spare parts", "orders"),
     ("Guarantee of my %(product)s", "orders"), ("Question about %(code)s", "orders"),
     ("My %(product)s makes a noise", "orders"), ("Two charges on my card", "billing")),
    ("My order %(number)s should have been here on Monday, and the tracking page has not moved since.",
     "I get an error each time I try to sign in, on my phone and on my computer.",
     "The invoice %(number)s says 89.00, but the price of the %(product)s in the shop was 69.00.",
     "I would like to cancel order %(code)s; I ordered it twice by mistake.",
     "The box of the %(product)s was open when it arrived in %(city)s, and the cup in it is broken.",
     "Since the last update the app closes as soon as I open my basket.",
     "The %(product)s I bought in %(city)s stopped working after three weeks.",
     "Your carrier says that parcel %(code)s was left with a neighbour, but nobody here has it.",
     "My card was charged twice for the %(product)s, once yesterday and once this morning.",
     "I moved to %(city)s last month and would like my next delivery to go there."),
    ("A photo is attached.", "I am at home until five, so a call would be fine too.",
     "It is a birthday present, so Friday would be too late.", "I have tried it with another card as well.",
     "My customer number is %(number)s.", "Could you tell me what to do next?",
     "You can reach me under %(phone)s in the evening.", "The label on the back says %(code)s.",
     "I have been a customer of yours for many years and this has never happened before.",
     "A friend in %(city)s has the same %(product)s and does not have this problem.",
     "I have restarted everything, changed the battery and read the manual twice.",
     "If it cannot be repaired I would rather have my money back than wait for a new one.",
     "The shop assistant told me to write to you, because they do not have it in stock.",
     "Please answer by mail; I cannot take calls while I am at work.",
     "I found the same question in your help pages, but the answer there did not help me.",
     "The receipt is in the name of my company, with the address in %(city)s."),
    ("I am sorry about that. I have asked the carrier, and they will deliver tomorrow between nine and twelve.",
     "Thank you for telling us. I have corrected the invoice; you will find it in your account in a few minutes.",
     "I have cancelled the second order. The money will be back on your card within three days.",
     "Please delete the app's data and sign in again. If it still closes, tell me which phone you use.",
     "A new %(product)s left our warehouse today, free of charge. You may keep the broken one.",
     "I have set your password back. You will get a mail with a link that works for an hour.",
     "I have looked at order %(code)s: it waits in %(city)s and goes on tonight.",
     "Our workshop in %(city)s can look at the %(product)s; I have sent you a label for the way there."),
    ("The reference for this is %(code)s, in case you call us.", "Thank you for the details and for the photo.",
     "If anything is still unclear, simply answer this mail.",
     "I have made a note on your account so that nobody asks you the same again.",
     "You do not need to do anything else for now.", "We will tell you as soon as there is news from the carrier.",
     "Our opening hours are nine to six on weekdays, and ten to two on Saturdays.",
     "The guarantee covers this for two years from the day of purchase.",
     "I am sorry for the trouble this has caused you.", "Please keep the old packaging until then."),
    ("Thanks, that worked!", "Great, it arrived this morning.", "Perfect, thank you for the quick help.",
     "Still the same, I am afraid. What else can I try?", "Fine, I will wait until then.",
     "I have sent it back today, the receipt of the post office says %(code)s.",
     "The %(product)s works again, but now the lid does not close any more."),
    ("photo.jpg", "invoice-%(number)s.pdf", "receipt %(city)s.pdf", "screenshot.png", "label_%(code)s.pdf"),
    "Hello,", "Kind regards",
)  # fmt: skip
URDU = Phrases(
    "ur",
    (("عائشہ", "ayesha"), ("بلال", "bilal"), ("زینب", "zainab"), ("حمزہ", "hamza"), ("ثناء", "sana"), ("عمر", "umar"),
     ("فاطمہ", "fatima"), ("احمد", "ahmad"), ("مریم", "maryam"), ("علی", "ali"), ("سارہ", "sara"), ("حسن", "hassan"),
     ("آمنہ", "amna"), ("عثمان", "usman"), ("خدیجہ", "khadija"), ("طارق", "tariq"), ("نادیہ", "nadia"),
     ("یاسر", "yasir"), ("رابعہ", "rabia"), ("کامران", "kamran")),
    ("خان", "ملک", "قریشی", "چوہدری", "بھٹی", "صدیقی", "رضا", "شیخ", "انصاری", "میر", "راجہ", "گیلانی", "ہاشمی",
     "عباسی", "فاروقی", "لودھی", "مغل", "بٹ", "ڈار", "سید"),
    ("لاہور", "کراچی", "اسلام آباد", "ملتان", "پشاور", "کوئٹہ", "فیصل آباد", "حیدرآباد", "سیالکوٹ", "گوجرانوالہ"),
    (("آرڈر %(number)s کہاں ہے؟", "delivery"), ("پارسل %(number)s ٹوٹا ہوا ملا", "delivery"),
     ("اکاؤنٹ میں داخل نہیں ہو پا رہا", "account"), ("بل %(number)s کی رقم غلط ہے", "billing"),
     ("آرڈر %(code)s منسوخ کر دیں", "orders"), ("رقم کی واپسی، آرڈر %(number)s", "billing"),
     ("ایپ خود بند ہو جاتی ہے", "app"), ("کیا آپ %(city)s بھیجتے ہیں؟", "delivery"),
     ("%(product)s خراب ہے", "orders")),
    ("میرا آرڈر %(number)s پیر کو پہنچنا تھا لیکن ابھی تک نہیں ملا۔",
     "جب بھی داخل ہونے کی کوشش کرتا ہوں تو خرابی کا پیغام آتا ہے۔",
     "بل %(number)s میں 8900 روپے لکھے ہیں جبکہ قیمت 6900 روپے تھی۔",
     "براہِ کرم آرڈر %(code)s منسوخ کر دیں، غلطی سے دو بار دے دیا تھا۔",
     "ڈبہ کھلا ہوا تھا اور اندر %(product)s کا کپ ٹوٹا ہوا نکلا۔",
     "نئی ایپ کھولتے ہی بند ہو جاتی ہے۔",
     "میں نے %(city)s سے %(product)s خریدا تھا، تین ہفتے بعد بند ہو گیا۔",
     "میرے کارڈ سے %(product)s کی رقم دو بار کاٹ لی گئی ہے۔"),
    ("تصویر ساتھ بھیج رہا ہوں۔", "میں پانچ بجے تک گھر پر ہوں۔", "یہ سالگرہ کا تحفہ ہے، جمعے سے پہلے چاہیے۔",
     "دوسرے کارڈ سے بھی کوشش کر چکا ہوں۔", "میرا نمبر %(number)s ہے۔", "اب مجھے کیا کرنا چاہیے؟",
     "شام کو %(phone)s پر فون کر سکتے ہیں۔", "پیچھے والے لیبل پر %(code)s لکھا ہے۔",
     "میں کئی سال سے آپ کا گاہک ہوں اور ایسا پہلے کبھی نہیں ہوا۔",
     "%(city)s میں میرے ایک دوست کے پاس یہی %(product)s ہے اور وہ بالکل ٹھیک چلتا ہے۔",
     "اگر مرمت نہیں ہو سکتی تو مجھے رقم واپس چاہیے، نئی چیز کا انتظار نہیں کر سکتا۔",
     "دکان والے نے کہا کہ آپ کو لکھوں کیونکہ ان کے پاس یہ چیز موجود نہیں ہے۔"),
    ("معذرت چاہتے ہیں۔ ہم نے معلوم کر لیا ہے، سامان کل بارہ بجے سے پہلے پہنچ جائے گا۔",
     "بتانے کا شکریہ۔ بل درست کر دیا گیا ہے، چند منٹ میں آپ کے اکاؤنٹ میں آ جائے گا۔",
     "دوسرا آرڈر منسوخ کر دیا ہے۔ رقم تین دن میں واپس مل جائے گی۔",
     "نیا %(product)s آج روانہ کر دیا ہے، اس کی کوئی قیمت نہیں۔",
     "پاس ورڈ نیا کر دیا ہے، آپ کو ایک پیغام ملے گا جس کا ربط ایک گھنٹے تک کام کرے گا۔",
     "آرڈر %(code)s اس وقت %(city)s میں ہے اور آج رات آگے روانہ ہو گا۔"),
    ("اس معاملے کا حوالہ %(code)s ہے۔", "تفصیل اور تصویر بھیجنے کا شکریہ۔",
     "اگر کوئی بات سمجھ نہ آئے تو اسی پیغام کا جواب دے دیں۔", "آپ کو فی الحال اور کچھ کرنے کی ضرورت نہیں۔",
     "جیسے ہی کوئی خبر ملے گی ہم آپ کو بتا دیں گے۔", "ہماری دکان صبح نو بجے سے شام چھ بجے تک کھلی رہتی ہے۔",
     "اس تکلیف کے لیے ہم معذرت خواہ ہیں۔"),
    ("شکریہ، مسئلہ حل ہو گیا۔", "بہت خوب، آج صبح مل گیا۔", "جلد مدد کرنے کا شکریہ۔",
     "ابھی بھی وہی مسئلہ ہے، اور کیا کروں؟",
     "ٹھیک ہے، میں انتظار کروں گا۔", "آج واپس بھیج دیا ہے، ڈاک خانے کی رسید پر %(code)s لکھا ہے۔"),
    ("تصویر.jpg", "رسید %(number)s.pdf", "بل.pdf"),
    "السلام علیکم،", "والسلام",
)  # fmt: skip
TAGS = ("delivery", "account", "billing", "orders", "app", "vip", "callback")
CODES = ("KV", "RM", "SL", "TX", "AB", "ZN")
# Made-up products, some asked about often and most of them seldom.
SYLLABLES = ("ve", "lo", "ra", "mi", "tan", "kor", "du", "sel", "pra", "no", "fi", "gal", "hux", "ber", "zin", "ola",
             "wep", "jam", "tri", "qua", "sto", "lyn", "mar", "tev")  # fmt: skip
KINDS = ("kettle", "lamp", "chair", "blender", "heater", "clock", "kit", "drill", "mat", "oven")
TOPICS = ("Delivery", "Returns", "Payment", "Account", "Damage", "App", "Warranty", "Stock", "Gift", "Press")
NOTES = ("The warehouse is checking, I will know by noon.", "Has written about this before, please be patient.",
         "Billing has to look at this first.", "گودام والوں سے پوچھا ہے، شام تک جواب آئے گا۔",
         "Can you take this over?", "Refund is approved, only the account number is missing.",
         "اس گاہک کو فون کر لیں تو بہتر ہے۔")  # fmt: skip
THIRD_PARTIES = (("Hermes Claims", "claims@carrier.example"), ("Workshop Faisalabad", "desk@workshop.example"),
                 ("Card office", "disputes@bank.example"))  # fmt: skip
KINDS_OF_FIRMS = ("Traders", "Foods", "Logistics", "Studio", "Textiles", "Clinic", "School", "Motors")
CITIES_OF_FIRMS = ("Lahore", "Berlin", "Karachi", "Lyon", "Multan", "Leeds", "Porto", "Quetta")
