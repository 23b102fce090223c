"""`make bench`: figures that were measured, each against a reference in the same run, and never asserted."""
