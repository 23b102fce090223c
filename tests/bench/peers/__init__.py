"""The round trips of other libraries, beside which `rpc` is shown: each a program for an interpreter of its own."""
