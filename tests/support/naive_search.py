"""Reference implementation of search without index or patterns: a character-by-character comparison."""

import unicodedata

SPACELESS = ("CJK", "HIRAGANA", "KATAKANA", "HANGUL", "IDEOGRAPHIC", "BOPOMOFO", "THAI", "LAO", "KHMER", "MYANMAR")


def matches(query: str, text: str) -> bool:
    """Return whether each term of `query` occurs in `text` at the start of a word.

    If the last word of a term has one or two characters, a word of the text must end with the term.
    """
    terms = fold(query).split()
    return bool(terms) and all(contains_term(term, fold(text)) for term in terms)


def fold(text: str) -> str:
    return unicodedata.normalize("NFKC", unicodedata.normalize("NFKC", text).casefold())


def contains_term(term: str, text: str) -> bool:
    for start in range(len(text) - len(term) + 1):
        end = start + len(term)
        if text[start:end] != term:
            continue
        if start > 0 and is_word_character(text[start - 1]) and is_word_character(term[0]):
            continue
        if ends_with_short_word(term) and end < len(text) and is_word_character(text[end]):
            continue
        return True
    return False


def ends_with_short_word(term: str) -> bool:
    letters = 0
    while letters < len(term) and is_word_character(term[-1 - letters]):
        letters += 1
    return 1 <= letters <= 2


def is_word_character(character: str) -> bool:
    return character.isalnum() and not unicodedata.name(character, "").startswith(SPACELESS)
