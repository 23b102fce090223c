"""Who signs what: keys and their holders, envelopes and seals, rotation, and how signers are kept apart."""
