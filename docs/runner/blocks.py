"""Finds the code blocks of a page, and what the comment before a block says of how to check it.

    <!-- check: background until "listening"; given token: string -->

The words, separated by `;`:

    background until "TEXT"   goes on while the next blocks run; is there when it has printed TEXT
    background until port N   the same, is there when it listens on the port
    prints "TEXT"             must print TEXT
    hears "TEXT"              something in the background must print TEXT soon after
    needs redis               a Redis on 6379 is started before
    file NAME                 is saved under that name, for the blocks behind it
    run                       a ts or python block is run, not only checked
    given DECLARATIONS        what the block uses without showing it; the last word
    syntax only: REASON       is parsed and not run
    flags only: REASON        each command of ours is run with --help behind it, so its flags are checked
    not run: REASON           is not looked at
"""

import re
from dataclasses import dataclass, field
from pathlib import Path

FENCE = re.compile(r"^(\s*)(`{3,})\s*([^\s`]*)\s*$")
COMMENT = re.compile(r"<!--\s*check:\s*(.*?)\s*-->", re.DOTALL)
EXCUSES = ("syntax only", "flags only", "not run")
WORDS = ("background until", "prints", "hears", "needs", "file", "run", "given", *EXCUSES)


@dataclass
class Block:
    """One fenced block of a page."""

    page: str
    line: int
    language: str
    code: str
    words: dict[str, str] = field(default_factory=dict)

    @property
    def place(self) -> str:
        return f"{self.page}:{self.line}"

    @property
    def excuse(self) -> str | None:
        return next((excuse for excuse in EXCUSES if excuse in self.words), None)


class Unclear(Exception):
    """A page that cannot be read."""


def words_of(comment: str, place: str) -> dict[str, str]:
    """What a comment says."""
    words = {}
    rest = comment
    while rest:
        word = next((word for word in WORDS if re.match(rf"{word}\b", rest)), None)
        if word is None:
            raise Unclear(f"{place}: what is `{rest}`?")
        rest = rest[len(word) :].lstrip(": ")
        # These go on to the end of the comment.
        if word == "given" or word in EXCUSES:
            value, rest = rest, ""
            if not value:
                raise Unclear(f"{place}: `{word}` says nothing")
        else:
            value, _, rest = rest.partition(";")
        words[word] = value.strip().strip('"')
        rest = rest.strip()
    return words


def blocks_of(page: str, path: Path) -> list[Block]:
    """The blocks of a page, in order."""
    blocks, lines = [], path.read_text().splitlines()
    at = 0
    while at < len(lines):
        opening = FENCE.match(lines[at])
        if not opening:
            at += 1
            continue
        indent, ticks, language = opening.groups()
        end = at + 1
        while end < len(lines) and lines[end].strip() != ticks:
            end += 1
        if end == len(lines):
            raise Unclear(f"{page}:{at + 1}: the block has no end")
        code = "\n".join(line.removeprefix(indent) for line in lines[at + 1 : end]) + "\n"
        block = Block(page, at + 1, language, code)
        before = "\n".join(lines[:at]).rstrip()
        comment = COMMENT.fullmatch(before[max(before.rfind("<!--"), 0) :])
        if comment:
            block.words = words_of(" ".join(comment.group(1).split()), block.place)
        blocks.append(block)
        at = end + 1
    return blocks
