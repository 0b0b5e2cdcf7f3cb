"""The process that solves: it reads problems from its input and writes answers to its output until the input ends.

A solver may hang, crash or write where it likes: none of it reaches the run, which kills this process and starts
another. What solvers print goes nowhere: the output is for answers.
"""

import os
import pickle
import signal
import struct
import sys
from typing import BinaryIO

HEAD = struct.Struct("!4sQ")  # that this is a message, and the length of what follows
MARK = b"stka"


def send(stream: BinaryIO, message: object) -> None:
    """Write one message: its length, then its bytes."""
    content = pickle.dumps(message, protocol=pickle.HIGHEST_PROTOCOL)
    stream.write(HEAD.pack(MARK, len(content)) + content)
    stream.flush()


def receive(stream: BinaryIO) -> object | None:
    """Read one message; None where the stream ends, or holds something else."""
    head = stream.read(HEAD.size)
    if len(head) < HEAD.size:
        return None
    mark, size = HEAD.unpack(head)
    if mark != MARK:
        return None
    content = stream.read(size)
    return pickle.loads(content) if len(content) == size else None


def main() -> None:
    """Answer problems until there are no more."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C is the run's to answer: it ends this process
    source = os.fdopen(os.dup(0), "rb")
    target = os.fdopen(os.dup(1), "wb")
    nothing = os.open(os.devnull, os.O_RDWR)
    for stream in (0, 1, 2):
        os.dup2(nothing, stream)
    sys.stdout = sys.stderr = open(os.devnull, "w", encoding="utf-8")
    from stockcast.policies.milp.solving import answer

    send(target, "ready")
    while isinstance(asked := receive(source), tuple):
        try:
            send(target, answer(*asked))
        except BrokenPipeError:
            return
