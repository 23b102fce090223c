"""The bus: envelopes, trust, tokens, the guard, faces, hands, the relay, the ladder and the client (design §3)."""
