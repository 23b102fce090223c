"""What a rehearsal is made of: its people, its stage, its walk through time, and what it leaves."""
