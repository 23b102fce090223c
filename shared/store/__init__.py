"""How a service keeps its state: its own database, the unit of work, leases, and the account of its messages."""
