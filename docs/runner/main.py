"""Checks every code block and every link of the documentation. `main.py [page ...]`: only these pages' blocks."""

import os
import subprocess
import sys
import tempfile
from collections import Counter
from pathlib import Path

import kinds
from blocks import Block, Unclear, blocks_of
from controls import overlooked
from examples import examples_fail
from links import broken_links
from shell import Shell

ROOT = Path(__file__).resolve().parents[2]
PROGRAMS = (ROOT / os.environ.get("CARGO_TARGET_DIR", "target")).resolve() / "debug"
# Pages whose commands measure for minutes: only their flags are checked.
FLAGS_ONLY = {"loadtest/README.md": "measures for minutes"}


def pages() -> list[str]:
    """Every page of the repository."""
    listed = subprocess.run(
        ["git", "ls-files", "--cached", "--others", "--exclude-standard", "*.md"], cwd=ROOT, capture_output=True,
        text=True, check=True,
    )
    return sorted(listed.stdout.split())


def check(block: Block, folder: Path, shells: dict[bool, Shell]) -> tuple[str, str | None]:
    """What was done with the block, and what is wrong."""
    language = block.language
    flags_only = block.excuse == "flags only"
    if flags_only not in shells:
        shells[flags_only] = Shell(ROOT, PROGRAMS, folder / ("flags" if flags_only else "page"), flags_only)
    shell = shells[flags_only]
    if "file" in block.words:
        (shell.scratch / block.words["file"]).write_text(block.code)
    if block.excuse == "not run":
        return "not run", None
    if language in kinds.WITHOUT_CODE:
        return "no code", None
    if language == "sh":
        wrong = kinds.sh_parses(block)
        if wrong or block.excuse == "syntax only":
            return "syntax only", wrong
        return block.excuse or "run", shell.run(block, block.code)
    if language in kinds.TYPESCRIPT:
        return ("run", shell.run(block, run_line(shell, block, "ts"))) if "run" in block.words else ("compiled", None)
    if language == "python":
        wrong = kinds.python_parses(block)
        if wrong or "run" not in block.words:
            return "syntax only", wrong
        return "run", shell.run(block, run_line(shell, block, "py"))
    if language.startswith("rust"):
        return "compiled", kinds.rust_is_a_doctest(block, ROOT)
    if language == "json":
        return "parsed", kinds.json_is_valid(block, ROOT)
    if language == "toml":
        return "parsed", kinds.toml_parses(block)
    if language == "sql":
        return "parsed", kinds.sql_is_understood(block)
    if language == "yaml":
        return "parsed", kinds.yaml_parses(block, ROOT)
    if language == "haproxy":
        return "parsed", kinds.haproxy_takes_it(block, folder)
    return "unknown", f"nobody knows how to check `{language or 'a block without a language'}`"


def run_line(shell: Shell, block: Block, suffix: str) -> str:
    name = f"block-{block.line}.{suffix}"
    (shell.scratch / name).write_text(block.code)
    return f"{'node' if suffix == 'ts' else 'python3'} {name}\n"


def check_page(page: str, blocks: list[Block], errors: dict[str, str], done: Counter, wrong: list[str]) -> None:
    if page in FLAGS_ONLY:
        for block in blocks:
            if not block.excuse:
                block.words["flags only"] = FLAGS_ONLY[page]
    with tempfile.TemporaryDirectory(prefix="docs-", ignore_cleanup_errors=True) as folder:
        own, shells = Counter(), {}
        try:
            for block in blocks:
                what, complaint = check(block, Path(folder), shells)
                complaint = complaint or errors.get(block.place)
                own[what] += 1
                if complaint:
                    wrong.append(f"{block.place}: {complaint}")
                if block.excuse:
                    print(f"    {block.place} {what}: {block.words[block.excuse]}")
        finally:
            for shell in shells.values():
                shell.close()
        done.update(own)
        print(f"{page}: {', '.join(f'{count} {what}' for what, count in own.items())}", flush=True)


def controls() -> list[str]:
    """What the checks overlook."""

    def alone(block: Block) -> str | None:
        with tempfile.TemporaryDirectory(prefix="docs-", ignore_cleanup_errors=True) as folder:
            shells: dict[bool, Shell] = {}
            try:
                return check(block, Path(folder), shells)[1]
            finally:
                for shell in shells.values():
                    shell.close()

    with tempfile.TemporaryDirectory(prefix="docs-") as folder:
        return overlooked(alone, ROOT, Path(folder))


def main() -> int:
    done, wrong, links = Counter(), [], 0
    chosen = sys.argv[1:]
    try:
        all_blocks = {page: blocks_of(page, ROOT / page) for page in pages() if not chosen or page in chosen}
    except Unclear as error:
        print(error)
        return 1
    typed = [block for blocks in all_blocks.values() for block in blocks if block.language in kinds.TYPESCRIPT]
    with tempfile.TemporaryDirectory(prefix="docs-") as folder:
        examples = sorted((ROOT / "examples").glob("*.ts"))
        errors = kinds.typescript_errors(typed, examples, ROOT, Path(folder))
    wrong += [f"{place}: {text}" for place, text in errors.items() if place == "examples"]
    for page, blocks in all_blocks.items():
        if blocks:
            check_page(page, blocks, errors, done, wrong)
        count, broken = broken_links(page, ROOT)
        links += count
        wrong += broken
    if not chosen:
        print("the checks themselves, on blocks that are wrong", flush=True)
        wrong += controls()
        print("examples, against a gateway and a Redis that restart", flush=True)
        complaint = examples_fail(ROOT, PROGRAMS)
        done["run"] += 1
        wrong += [f"examples: {complaint}"] if complaint else []
    for complaint in wrong:
        print(f"!!! {complaint}")
    print(f"{sum(done.values())} blocks: {', '.join(f'{count} {what}' for what, count in done.most_common())}; {links} links")
    print(f"{max(sum(done.values()) + links - len(wrong), 0)} passed, {len(wrong)} failed")
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
