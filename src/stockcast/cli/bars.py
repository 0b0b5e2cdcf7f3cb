"""How far a stage has come, on stderr."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager, nullcontext
from typing import TYPE_CHECKING, Any, final

from stockcast.cli.wording import printable

if TYPE_CHECKING:
    from contextlib import AbstractContextManager


@final
class Words:
    """Progress where nobody watches: no bars, only what there is to say."""

    def __init__(self, say: Callable[[str], None]) -> None:
        self._say = say

    def stage(self, title: str, total: int | None = None) -> "AbstractContextManager[Callable[[int], None]]":
        """Open a stage that shows nothing."""
        return nullcontext(lambda count: None)

    def say(self, text: str) -> None:
        """Tell one line."""
        self._say(text)


@final
class Bars:
    """Progress on a terminal: a bar for each open stage, gone when it is done."""

    def __init__(self, say: Callable[[str], None]) -> None:
        self._say = say
        self._bars: Any = None
        self._open = 0

    @contextmanager
    def stage(self, title: str, total: int | None = None) -> Iterator[Callable[[int], None]]:
        """Open a stage; the callable takes the number of pieces done so far."""
        if self._bars is None:
            from rich.console import Console
            from rich.progress import BarColumn, Progress, SpinnerColumn, TextColumn, TimeElapsedColumn

            columns = (
                SpinnerColumn(),
                TextColumn("{task.description}", markup=False),
                BarColumn(),
                TimeElapsedColumn(),
            )
            self._bars = Progress(*columns, console=Console(stderr=True), transient=True)
        if self._open == 0:
            self._bars.start()
        self._open += 1
        task = self._bars.add_task(title, total=total)
        try:
            yield lambda count: self._bars.update(task, completed=count)
        finally:
            self._bars.remove_task(task)
            self._open -= 1
            if self._open == 0:
                self._bars.stop()

    def say(self, text: str) -> None:
        """Tell one line, above the bars."""
        from rich.text import Text

        if self._bars is not None and self._open:
            self._bars.console.print(Text(printable(text)), soft_wrap=True)
        else:
            self._say(text)
