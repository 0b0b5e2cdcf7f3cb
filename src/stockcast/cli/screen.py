"""What a command says: one screen for an error, a summary or one JSON object for a result."""

import json
import os
import sys
import traceback
from collections.abc import Sequence
from contextvars import ContextVar
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, final

from stockcast.cli.bars import Bars, Words
from stockcast.cli.wording import aligned, printable, shortest
from stockcast.core.errors import StockcastError

if TYPE_CHECKING:
    from stockcast.core.findings import Issue
    from stockcast.runs.config import RunConfig
    from stockcast.runs.job import Outcome, Progress

DETAILS = 16  # lines of details on the screen of an error
ISSUES = 200  # issues in the JSON object; issues.csv has all of them


@final
@dataclass(slots=True)
class Screen:
    """Where a command's words go: results to stdout, everything else to stderr.

    Parameters
    ----------
    json
        Whether stdout is one JSON object.
    debug
        Whether an error shows its traceback.
    """

    json: bool = False
    debug: bool = False
    exit_code: int = 0
    config: "RunConfig | None" = None
    out: Path | None = None

    @classmethod
    def of(cls, argv: Sequence[str]) -> "Screen":
        """Read off a command line how to speak, before it is parsed: a line that cannot be parsed is told, too."""
        words = list(argv)
        pairs = list(zip(words, words[1:], strict=False))
        wants_json = ("--output-format", "json") in pairs or "--output-format=json" in words
        return cls(wants_json, "--debug" in words)

    # --- results ---

    def show(self, outcome: "Outcome") -> None:
        """Tell what a command came to."""
        self.exit_code = outcome.exit_code
        strict = None
        if outcome.exit_code == 4:
            strict = StockcastError(
                "published, but degraded, and --strict was given",
                code="SC-C022",
                help="read issues.csv, exceptions.csv and the notes of manifest.json",
                kept=f"the run {outcome.run_id} is published and usable",
            )
        if self.json:
            self.answer(
                run_id=outcome.run_id,
                status=outcome.status,
                counts=dict(outcome.counts),
                artifacts={name: str(path) for name, path in outcome.artifacts.items()},
                issues=self._plain(outcome.issues),
                error=None if strict is None else strict.as_dict(),
            )
        else:
            self.write(self._summary(outcome))
        if strict is not None:
            self.say(self._error_screen(strict))

    def _summary(self, outcome: "Outcome") -> str:
        parts = [outcome.headline if outcome.status == "ok" else f"{outcome.headline}\nstatus: {outcome.status}"]
        parts += [f"{title}\n{aligned(header, rows)}" for title, header, rows in outcome.tables]
        if outcome.notes:
            parts.append("\n".join(["notes", *(f"  {note}" for note in outcome.notes)]))
        folder = next(iter(outcome.artifacts.values())).parent if outcome.artifacts else None
        if folder is not None:
            names = [
                str(path.relative_to(folder)) for path in outcome.artifacts.values() if path.is_relative_to(folder)
            ]
            parts.append(f"{shortest(folder)}{os.sep}\n  {'  '.join(names)}")
        return "\n\n".join(parts)

    def answer(self, **found: Any) -> None:
        """Write the one JSON object; what is not given stands as null or empty."""
        whole: dict[str, Any] = {
            "run_id": None,
            "status": "ok",
            "exit_code": self.exit_code,
            "counts": {},
            "artifacts": {},
            "issues": [],
            "error": None,
        }
        sys.stdout.write(json.dumps({**whole, **found}, default=str) + "\n")
        sys.stdout.flush()

    def write(self, text: str) -> None:
        """Write a result to stdout."""
        sys.stdout.write(f"{printable(self._masked(text))}\n")
        sys.stdout.flush()

    def say(self, text: str) -> None:
        """Tell something on stderr."""
        sys.stderr.write(f"{printable(self._masked(text))}\n")
        sys.stderr.flush()

    # --- errors ---

    def fail(self, error: StockcastError, *, exit_code: int | None = None) -> int:
        """Tell an error, and give its exit code."""
        self.exit_code = error.exit_code if exit_code is None else exit_code
        if error.kept is None:
            error.kept = self._kept()
        if self.json:
            found = dict(getattr(error, "outcome", {}))
            found["artifacts"] = {name: str(path) for name, path in found.get("artifacts", {}).items()}
            found.setdefault("status", "failed")
            self.answer(**found, issues=self._plain(getattr(error, "issues", ())), error=self._masked_error(error))
        if self.debug:
            sys.stderr.write("".join(traceback.format_exception(error)))
        self._say_error(self._error_screen(error))
        return self.exit_code

    def _error_screen(self, error: StockcastError) -> str:
        lines = [f"error[{error.code}]: {error.message}"]
        details = [line for detail in error.details for line in str(detail).splitlines()]
        lines += [f"  {line if len(line) <= 300 else line[:299] + '…'}" for line in details[:DETAILS]]
        if len(details) > DETAILS:
            lines.append(f"  and {len(details) - DETAILS} lines more")
        if error.help:
            lines.append(f"  help: {error.help}")
        last = [f"kept: {error.kept}"] if error.kept else []
        if getattr(error, "issues", ()) and self.config is not None:
            last.append(f"every row: {shortest(self._folder() / 'failed' / 'issues.csv')}")
        lines.append(f"  {' · '.join([*last, f'stockcast explain --code {error.code}'])}")
        return "\n".join(lines)

    def _say_error(self, text: str) -> None:
        if not sys.stderr.isatty() or os.environ.get("NO_COLOR"):
            self.say(text)
            return
        from rich.console import Console
        from rich.text import Text

        shown = Text(printable(self._masked(text)))
        shown.highlight_regex(r"^error\[[^]]*\]", "bold red")
        shown.highlight_regex(r"(?m)^  help:", "bold")
        Console(stderr=True).print(shown, soft_wrap=True)

    def _folder(self) -> Path:
        assert self.config is not None
        return self.config.root / self.config.output.dir

    def _kept(self) -> str:
        """Say what stays as it was."""
        if self.out is not None and (self.out / "manifest.json").is_file():
            return f"the run in {shortest(self.out)} is untouched"
        if self.config is not None:
            try:
                note = json.loads((self._folder() / "latest.json").read_text(encoding="utf-8"))
                return f"the published run {note['run_id']} is untouched"
            except (OSError, ValueError, KeyError, TypeError):
                return "no run was published before, and none is now"
        return "nothing was written"

    def _plain(self, issues: "Sequence[Issue]") -> list[dict[str, object]]:
        return [asdict(issue) | {"message": self._masked(issue.message)} for issue in issues[:ISSUES]]

    def _masked_error(self, error: StockcastError) -> dict[str, object]:
        whole = error.as_dict() | {"details": [self._masked(line) for line in error.details]}
        return {name: self._masked(value) if isinstance(value, str) else value for name, value in whole.items()}

    def _masked(self, text: str) -> str:
        return text if self.config is None else self.config.mask(text)

    def progress(self) -> "Progress":
        """Give what shows progress: bars on a terminal, plain words elsewhere."""
        return Bars(self.say) if sys.stderr.isatty() else Words(self.say)


_CURRENT: ContextVar[Screen] = ContextVar("screen")


def speaking(screen: Screen) -> None:
    """Make a screen the one that this command speaks through."""
    _CURRENT.set(screen)


def current() -> Screen:
    """Give the screen that this command speaks through."""
    return _CURRENT.get()
