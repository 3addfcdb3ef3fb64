"""What people of eight languages write to support."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Language:
    code: str
    share: int  # percent of writers
    charset: str  # the one before UTF-8
    given: tuple[str, ...]
    family: tuple[str, ...]
    subjects: tuple[str, ...]
    sentences: tuple[str, ...]
    greeting: str
    closing: str
    reply: str  # what its mail programs put before a subject
    wrote: str
    file: str
    right_to_left: bool = False


ENGLISH = Language(
    "en", 38, "us-ascii",
    ("Alice", "George", "Nadia", "Peter", "Grace", "Samuel", "Hannah", "Victor"),
    ("Carter", "Osei", "Bennett", "Shah", "Larsen", "Price", "Moreau", "Young"),
    ("Parcel {order} is late", "I cannot sign in", "Wrong amount on invoice {order}", "Cancel order {order}, please",
     "Error {error} at checkout", "New delivery address", "Question about the yearly plan",
     "Broken item in order {order}"),
    ("I ordered {days} days ago under number {order}, and nothing has been delivered so far.",
     "Would you look into it and tell me on which day it will be here?",
     "Each time I sign in, the page shows error {error} and starts over.",
     "I tried a second browser and another phone, with the same result.",
     "We were charged {amount} EUR, which is more than your offer said.",
     "Our bookkeeping closes the month on Friday, so we need the corrected invoice before that.",
     "The box was open when it came, and one of the two glasses is broken.",
     "Thanks for the quick answer; that solved the first part of it.",
     "If that is not possible, I would rather have my money back."),
    "Hello,", "Best regards", "Re: ", "On {date} {who} wrote:", "document",
)  # fmt: skip
URDU = Language(
    "ur", 14, "windows-1256",
    ("عائشہ", "بلال", "زینب", "حمزہ", "ثناء", "عمر", "فاطمہ", "احمد"),
    ("خان", "ملک", "قریشی", "چوہدری", "بھٹی", "صدیقی"),
    ("پارسل {order} ابھی تک نہیں ملا", "اکاؤنٹ میں داخل نہیں ہو پا رہا", "بل نمبر {order} کی رقم غلط ہے",
     "آرڈر {order} منسوخ کر دیں", "ادائیگی کے وقت خرابی {error}", "پتا تبدیل کروانا ہے"),
    ("میں نے {days} دن پہلے آرڈر نمبر {order} دیا تھا لیکن ابھی تک کچھ نہیں پہنچا۔",
     "براہِ کرم معلوم کر کے بتائیں کہ سامان کس دن پہنچے گا۔",
     "جب بھی داخل ہونے کی کوشش کرتا ہوں تو خرابی {error} کا پیغام آتا ہے۔",
     "مجھ سے {amount} روپے زیادہ وصول کیے گئے ہیں، رسید ساتھ بھیج رہا ہوں۔",
     "ڈبہ کھلا ہوا تھا اور ایک گلاس ٹوٹا ہوا نکلا۔",
     "جلد جواب دینے کا شکریہ، پہلا مسئلہ حل ہو گیا ہے۔"),
    "السلام علیکم،", "والسلام", "جواب: ", "{date} کو {who} نے لکھا:", "رسید", True,
)  # fmt: skip
LANGUAGES = (
    ENGLISH,
    URDU,
    Language(
        "ar", 9, "windows-1256",
        ("محمد", "ليلى", "يوسف", "مريم", "سامي"), ("الحسن", "حداد", "منصور", "خوري"),
        ("لم تصل الشحنة {order}", "لا أستطيع تسجيل الدخول", "مبلغ الفاتورة {order} غير صحيح"),
        ("طلبت البضاعة رقم {order} قبل {days} يوما ولم تصل حتى الآن.",
         "أرجو إخباري في أي يوم ستصل الشحنة.",
         "تظهر رسالة الخطأ {error} كلما حاولت الدخول من الهاتف.",
         "المبلغ المخصوم {amount} أكبر من المتفق عليه."),
        "السلام عليكم،", "مع التحية", "رد: ", "في {date} كتب {who}:", "مستند", True,
    ),
    Language(
        "de", 9, "iso-8859-1",
        ("Jörg", "Käthe", "Sören", "Anja", "Ulrich"), ("Weiß", "Krüger", "Böhm", "Schäfer"),
        ("Lieferung {order} fehlt", "Anmeldung schlägt fehl", "Rechnung {order} ist falsch", "Rückgabe von {order}"),
        ("Die Bestellung {order} vom Monatsanfang ist nach {days} Tagen immer noch nicht angekommen.",
         "Könnten Sie bitte prüfen, wo das Paket geblieben ist?",
         "Beim Anmelden erscheint jedes Mal die Meldung {error}.",
         "Abgebucht wurden {amount} Euro, vereinbart war deutlich weniger."),
        "Guten Tag,", "Mit freundlichen Grüßen", "AW: ", "Am {date} schrieb {who}:", "Lieferschein für Büro",
    ),
    Language(
        "fr", 8, "iso-8859-15",
        ("Amélie", "Benoît", "Chloé", "Jérôme"), ("Lefèvre", "Béraud", "Garçon", "Noël"),
        ("Commande {order} non livrée", "Accès refusé à mon compte", "Facture {order} erronée"),
        ("J'ai passé la commande {order} il y a {days} jours et je n'ai rien reçu.",
         "Pourriez-vous m'indiquer la date à laquelle elle sera livrée ?",
         "Le site affiche l'erreur {error} à chaque connexion.",
         "Vous avez prélevé {amount} €, soit plus que prévu."),
        "Bonjour,", "Bien à vous", "RE : ", "Le {date}, {who} a écrit :", "pièce jointe",
    ),
    Language(
        "ru", 9, "koi8-r",
        ("Ирина", "Павел", "Ольга", "Сергей"), ("Волков", "Смирнова", "Орлов", "Зайцева"),
        ("Посылка {order} не пришла", "Не могу войти", "Неверный счёт {order}"),
        ("Я сделал заказ {order} уже {days} дней назад, но ничего не получил.",
         "Сообщите, пожалуйста, когда его доставят.",
         "При входе каждый раз появляется ошибка {error}.",
         "С меня списали {amount} рублей, это больше, чем договаривались."),
        "Здравствуйте!", "С уважением", "Ответ: ", "{date} {who} пишет:", "документ",
    ),
    Language(
        "zh", 8, "gb2312",
        ("伟", "芳", "敏", "静", "磊"), ("王", "李", "张", "陈"),
        ("包裹 {order} 没有到", "无法登录", "发票 {order} 金额不对"),
        ("我 {days} 天前下的订单 {order} 到现在还没有收到。",
         "请查一下哪天可以送到。", "每次登录都提示错误 {error}。", "扣了 {amount} 元,比合同上多。"),
        "您好,", "此致敬礼", "回复: ", "{who} 于 {date} 写道:", "文件",
    ),
    Language(
        "ja", 5, "iso-2022-jp",
        ("陽子", "健太", "美咲"), ("佐藤", "鈴木", "田中"),
        ("注文 {order} が届きません", "ログインできません", "請求書 {order} について"),
        ("{days} 日前に注文した {order} がまだ届いていません。", "いつ届くか教えていただけますか。",
         "ログインのたびにエラー {error} が表示されます。", "{amount} 円多く引き落とされています。"),
        "お世話になっております。", "よろしくお願いいたします。", "Re: ", "{date} {who}:", "書類",
    ),
)  # fmt: skip
