"""Queues of a RabbitMQ as a target (see `protocol.Connector`): a place is a queue of one virtual host, a row a message.

Rules it keeps: what waits in a queue is the customer's too (S2 3.2). To look is to take everything that waits without
acknowledging it, and to give it back in its order; only what is the tenant's is ever acknowledged. A queue that others
consume from cannot be counted: what they hold is seen by nobody. Refused: streams, and queues that drop a message
after some deliveries, for then looking would delete.
"""

from shared.connectors.queues.connector import QueuesConnector

__all__ = ["QueuesConnector"]
