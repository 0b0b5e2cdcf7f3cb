"""From a command line to an exit code: whatever happens in between ends as one screen."""

import os
import signal
import sys
import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from types import FrameType
from typing import Any

import typer

from stockcast.cli.app import app
from stockcast.cli.screen import Screen, speaking
from stockcast.core.errors import StockcastError, UsageError, did_you_mean
from stockcast.core.libraries import libraries_told

_CLICK_USAGE: type[Any] = typer.BadParameter.__mro__[1]  # UsageError of the click that typer carries


class Stopped(BaseException):
    """A signal asked the run to end; what is under way is cleaned up on the way out."""

    def __init__(self, number: int) -> None:
        super().__init__(number)
        self.exit_code = 128 + number


def run(argv: Sequence[str]) -> int:
    """Carry out one command line."""
    for stream in (sys.stdout, sys.stderr):
        if hasattr(stream, "reconfigure"):
            stream.reconfigure(errors="backslashreplace")
    screen = Screen.of(argv)
    speaking(screen)
    try:
        with _signals():
            return _invoke(argv, screen)
    except Stopped as stop:
        error = StockcastError("interrupted", code="SC-C023", help="run it again")
        return screen.fail(error, exit_code=stop.exit_code)
    except BrokenPipeError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())  # the reader has gone; nothing is left to say
        return 0


def _invoke(argv: Sequence[str], screen: Screen) -> int:
    command = typer.main.get_command(app)
    try:
        with libraries_told(), command.make_context("stockcast", list(argv)) as context:
            command.invoke(context)
        return screen.exit_code
    except typer.Exit as leave:
        return leave.exit_code
    except _CLICK_USAGE as error:
        if type(error).__name__ == "NoArgsIsHelpError" and not screen.json:
            screen.write(error.ctx.get_help())
            return 2
        return screen.fail(_usage(error))
    except StockcastError as error:
        return screen.fail(error)
    except BrokenPipeError:
        raise
    except OSError as error:
        from stockcast.report.disk import resource_error

        return screen.fail(resource_error(error.filename or "the operating system", "go on", error))
    except Exception as error:  # the edge: a bug must still end as one screen with exit 1
        bug = StockcastError(
            f"unexpected {type(error).__name__}: {(str(error).strip().splitlines() or ['no message'])[0][:200]}",
            help="this is a bug of stockcast: run the command again with --debug and report what it prints",
        )
        bug.__cause__ = error
        return screen.fail(bug)


def _usage(error: Any) -> UsageError:
    """Turn a parser's complaint into an error of ours."""
    context = error.ctx
    path = context.command_path if context is not None else "stockcast"
    text = error.format_message().rstrip(".")
    if type(error).__name__ == "NoSuchOption":
        known = [name for param in context.command.params for name in param.opts] if context is not None else []
        text = f"unknown option {error.option_name}{did_you_mean(error.option_name, known)}"
    return UsageError(text, code="SC-C018", help=f"{path} --help")


@contextmanager
def _signals() -> Iterator[None]:
    """Turn SIGINT and SIGTERM into :class:`Stopped` while a command runs."""
    if threading.current_thread() is not threading.main_thread():
        yield
        return

    def stop(number: int, frame: FrameType | None) -> None:
        raise Stopped(number)

    before = {number: signal.signal(number, stop) for number in (signal.SIGINT, signal.SIGTERM)}
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
