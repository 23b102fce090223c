"""Pure rules: time, profiles and the plan. Nothing here reads a clock, a database or the environment."""
