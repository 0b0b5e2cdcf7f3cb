"""Codes SC-E…: environment."""

from stockcast.core.codes.entry import Code

CODES: tuple[Code, ...] = (
    Code(
        "SC-E001",
        "no space left",
        "The disk, or the quota on it, is full: a write, a new folder or a rename could not be carried out.",
        "Free space on the file system of output.dir, or point output.dir (or --out) to another one, and run again.",
    ),
    Code(
        "SC-E002",
        "no permission to write",
        "The folder belongs to another user, or the file system is mounted read-only.",
        "Give the user who runs stockcast write permission on the folder, or choose another output.dir or --out.",
    ),
    Code(
        "SC-E003",
        "the file system failed",
        "The operating system reported an error while a file of the run was read or written.",
        "Look at the disk or the network share (its log tells more), then run again; nothing was half published.",
    ),
    Code(
        "SC-E004",
        "another run holds the lock",
        "One run at a time may publish into an output folder. The operating system frees the lock when its holder "
        "ends, however it ends: a lock that is held has a living holder.",
        "Wait for it (--wait SECONDS), or end the process that the message names.",
    ),
    Code(
        "SC-E005",
        "--out names a folder that is in use",
        "A run is published into DIR as a whole, so DIR must be absent, empty, or an earlier run of stockcast.",
        "Name a folder that does not exist yet, or empty this one.",
    ),
    Code(
        "SC-E006",
        "not a run of stockcast",
        "The folder holds no manifest.json, or one that this version cannot read.",
        "Name the folder of a published run, such as the one that latest.json in output.dir names.",
    ),
    Code(
        "SC-E007",
        "the recorded forecast cannot be read",
        "The forecast/ folder of a run is incomplete, damaged, or was written by another version.",
        "Make the forecast again with `stockcast forecast`.",
    ),
    Code(
        "SC-E008",
        "a library cannot be loaded",
        "A library that the command needs is not installed, or what is installed of it is damaged or incomplete.",
        "Install what the message names with pip; `stockcast doctor` tries to load every library.",
    ),
)
