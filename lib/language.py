"""Which language a short text is in: by its script, by the letters only one language of a script has, by common words.

Cheap on purpose (tens of microseconds, nothing to load) and silent when unsure: a wrong language is worse than none.
"""

from __future__ import annotations

import re
from collections import Counter

from django.utils.translation import get_language_info

_LOOK = 800  # characters
_WORD = re.compile(r"[^\W\d_]+")
_NOISE = re.compile(r"(?:https?://|www\.)\S+|\S+@\S+|^>.*$", re.M)

# Blocks in which letters of one script lie: first-last script, hexadecimal.
_BLOCKS = """
    0370-03FF el, 0400-052F cyrillic, 0530-058F hy, 0590-05FF he, 0600-06FF arabic, 0750-077F arabic,
    08A0-08FF arabic, 0900-097F devanagari, 0980-09FF bn, 0A00-0A7F pa, 0A80-0AFF gu, 0B00-0B7F or,
    0B80-0BFF ta, 0C00-0C7F te, 0C80-0CFF kn, 0D00-0D7F ml, 0D80-0DFF si, 0E00-0E7F th, 0E80-0EFF lo,
    0F00-0FFF bo, 1000-109F my, 10A0-10FF ka, 1100-11FF ko, 1200-137F am, 1780-17FF km, 1F00-1FFF el,
    3040-30FF kana, 3400-9FFF han, AC00-D7AF ko, F900-FAFF han, FB50-FDFF arabic, FE70-FEFF arabic
"""
_SCRIPT: dict[int, str] = {}
for _span in _BLOCKS.replace("\n", " ").split(","):
    _range, _script = _span.split()
    _first, _last = (int(_edge, 16) >> 4 for _edge in _range.split("-"))
    _SCRIPT.update(dict.fromkeys(range(_first, _last + 1), _script))

_COMMON = {
    "en": "the and is not have this that with for you your are was but from can please my we it of to would"
    " been will thanks i a how do what when where has had there they",
    "de": "der die das und ist nicht ich ein eine mit für auf zu den dem von wir sie bitte habe haben wie"
    " auch noch sich es im",
    "fr": "le la les et est pas je vous nous une des pour dans que qui avec sur mon votre ce ai été du merci"
    " bonjour au ne",
    "es": "el los las es no una por para con que mi su del se lo he ha está pero como gracias hola me al este muy y",
    "it": "il gli è non una per con che mi si del della sono ho ha ma come grazie buongiorno questo di anche nel alla",
    "pt": "o os as é não uma um por para com que meu minha do da dos se em ao está mas como obrigado você foi eu ou",
    "nl": "de het een en is niet ik van voor met op dat zijn aan wij u bij heb heeft maar ook als graag naar dit",
    "sv": "och är inte jag en ett det att som på med för av har vi ni den till kan men om tack hej från eller",
    "da": "og er ikke jeg en et det at som på med for af har vi den til kan men om tak hej fra eller skal jer",
    "no": "og er ikke jeg en et det å som på med for av har vi den til kan men om takk hei fra eller skal dere",
    "pl": "i jest nie się na w z że do to jak ale proszę dziękuję czy mam są od po dla mi przez dzień tak już",
    "tr": "ve bir bu da de için ile ne çok ama var yok ben siz olarak daha gibi merhaba teşekkürler lütfen değil mi",
    "id": "dan yang di ini itu tidak saya untuk dengan dari ke ada akan pada anda bisa sudah terima kasih adalah mohon",
    "ro": "și este nu o un în pe cu la de că pentru am sunt din vă mai să dar mulțumesc bună care sau fi",
    "cs": "a je na se v že to s z do jsem ale jako pro není tak dobrý den prosím děkuji jsou mi po už by",
    "hu": "a az és nem hogy egy is van de meg ez csak már kérem köszönöm vagy nem mert volt én ki mint",
    "fi": "ja on ei että en se mutta olen hän kun niin kiitos hei ovat myös jos tai minun voi mitä",
    "vi": "và là của không có tôi cho được một các với này đã trong người để những xin cảm ơn",
}  # fmt: skip
_WORDS: dict[str, tuple[str, ...]] = {}
for _language, _list in _COMMON.items():
    for _one in set(_list.split()):
        _WORDS[_one] = (*_WORDS.get(_one, ()), _language)


def detect(text: str, hint: str = "") -> str:
    """ISO 639-1 code of the language of `text`, or "" when unsure. `hint` is what the sender declared (RFC 3282)."""
    sample = text[:_LOOK]
    if "://" in sample or "@" in sample or ">" in sample:
        sample = _NOISE.sub(" ", sample)
    hinted = hint.strip().lower().replace("_", "-").split(",")[0].split("-")[0][:3]
    hinted = hinted if hinted.isalpha() else ""
    found = _latin(sample, hinted) if sample.isascii() else _by_script(sample, hinted)
    return found


def _by_script(sample: str, hinted: str) -> str:
    letters: Counter[str] = Counter()
    for char, number in Counter(sample).items():
        if char > "@" and char.isalpha():
            letters[_SCRIPT.get(ord(char) >> 4, "han" if char >= "\U00020000" else "latin")] += number
    total = sum(letters.values())
    if not total:
        return ""
    latin = letters.pop("latin", 0)
    if not letters or latin > 3 * sum(letters.values()):
        return _latin(sample, hinted)
    script = letters.most_common(1)[0][0]
    if script in ("han", "kana"):
        return "ja" if letters["kana"] * 10 > letters["han"] or (letters["kana"] > 2 and hinted == "ja") else "zh"
    if script == "arabic":
        return _arabic(sample, hinted)
    if script == "cyrillic":
        return _cyrillic(sample, hinted)
    if script == "devanagari":
        return hinted if hinted in ("mr", "ne", "hi", "sa") else "hi"
    return script if len(script) == 2 else ""


def _arabic(sample: str, hinted: str) -> str:
    """Urdu, Persian, Arabic and their neighbours by the letters that the others do not write."""
    seen = Counter(sample)

    def count(letters: str) -> int:
        return sum(seen[letter] for letter in letters)

    total = sum(number for char, number in seen.items() if "\u0620" <= char <= "\u06ff" and char.isalpha())
    if count("ځډړښڼۍ") * 60 > total:
        return "ps"
    if count("ڪٻڄڦڙٺٽڻڀ") * 40 > total:
        return "sd"
    if count("ێۆڕڵ") * 60 > total and not count("ٹڈ"):
        return "ckb"
    if count("ۇۈۋې") * 60 > total and not count("ٹڈ"):
        return "ug"
    urdu = count("ٹڈڑںھہےۓۃ")
    persian = count("پچژگکی")
    arabic = count("ةىيكأإؤئ")
    if urdu and urdu * 50 >= total:
        return "ur"
    if persian and persian * 40 >= total and persian > 2 * count("ةىيك"):
        return "fa"
    if arabic or hinted == "ar" or total >= 12:
        return "ar" if not (hinted in ("fa", "ur") and not arabic) else hinted
    return hinted if hinted in ("ar", "fa", "ur", "ps", "sd") else "ar" if total >= 4 else ""


def _cyrillic(sample: str, hinted: str) -> str:
    seen = Counter(sample.lower())
    if seen["ў"]:
        return "be"
    if seen["і"] + seen["ї"] + seen["є"] + seen["ґ"]:
        return "kk" if seen["қ"] + seen["ң"] + seen["ұ"] else "uk"
    if seen["ђ"] + seen["ћ"] + seen["џ"] + seen["љ"] + seen["њ"] + seen["ј"]:
        return "mk" if seen["ѓ"] + seen["ќ"] + seen["ѕ"] else "sr"
    if seen["ө"] + seen["ү"]:
        return hinted if hinted in ("mn", "ky", "kk") else "mn"
    if seen["ы"] + seen["э"] + seen["ё"]:
        return "ru"
    if seen["ъ"] > 1 and not seen["ы"]:
        return "bg"
    return hinted if hinted in ("ru", "bg", "uk", "sr", "mk", "be", "mn") else "ru"


def _latin(sample: str, hinted: str) -> str:
    words = [word.lower() for word in _WORD.findall(sample)[:150]]
    if not words:
        return ""
    hits: Counter[str] = Counter()
    for word in words:
        for language in _WORDS.get(word, ()):
            hits[language] += 1
    ranked = hits.most_common(2)
    if not ranked:
        return ""
    best, number = ranked[0]
    if hinted in hits and hits[hinted] >= number - 1:
        return hinted
    second = ranked[1][1] if len(ranked) > 1 else 0
    if number >= 2 and number * 10 >= len(words) and number > second:
        return best
    return ""


def language_name(code: str, *, own: bool = False) -> str:
    """What the language of a code ("ur", "pt-br") is called in the reader's, or with `own` in itself; else the code."""
    for known in (code, code.partition("-")[0]):
        try:
            return str(get_language_info(known)["name_local" if own else "name_translated"])
        except KeyError:
            continue
    return code
