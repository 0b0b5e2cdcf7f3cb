"""Codes SC-C…: config and command line."""

from stockcast.core.codes.entry import Code

CODES: tuple[Code, ...] = (
    Code(
        "SC-C001",
        "no config file",
        "A command looks for stockcast.yml in the current folder and its parents, or takes the file named with -c.",
        "Change into a project's folder, name the file with -c, or make a project with `stockcast init DIR`.",
    ),
    Code(
        "SC-C002",
        "a required key is missing",
        "Every config needs version and sources.sales.path.",
        "Add the key; `stockcast init DIR` writes a commented config to begin with.",
    ),
    Code(
        "SC-C003",
        "an unknown key",
        "A key that is not part of the config would otherwise be ignored without a word.",
        "Use the key that the message names, or look it up with `stockcast config schema`.",
    ),
    Code("SC-C004", "a key stands twice", "One of the two values would be lost without a word.", "Keep one of them."),
    Code(
        "SC-C005",
        "not YAML",
        "The file (or the value after --set) is not a mapping in YAML 1.2. Tabs cannot indent; aliases and tags are "
        "not read.",
        "Look at the line and column of the message; indent with spaces, and put odd text in quotes.",
    ),
    Code(
        "SC-C006",
        "a value of the wrong kind",
        "The key wants another kind of value: a number, a text, a list or a section.",
        "Correct the value; text that looks like a number goes in quotes.",
    ),
    Code(
        "SC-C007",
        "an environment variable is not set",
        "${VAR} in the config is filled in from the environment, and the variable has no value there.",
        "Set it, or write ${VAR:-default}.",
    ),
    Code(
        "SC-C008", "a value out of range", "The message says what is allowed.", "Choose a value in the allowed range."
    ),
    Code(
        "SC-C009",
        "not a probability",
        "Service levels, fill rates and quantile levels lie between 0 and 1, both ends excluded.",
        "Write 0.95 for 95 %; nothing can promise 1.",
    ),
    Code(
        "SC-C011", "a config that cannot be read", "The file is not UTF-8 text, or far too long.", "Save it as UTF-8."
    ),
    Code(
        "SC-C012",
        "an unknown name",
        "A model, policy, table, weekday or other name that does not exist.",
        "Use one of the names that the message lists.",
    ),
    Code(
        "SC-C013", "an unknown code", "No message of stockcast has this code.", "Copy the code from the message: SC-…"
    ),
    Code(
        "SC-C014",
        "which service level?",
        "A bare service level can mean two things: the probability of no stockout between two receipts "
        "(cycle_service_level), or the share of demand served at once (fill_rate).",
        "Name exactly one of the two.",
    ),
    Code(
        "SC-C015",
        "an option that needs more",
        "The option needs a package that is not installed, or is not part of this version.",
        "Install the extra that the message names, or leave the option out.",
    ),
    Code("SC-C016", "not a date", "A date is written YYYY-MM-DD and must exist.", "Write it as 2026-11-22."),
    Code(
        "SC-C017",
        "a config of a newer version",
        "The config's version is above the one that this stockcast reads.",
        "Install a newer stockcast, or write the config for this version.",
    ),
    Code(
        "SC-C018",
        "a command line that cannot be read",
        "An unknown command or option, or a missing or wrong value.",
        "Ask the command for --help.",
    ),
    Code(
        "SC-C019",
        "a project is there already",
        "`stockcast init` never writes over a project or a file of yours.",
        "Choose another folder, or move the old one away.",
    ),
    Code(
        "SC-C020",
        "the horizon is too short",
        "A forecast must reach the end of the longest protection interval, or the orders would not see all the demand "
        "that they have to serve.",
        "Set forecast.horizon: auto, or at least the number that the message names.",
    ),
    Code("SC-C021", "an unknown ranking", "--rank-by knows value only.", "Use --rank-by value."),
    Code(
        "SC-C022",
        "degraded under --strict",
        "The result is published and usable, but something was quarantined, substituted or cut short; --strict turns "
        "that into exit 4.",
        "Read issues.csv, exceptions.csv and the notes of manifest.json; run without --strict to accept it.",
    ),
    Code(
        "SC-C023",
        "interrupted",
        "The run was stopped by Ctrl-C (exit 130) or by SIGTERM (exit 143); what it had not published is gone, but for "
        "the state of a network that was learning.",
        "Run it again: on the same inputs the network goes on from there.",
    ),
    Code(
        "SC-C024",
        "no fresh run",
        "`doctor --max-age` found no published run, or the newest one is older.",
        "Look at the scheduler and at the last run's output, then run again.",
    ),
    Code(
        "SC-C025",
        "not healthy",
        "`doctor` found that something this installation needs is missing.",
        "Install what the message names.",
    ),
    Code(
        "SC-C026",
        "no such table",
        "A run publishes the tables that its command makes; this one is not among them.",
        "name one of the tables that the message lists",
    ),
    Code(
        "SC-C027",
        "nothing to explain",
        "No run was published, the run has neither plan nor forecast, or it has no such sku or location.",
        "name a sku of the run's plan.csv, as SKU or SKU@LOCATION; --run names another run",
    ),
)
