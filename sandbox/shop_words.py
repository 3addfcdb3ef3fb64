"""What the sandbox's shop says and sells, in English and Urdu: a customer's site has words of its own."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Product:
    slug: str  # also names its drawing, in _picture.html
    price: int  # rupees
    names: tuple[str, str]  # English, Urdu
    told: tuple[str, str]


PRODUCTS = (
    Product(
        "shawl",
        6900,
        ("Hand-woven shawl", "ہاتھ سے بنی شال"),
        ("Lambswool from Swat, woven on a pit loom in three days.", "سوات کی نرم اون، تین دن میں کھڈی پر بنی ہوئی۔"),
    ),
    Product(
        "mug",
        1450,
        ("Truck-art mug", "ٹرک آرٹ مگ"),
        ("Painted by hand in Rawalpindi. No two are alike.", "راولپنڈی میں ہاتھ سے رنگا ہوا، ہر ایک الگ۔"),
    ),
    Product(
        "tray",
        3200,
        ("Walnut tray", "اخروٹ کی ٹرے"),
        ("Carved from one piece of walnut, and oiled.", "اخروٹ کی ایک ہی لکڑی سے تراشی اور تیل دی ہوئی۔"),
    ),
    Product(
        "lamp",
        4800,
        ("Camel-skin lamp", "اونٹ کی کھال کا لیمپ"),
        ("From Multan: warm light through painted flowers.", "ملتان سے: رنگین پھولوں میں سے چھنتی گرم روشنی۔"),
    ),
    Product(
        "sandals",
        5600,
        ("Peshawari sandals", "پشاوری چپل"),
        ("Soft leather, a sole that lasts for years.", "نرم چمڑا، برسوں چلنے والا تلا۔"),
    ),
    Product(
        "tea",
        980,
        ("Kashmiri tea", "کشمیری چائے"),
        ("Green leaves, cardamom, a pinch of salt; 250 g.", "سبز پتی، الائچی، چٹکی بھر نمک؛ ۲۵۰ گرام۔"),
    ),
)

WORDS = {
    "shop": ("Karvaan", "کارواں"),
    "motto": ("Made by hand, from the Khyber to the sea.", "ہاتھ سے بنا ہوا، خیبر سے سمندر تک۔"),
    "sub": ("Free delivery above Rs 5,000. Sent the same day.", "۵٬۰۰۰ روپے سے زیادہ پر ترسیل مفت، اسی دن روانہ۔"),
    "look": ("See it", "دیکھیے"),
    "add": ("Add to cart", "کارٹ میں ڈالیں"),
    "cart": ("Cart", "کارٹ"),
    "empty": ("Your cart is empty.", "آپ کا کارٹ خالی ہے۔"),
    "total": ("Total", "کل"),
    "checkout": ("To the checkout", "ادائیگی کی طرف"),
    "pay": ("Checkout", "ادائیگی"),
    "name": ("Name", "نام"),
    "address": ("Address", "پتہ"),
    "order": ("Order now", "ابھی آرڈر کریں"),
    "thanks": ("Thank you!", "شکریہ!"),
    "ordered": (
        "Your order is on its way. We have sent you an e-mail.",
        "آپ کا آرڈر روانہ ہے۔ ہم نے آپ کو ای میل بھیج دی ہے۔",
    ),
    "more": ("Go on shopping", "خریداری جاری رکھیں"),
    "login": ("Log in as Ayesha", "عائشہ کے طور پر لاگ ان کریں"),
    "logout": ("Log out", "لاگ آؤٹ"),
    "hello": ("Hello, Ayesha", "السلام علیکم، عائشہ"),
    "help": ("Ask us", "ہم سے پوچھیں"),
    "other": ("اردو", "English"),
    "spa": ("As a single-page application", "ایک صفحے کی ایپ کے طور پر"),
    "plain": ("As ordinary pages", "عام صفحوں کے طور پر"),
    "inbox": ("To the agents' inbox", "ایجنٹوں کے ان باکس کی طرف"),
    "nothing": (
        "There is no chat channel “shop-chat” here, or it is paused.",
        "یہاں “shop-chat” چینل نہیں، یا روکا ہوا ہے۔",
    ),
    "reviews": ("What customers say", "خریداروں کی رائے"),
    "none_yet": ("Nobody has said anything yet. Be the first.", "ابھی کسی نے کچھ نہیں کہا۔ پہل کیجیے۔"),
    "of_five": ("of 5", "از ۵"),
    "write_review": ("Write a review", "اپنی رائے لکھیے"),
    "your_stars": ("How many stars?", "کتنے ستارے؟"),
    "your_words": ("What do you say of it?", "آپ کیا کہتے ہیں؟"),
    "send_review": ("Send", "بھیجیے"),
    "comment": ("Comment", "تبصرہ کیجیے"),
    "answers": ("answers", "کا جواب"),
    "phone": ("The chat alone, as an app's webview shows it", "صرف چیٹ، جیسے ایپ کا ویب ویو دکھاتا ہے"),
}
