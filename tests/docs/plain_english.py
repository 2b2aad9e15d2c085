"""
A lint for plain English: it finds phrases that make a reader stop.

``python -m tests.docs.plain_english FILE…`` prints each phrase with its place and a
replacement, and fails if there is any. The rule behind the patterns: the reader is "you", a
sentence names its actor ("the client", "the server", "a moderator") before its verb, and the
verb is the one of the field (expire, retry, reconnect, kick).
"""

from __future__ import annotations

import re
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

from tests.docs.examples import ROOT
from tests.docs.prose import sentences_of

__all__ = ["EXCEPTIONS", "PATTERNS", "Finding", "Pattern", "findings_in", "lint"]


class Pattern(NamedTuple):
    """
    A phrase that is not plain English.

    Args:
        name: what the lint calls it.
        phrase: a regular expression.
        instead: what to write.
        bad: a sentence that has it.
        good: a sentence like it that is right.
    """

    name: str
    phrase: str
    instead: str
    bad: str
    good: str


class Finding(NamedTuple):
    """A pattern that was found in a sentence, at a place."""

    place: str
    line: int
    pattern: Pattern
    text: str

    def __str__(self) -> str:
        return f"{self.place}:{self.line}: {self.pattern.name}: {self.text}"


_VERB = (
    r"(?:can|cannot|may|must|might|could|would|should|will|is|was|has|had|does|wants|needs|sees|"
    r"asks|knows|gets|writes|reads|uses|joins|leaves|signs|plays|goes|types|looks|follows)"
)
_STATEMENT = r"(?!.*\?[\"')*]*$)"
_TELL = r"(?:told|asked|heard|spoken)"

PATTERNS = (
    Pattern(
        "one as a pronoun",
        r"(?:^|: |\b(?:as|because|before|how|if|since|than|that|until|what|when|where|whether|"
        r"while) |(?<!at )(?<!from )(?<!of )(?<!in )\bwhich |\b(?:ones|each room|each user) )"
        rf"one {_VERB}\b|\b(?:allows?|lets?) one\b",
        "you, or the actor: the user, the client",
        "It lists the rooms that one may find.",
        "There are two rooms, and only one has members.",
    ),
    Pattern(
        "one's",
        r"(?<!no )(?<!every)(?<!any)\bone(?:'s|self)\b",
        "your, or the actor's",
        "It changes one's nickname.",
        "It changes someone's nickname, and no one's rights.",
    ),
    Pattern(
        "one who",
        r"(?<!no )\bone who(?:m|se)?\b",
        "the user who, or another actor",
        "One who follows a room gets its events.",
        "A user who follows a room gets its events.",
    ),
    Pattern(
        "headless who at the start",
        rf"^(?:who|whose)\b(?!:){_STATEMENT}",
        "a user who, the client that; for a noun: Presence, Members, Permissions",
        "Who was a guest before gives the token.",
        "Who can join a private room?",
    ),
    Pattern(
        "headless who",
        r"(?:[;:] |\b(?:as|because|but|by|for|from|if|since|so|than|that|to|unless|when|with) )"
        rf"who\b{_STATEMENT}",
        "a user who, the client that",
        "It is null for who came with a token.",
        "It shows a user who signed in, and lists who is online.",
    ),
    Pattern(
        "whoever",
        r"\bwho(?:so)?ever\b",
        "anyone who, or the actor",
        "Whoever reconnects misses nothing.",
        "A client that reconnects misses nothing.",
    ),
    Pattern(
        "whom without a preposition",
        r"(?<!\bby )(?<!\bto )(?<!\bof )(?<!\bfor )(?<!\bwith )(?<!\bfrom )(?<!\bagainst )\bwhom\b",
        "who, that, or nothing",
        "It takes the user whom the moderator bans.",
        "The event says by whom the room was closed.",
    ),
    Pattern(
        "those who",
        r"\bthose (?:who|that)\b",
        "users who, clients that",
        "It tells those who follow the room.",
        "It notifies the followers of the room.",
    ),
    Pattern(
        "who is there",
        r"\bwho (?:is|are|was|were) (?:there|here)\b",
        "who is online, who has joined",
        "It lists who is there.",
        "It lists who is online.",
    ),
    Pattern(
        "headless what at the start",
        rf"^(?-i:What)\b{_STATEMENT}",
        "a noun: the settings, the result, the events",
        "What is not in the table has the default rate.",
        "What does a follower miss?",
    ),
    Pattern(
        "gendered pronoun",
        r"\b(?:he|him|his|himself|she|hers?|herself)\b",
        "they, them, their",
        "A user keeps his cart.",
        "A user keeps their cart.",
    ),
    Pattern(
        "let in",
        r"\blet in\b|\blets? (?:\w+ )in\b",
        "admit, accept, join, sign in",
        "A user with a token is let in.",
        "A user with a token is admitted.",
    ),
    Pattern(
        "good for",
        r"\b(?:is|are|was|were|be|still|longer) good(?: for|[;:,.]|$)",
        "is valid for, expires after",
        "A token is good for 15 minutes.",
        "A token expires after 15 minutes.",
    ),
    Pattern(
        "come in, come back",
        r"\b(?:come|comes|came|coming) (?:back\b|in(?=[.,;:]|$| (?:and|as|or|through|to|with)\b))",
        "sign in, join; reconnect, return",
        "A client that comes back misses nothing.",
        "A client that reconnects misses nothing.",
    ),
    Pattern(
        "for ever",
        r"\bfor ever\b",
        "permanently, forever, never expires",
        "It is kept for ever.",
        "It is kept permanently.",
    ),
    Pattern(
        "is told, is asked",
        rf"\b(?:is|are|was|were|be|been|being) (?:not |also |only |then )?{_TELL}\b",
        "name the actor: the server notifies the client, the server calls your function",
        "The followers are told of it.",
        "The server notifies the followers.",
    ),
    Pattern(
        "tell of, learn of",
        r"\b(?:tell|tells|told|learn|learns|hear|hears|heard|know|knows|knew) (?:\w+ )?of\b",
        "report, find out about, receive, know about",
        "The others learn of it at once.",
        "The others get a notification at once.",
    ),
    Pattern(
        "as it is",
        r"(?<!long )(?<!soon )(?<!much )(?<!far )\bas (?:it is|they are|it was|they were)"
        r"(?=[.;:,)]|$| and\b)",
        "unchanged, literally",
        "The text is kept as it is.",
        "The text is kept unchanged, as long as it is short.",
    ),
    Pattern(
        "what became of",
        r"\b(?:become|becomes|became) of\b",
        "the result of, the outcome of",
        "It returns what became of the payment.",
        "It returns the result of the payment.",
    ),
    Pattern(
        "until now",
        r"\buntil now\b",
        "current, so far, previous",
        "Password until now",
        "Current password",
    ),
    Pattern(
        "there are … left",
        r"\bthere (?:is|are) (?:only )?[\w{}]+ left\b|\btake no more\b",
        "Only … are left.",
        "Of Mouse there are 100 left; take no more.",
        "Only 100 of Mouse are left.",
    ),
    Pattern(
        "may not",
        r"\bmay not\b",
        "cannot, must not, might not",
        "A guest may not own a room.",
        "A guest cannot own a room.",
    ),
    Pattern(
        "just now",
        r"\bjust now\b",
        "at the moment, now",
        "The provider does not answer just now.",
        "The provider does not answer at the moment.",
    ),
    Pattern(
        "Of … at the start",
        r"^(?-i:Of)\b",
        "begin with the subject",
        "Of equal scores the first to get there ranks higher.",
        "The first of two equal scores ranks higher.",
    ),
    Pattern(
        "that there is",
        r"\b(?:that|which|than|as) there (?:is|are|was|were)"
        r"(?=[.;:,)]|$| (?:is|are|has|in|for|to)\b)",
        "that exists, all",
        "It lists every room that there is.",
        "It says that there is no such room.",
    ),
    Pattern(
        "is to be",
        r"\b(?:is|are|was|were) to (?:be|have)\b",
        "must, should, will, or a plain verb",
        "The order is to be paid.",
        "The order must be paid.",
    ),
    Pattern(
        "is of",
        r"\b(?:is|are|was|were) of (?:a|an|another|the|this|that)\b",
        "belongs to, comes from",
        "The token is of an older version.",
        "The token comes from an older version.",
    ),
    Pattern(
        "go on",
        r"\b(?:go|goes|went|gone) on\b",
        "continue, keep",
        "The match goes on without them.",
        "The match continues without them.",
    ),
    Pattern(
        "look on",
        r"\blook(?:s|ed|ing)? on\b|\blookers?-on\b|\bonlookers?\b",
        "watch, spectator",
        "Everyone may look on.",
        "Everyone may watch.",
    ),
    Pattern(
        "is said",
        r"\b(?:is|are|was|were|be|been) (?:not )?said\b",
        "is given, is specified, or an actor that says it",
        "The currency is EUR if nothing is said.",
        "The currency is EUR by default.",
    ),
    Pattern(
        "give back, take back",
        r"\b(?:give|gives|gave|given|giving|take|takes|took|taken|taking) (?:\w+ )?back\b",
        "return, refund, release; delete, revoke, withdraw",
        "The money is given back.",
        "The server refunds the money.",
    ),
    Pattern(
        "put aside, let go",
        r"\b(?:put|puts|putting) (?:\w+ )?aside\b|\b(?:let|lets|letting) (?:\w+ )?go\b",
        "reserve, authorize; release, disconnect",
        "The stock is put aside for the order.",
        "The order reserves the stock.",
    ),
    Pattern(
        "go away",
        r"\b(?:go|goes|went|gone) away\b",
        "disconnect, close, disappear",
        "A client that goes away ends nothing.",
        "A client that disconnects ends nothing.",
    ),
    Pattern(
        "look after, come along",
        r"\blook(?:s|ed|ing)? after\b|\b(?:come|comes|came) along\b",
        "maintain, handle; keep, transfer",
        "The hub looks after the match.",
        "The hub supervises the match.",
    ),
    Pattern(
        "give it up",
        r"\bgiv(?:e|es|ing|en) (?:it|them|that) up\b|\bgave (?:it|them|that) up\b",
        "cancel, resign",
        "Wait for the match, or give it up.",
        "Wait for the match, or cancel the search.",
    ),
    Pattern(
        "of everything",
        r"\b(?:admin|moderator|role|user)s?\W* of everything\b|\bis to everything\b",
        "global role, of the whole hub",
        "An admin of everything.",
        "An admin of the whole hub, and a list of everything.",
    ),
    Pattern(
        "archaic word",
        r"\b(?:anew|but for|hence|lest|thereby|therein|thereof|thus|whence|whereby|wherein)\b",
        "so, because, in it, where",
        "It is thus refused.",
        "So the server refuses it.",
    ),
)

# Where such a phrase is right, and why.
EXCEPTIONS: dict[tuple[str, str], str] = {}

_COMPILED = [(pattern, re.compile(pattern.phrase, re.IGNORECASE)) for pattern in PATTERNS]


def findings_in(text: str) -> list[Pattern]:
    """Return the patterns that a sentence has."""
    return [pattern for pattern, phrase in _COMPILED if phrase.search(text)]


def lint(path: Path) -> Iterator[Finding]:
    """Yield what is not plain English in a file, without the exceptions."""
    path = path.resolve()
    place = path.relative_to(ROOT).as_posix() if path.is_relative_to(ROOT) else path.as_posix()
    for sentence in sentences_of(path, code="tests" not in path.parts):
        for pattern in findings_in(sentence.text):
            if not _is_exception(place, sentence.text):
                yield Finding(place, sentence.line, pattern, sentence.text)


def _is_exception(place: str, text: str) -> bool:
    return any(place.startswith(where) and phrase in text for where, phrase in EXCEPTIONS)


def main(paths: list[str]) -> int:
    """Print the findings in some files, and return how the process exits."""
    found = [finding for path in paths for finding in lint(Path(path))]
    for finding in found:
        sys.stdout.write(f"{finding}\n    write: {finding.pattern.instead}\n")
    sys.stdout.write(f"{len(found)} phrases in {len(paths)} files\n")
    return bool(found)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
