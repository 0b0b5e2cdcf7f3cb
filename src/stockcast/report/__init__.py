"""What a run gives out: tables, files, the recorded forecast and the page for the planner."""
