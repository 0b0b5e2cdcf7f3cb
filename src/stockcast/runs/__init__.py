"""The straight-line programs behind the commands: check, forecast, plan, nightly, and what they share."""
