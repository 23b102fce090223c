"""The offline verifier: one file that can be taken out of the project and out of the bundle and still runs."""
