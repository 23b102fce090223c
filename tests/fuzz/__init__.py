"""Attacks on the verifier: every byte of a small bundle changed, and mutations that know the grammar of its parts."""
