"""Recognises that somebody wants no more messages: the words that carriers and laws know, in the languages we reach."""

import unicodedata

STOP_WORDS = frozenset(
    {
        # CTIA's list for the US, then what receivers write in Spanish, German and Greek
        "stop", "stopall", "stop all", "unsubscribe", "cancel", "end", "quit", "optout", "opt out", "revoke",
        "remove me", "alto", "baja", "parar", "cancelar", "no mas", "darme de baja", "stopp", "abmelden",
        "abbestellen", "austragen", "keine sms", "διαγραφη", "σταματα", "σταματηστε", "τελοσ", "οχι αλλα",
    }
)  # fmt: skip


def is_stop(text: str) -> bool:
    """Return True if the whole message says stop, whatever its case, accents, punctuation and blanks."""
    decomposed = unicodedata.normalize("NFKD", text.casefold())
    plain = "".join(sign if sign.isalnum() or sign.isspace() else " " for sign in decomposed if not _is_mark(sign))
    return " ".join(plain.split()) in STOP_WORDS


def _is_mark(sign: str) -> bool:
    return bool(unicodedata.combining(sign)) or unicodedata.category(sign) == "Cf"
