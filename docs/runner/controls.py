"""Checks the checks: each of these blocks has a mistake, and must be complained of."""

import re
from pathlib import Path

import kinds
from blocks import Block, Unclear, blocks_of
from links import broken_links

WRONG = {
    "a command that fails": ("sh", {}, "true\nfalse\n"),
    "an output that is not there": ("sh", {"prints": "hello"}, "echo good bye\n"),
    "a background that never says it": ("sh", {"background until": "hello"}, "echo good bye\n"),
    "a flag that is unknown": ("sh", {"flags only": "for trying"}, "gateway token --compny acme\n"),
    "a package that is not there": ("sh", {}, "cargo run -p gatway\n"),
    "a quote that is left open": ("sh", {"syntax only": "for trying"}, "echo 'hello\n"),
    "a program that throws": ("ts", {"run": ""}, "throw new Error('hello');\n"),
    "Python that is none": ("python", {}, "def hello(:\n"),
    "TOML that is none": ("toml", {}, "[hello\n"),
    "a table that is not there": ("sql", {}, "SELECT hello FROM nowhere;\n"),
    "a frame that is not there": ("json", {}, '{"frame": "hello"}\n'),
    "a member that is not there": ("json", {}, '{"frame": "pong", "hello": 1}\n'),
    "a word that HAProxy does not know": ("haproxy", {}, "frontend hello\n  bnd :8080\n"),
    "Rust that nobody compiles": ("rust", {}, "fn main() {}\n"),
    "a language that nobody knows": ("cobol", {}, "HELLO\n"),
    "a block without a language": ("", {}, "hello\n"),
}
TYPES = 'import { useRealtimeUpdates } from "./hooks";\nuseRealtimeUpdates({ "devis:singed": () => {} });\n'


def overlooked(check, root: Path, folder: Path) -> list[str]:
    """The mistakes that nobody complained of. `check` checks one block in a shell of its own."""
    missed = []
    for what, (language, words, code) in WRONG.items():
        if not check(Block("a page.md", 1, language, code, words)):
            missed.append(what)
    typed = Block("a page.md", 1, "tsx", TYPES)
    if not kinds.typescript_errors([typed], [], root, folder / "types").get(typed.place):
        missed.append("an event that is misspelled")
    page = folder / "page.md"
    page.write_text("[nowhere](nowhere.md) and [no heading](#no-heading)\n\n# A heading\n")
    if len(broken_links("page.md", folder)[1]) != 2:
        missed.append("links that lead nowhere")
    page.write_text("<!-- check: hurry -->\n```sh\ntrue\n```\n")
    try:
        blocks_of("page.md", page)
        missed.append("a word that nobody knows")
    except Unclear as error:
        if not re.search("hurry", str(error)):
            missed.append("the word that nobody knows")
    return [f"overlooked: {one}" for one in missed]
