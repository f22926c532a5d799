"""What a search finds, said as plainly as it can be: no index, no pattern, one character after the other."""

import unicodedata

SPACELESS = ("CJK", "HIRAGANA", "KATAKANA", "HANGUL", "IDEOGRAPHIC", "BOPOMOFO", "THAI", "LAO", "KHMER", "MYANMAR")


def finds(query: str, text: str) -> bool:
    """Whether every term of the query stands in the text, beginning where a word begins."""
    terms = fold(query).split()
    return bool(terms) and all(stands(term, fold(text)) for term in terms)


def fold(text: str) -> str:
    return unicodedata.normalize("NFKC", unicodedata.normalize("NFKC", text).casefold())


def stands(term: str, text: str) -> bool:
    for start in range(len(text) - len(term) + 1):
        end = start + len(term)
        if text[start:end] != term:
            continue
        if start > 0 and in_word(text[start - 1]) and in_word(term[0]):
            continue
        if ends_in_a_short_word(term) and end < len(text) and in_word(text[end]):
            continue
        return True
    return False


def ends_in_a_short_word(term: str) -> bool:
    letters = 0
    while letters < len(term) and in_word(term[-1 - letters]):
        letters += 1
    return 1 <= letters <= 2


def in_word(character: str) -> bool:
    return character.isalnum() and not unicodedata.name(character, "").startswith(SPACELESS)
