"""Recognises that somebody wants no more messages, or wants them again, in the languages that are texted.

Sources of the keywords:

* STOP, STOPALL, UNSUBSCRIBE, CANCEL, END, QUIT, OPTOUT, REVOKE: Twilio and Telnyx ("opt-out keywords"), after CTIA.
* STOP, QUIT, END, REVOKE, OPT OUT, CANCEL, UNSUBSCRIBE: 47 CFR 64.1200(a)(10), by which any other words count too that
  a reasonable person takes for a wish to stop.
* ARRET, REMOVE, TD and OPT-OUT: AWS End User Messaging SMS, "Required opt-out keywords" for the US and Canada.
* START and UNSTOP: Telnyx, Twilio and AWS.
"""

import re
import unicodedata
from enum import StrEnum
from itertools import groupby
from typing import Final


class Wish(StrEnum):
    """What the sender of a text wants of further messages."""

    STOP = "stop"
    """No more of them, for sure."""

    UNCLEAR = "unclear"
    """Perhaps no more of them: a person has to read it."""

    START = "start"
    """Messages again, after a stop."""


STOP_WORDS: Final = frozenset(
    {
        "stop", "stopall", "stop all", "unsubscribe", "cancel", "end", "quit", "optout", "opt out", "revoke", "td",
        "remove", "remove me", "arret", "arreter", "arretez", "desabonner", "desinscription",
        "alto", "baja", "parar", "cancelar", "no mas", "darme de baja", "stopp", "abmelden", "abbestellen", "austragen",
        "keine sms", "διαγραφη", "σταματα", "σταματηστε", "τελοσ", "οχι αλλα",
    }
)  # fmt: skip
"""Whole messages that are a wish to stop, without case, accents and punctuation."""

START_WORDS: Final = frozenset({"start", "unstop"})

_POLITE: Final = frozenset(
    {
        "please", "pls", "plz", "kindly", "thanks", "thank you", "thank you very much", "thx", "ty", "now", "already",
        "immediately", "ok", "okay", "hi", "hello", "sorry", "merci", "s il vous plait", "svp", "bonjour", "gracias",
        "por favor", "danke", "bitte", "ευχαριστω", "παρακαλω",
    }
)  # fmt: skip
"""What people write before and after a keyword and which changes nothing."""

_ABOUT_US: Final = r"(?: (?:me|us|this number|my number|my phone|here))?(?: (?:any ?more|again|ever again))?"
_MESSAGES: Final = r"(?:me |us )?(?:(?:any|all|the|these|your|more|any more) )*(?:texts?|messages?|sms|calls?)"
_PHRASES: Final = re.compile(
    rf"(?:(?:can|could|would|will) you )?stop (?:texting|messaging|calling|contacting|spamming|bothering){_ABOUT_US}"
    rf"|stop sending {_MESSAGES}{_ABOUT_US}"
    rf"|stop (?:all |the |these |your )*(?:texts?|messages?|sms|calls?){_ABOUT_US}"
    rf"|(?:do not|don t|dont|never) (?:text|message|call|contact) (?:me|us|this number|my number){_ABOUT_US}"
    rf"|(?:do not|don t|dont) send {_MESSAGES}{_ABOUT_US}"
    rf"|no more (?:texts?|messages?|sms|calls?){_ABOUT_US}"
    r"|(?:unsubscribe|opt) (?:me|us)(?: out)?"
    r"|(?:remove|delete|take) (?:me|us|my number|this number)(?: off| from)?(?: (?:the|this|your|all))*"
    r"(?: (?:texting|mailing|sms|contact))?(?: lists?)?"
    r"|i (?:want to|wish to|would like to|d like to) (?:stop|unsubscribe|opt out|quit)"
    r"|(?:ne )?(?:m )?(?:envoyez|ecrivez) plus(?: de (?:messages|sms|textos))?"
    r"|arretez? (?:de m (?:ecrire|envoyer des (?:messages|sms|textos)|appeler)|les (?:messages|sms|textos))"
    r"|no me (?:envien|manden|escriban) mas(?: (?:mensajes|sms))?"
)
"""Whole messages, of more than a keyword, that a reasonable person takes for a wish to stop."""

_ALARM: Final = frozenset(
    {
        "stop", "stopp", "stopall", "st0p", "sotp", "stpo", "stoop", "unsubscribe", "unsuscribe", "unsub", "optout",
        "arret", "arretez", "desabonner", "abmelden", "abbestellen", "διαγραφη", "σταματα", "σταματηστε", "spam",
    }
)  # fmt: skip
"""Words that may mean a wish to stop wherever they stand."""

_ALARMING: Final = re.compile(
    r"\bopt(?:ing)? (?:me |us )?out\b|\b(?:remove|delete|take) (?:me|us|my number|this number)\b"
    r"|\bwrong (?:number|person)\b"
    r"|\b(?:do not|don t|dont|never|no) (?:\w+ )?(?:text|message|call|contact|sms)\b|\bleave me alone\b"
    r"|\bno more\b|\bno mas\b|\bdo not disturb\b|\brevoke\b|\bstop\w+ (?:texting|messaging|calling)\b"
)
"""Phrases that may mean it wherever they stand."""

_SHORT: Final = 4
"""Words of a message in which a keyword with another everyday meaning (CANCEL, END) may still mean a wish to stop."""

_SIGNATURE: Final = re.compile(
    r"^\s*(?:--+|__+|\u2014+|sent from |sent via |get outlook |envoy[ée] d|enviado desde |von meinem |gesendet )", re.I
)
"""How the lines below a text begin that a telephone or a mail program adds."""

_NAME_LINE: Final = re.compile(r"(?:[A-Z\u00c0-\u00de\u0391-\u03a9][\w.'&-]*|[\d+().-]+|\S+@\S+|https?://\S+|,|&)+")
"""A word of a line with a name, a number or an address."""

_STOP_SIGN: Final = "\N{OCTAGONAL SIGN}"


def read_wish(text: str) -> Wish | None:
    """Return what a text says about further messages; None where it says nothing of them."""
    words = _words(text)
    if _says(words, START_WORDS):
        return Wish.START
    if is_stop(text):
        return Wish.STOP
    return Wish.UNCLEAR if _may_say_stop(text, words) else None


def is_stop(text: str) -> bool:
    """Return True if a text is for sure a wish to stop.

    That is a keyword or a phrase, alone or repeated, with polite words around it or a signature below it, whatever its
    case, accents, punctuation and blanks.
    """
    return any(_says(_words(part), STOP_WORDS, _PHRASES) for part in (text, _without_signature(text)))


def _says(words: str, keywords: frozenset[str], phrases: re.Pattern[str] | None = None) -> bool:
    """Return True if words, without what is polite and repeated, are a keyword or a phrase."""
    if words in keywords:
        return True
    core = _without_polite(words)
    if not core:
        return False
    if core in keywords or (phrases is not None and phrases.fullmatch(core)):
        return True
    rest = core
    for keyword in sorted(keywords, key=len, reverse=True):
        rest = re.sub(rf"\b{keyword}\b", " ", rest)
    return not _without_polite(" ".join(rest.split()))


def _may_say_stop(text: str, words: str) -> bool:
    several = words.split()
    is_short = len(several) <= _SHORT and any(word in STOP_WORDS for word in several)
    has_alarm = not _ALARM.isdisjoint({*several, *map(_squeezed, several)})
    return is_short or has_alarm or _STOP_SIGN in text or _ALARMING.search(words) is not None


def _without_polite(words: str) -> str:
    """Remove polite words at both ends."""
    while True:
        shorter = words
        for polite in _POLITE:
            shorter = shorter.removeprefix(f"{polite} ").removesuffix(f" {polite}") if shorter != polite else ""
        if shorter == words:
            return words
        words = shorter


def _without_signature(text: str) -> str:
    """Return the lines above a signature: below a delimiter, or a few lines of names, numbers and addresses."""
    lines = [line for line in text.splitlines() if line.strip()]
    for place, line in enumerate(lines):
        if place and _SIGNATURE.match(line):
            return "\n".join(lines[:place])
    if len(lines) > 1 and all(_is_of_names(line) for line in lines[1:]):
        return lines[0]
    return text


def _is_of_names(line: str) -> bool:
    several = line.split()
    return len(several) <= _SHORT and all(_NAME_LINE.fullmatch(word) for word in several)


def _words(text: str) -> str:
    """Return the words of a text without case, accents and punctuation; letters that stand alone become one word."""
    decomposed = unicodedata.normalize("NFKD", text.casefold())
    plain = "".join(sign if sign.isalnum() or sign.isspace() else " " for sign in decomposed if not _is_mark(sign))
    several = plain.split()
    if len(several) > 1 and all(len(word) == 1 for word in several):
        return "".join(several)
    return " ".join(several)


def _squeezed(word: str) -> str:
    """Return a word with each letter once where it is repeated: `stooop` is `stop`."""
    return "".join(letter for letter, _ in groupby(word))


def _is_mark(sign: str) -> bool:
    return bool(unicodedata.combining(sign)) or unicodedata.category(sign) == "Cf"
