"""Faults by the hundred against real parts and processes, and a count of what was lost or doubled afterwards."""
