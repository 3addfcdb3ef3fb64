"""Which language a message is in; silence where that cannot be told."""

import pytest
from django.utils import translation

from lib.language import detect, language_name


@pytest.mark.parametrize(
    ("text", "language"),
    [
        ("Hello, I have not received my order and would like to know where it is.", "en"),
        ("Ich habe meine Bestellung noch nicht erhalten, können Sie das bitte prüfen?", "de"),
        ("Bonjour, je n'ai toujours pas reçu ma commande, pouvez-vous vérifier ?", "fr"),
        ("Hola, no he recibido mi pedido, ¿pueden comprobarlo por favor?", "es"),
        ("Buongiorno, non ho ancora ricevuto il mio ordine, grazie di controllare", "it"),
        ("Olá, ainda não recebi o meu pedido, você pode verificar? Obrigado", "pt"),
        ("Ik heb mijn bestelling nog niet ontvangen, kunt u dat voor mij nakijken?", "nl"),
        ("Jag har inte fått min order, kan ni titta på det? Tack", "sv"),
        ("Dzień dobry, nie otrzymałem jeszcze zamówienia, proszę o informację czy jest w drodze", "pl"),
        ("السلام علیکم، میرا آرڈر ابھی تک نہیں ملا، براہِ مہربانی بتائیں", "ur"),
        ("ميں نے دس دن پہلے آرڈر ديا تھا ليکن ابھي تک سامان نہيں پہنچا", "ur"),
        ("السلام عليكم، لم يصل الطلب حتى الآن، أرجو التحقق", "ar"),
        ("سلام، سفارش من هنوز نرسیده است، لطفاً پیگیری کنید", "fa"),
        ("Здравствуйте, заказ не пришёл, где он находится?", "ru"),
        ("Доброго дня, замовлення ще не надійшло, де воно є?", "uk"),
        ("订单还没有收到,请帮我查一下", "zh"),
        ("注文がまだ届いていません。確認してください。", "ja"),
        ("주문이 아직 오지 않았습니다", "ko"),
        ("मुझे अभी तक ऑर्डर नहीं मिला", "hi"),
        ("ההזמנה לא הגיעה", "he"),
        ("Η παραγγελία δεν έφτασε", "el"),
        ("ยังไม่ได้รับสินค้า", "th"),
        ("", ""),
        ("12345 !!!", ""),
        ("ok", ""),
        ("https://example.com/the/and/is/not", ""),
    ],
)
def test_detect(text: str, language: str) -> None:
    assert detect(text) == language


def test_a_hint_decides_between_equals_only() -> None:
    assert detect("Tak for det, og hej", "da") == "da"
    assert detect("Hello, this is the order that I have not received", "ur") == "en"
    assert detect("", "ur") == ""


def test_languages_are_named() -> None:
    with translation.override("ur"):
        assert language_name("ur") == "اردو"
        assert language_name("en-nz") == "انگریزی"
        assert language_name("de", own=True) == "Deutsch"
    assert language_name("tlh") == "tlh"
    assert language_name("") == ""
