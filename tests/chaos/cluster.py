"""Two more brokers beside the bed's own: one cluster, and every quorum queue with a member on each of the three.

All three run on this machine with ports, folders and names of their own, one cookie and one epmd. Clients come in by
the proxy, which is set to another node while the first one, with the leaders of its queues, is gone.
"""

from __future__ import annotations

import subprocess
from functools import partial

from deploy.stack import programs, reach, spawn
from deploy.stack.parts import Parts
from deploy.stack.ports import Ports
from deploy.stack.rabbitmq import Rabbit
from tests.waiting import until

WAIT_S = 120.0


class Cluster:
    """The bed's broker `first`, and the `others` that have joined it."""

    def __init__(self, parts: Parts, home: str) -> None:
        state = parts.state
        self.parts, self.home = parts, home
        self.first = Rabbit(state.id, parts.data / "rabbitmq", state.ports, parts.logs / "rabbitmq.log")
        self.others: list[Rabbit] = []

    def join(self) -> None:
        """Start the others, have them join, and give every quorum queue a member on each node."""
        for number in (2, 3):
            with Ports() as ports:
                own = {name: ports.choose() for name in ("amqp", "management", "dist")}
                node = Rabbit(
                    f"{self.first.id}-{number}", self.parts.data / f"rabbitmq-{number}",
                    {**own, "epmd": self.first.ports["epmd"]}, self.parts.logs / f"rabbitmq-{number}.log",
                )  # fmt: skip
                node.prepare(self.parts.state.secrets["cookie"], {})
                spawn.start(node.launch(), self.home, f"rabbitmq-{number}")
                until(partial(self.started, node), "it has started", WAIT_S)
            for words in (["stop_app"], ["reset"], ["join_cluster", name_of(self.first)], ["start_app"]):
                self.must(node, "rabbitmqctl", *words)
            self.must(self.first, "rabbitmq-queues", "grow", name_of(node), "all")
            self.others.append(node)

    def started(self, node: Rabbit) -> bool:
        """Tell whether a node has started."""
        return self.tell(node, "rabbitmqctl", "await_startup") == 0

    def answers(self, node: Rabbit) -> bool:
        """Tell whether a node lets the console in."""
        uri = self.parts.amqp_uri("console")
        return reach.broker(uri.replace(self.first.address, node.address))

    def must(self, node: Rabbit, program: str, *words: str) -> None:
        """Tell a node something; raise CalledProcessError where it refuses."""
        if self.tell(node, program, *words):
            raise subprocess.CalledProcessError(1, [program, *words])

    def tell(self, node: Rabbit, program: str, *words: str) -> int:
        """Tell a node something; give the program's exit code."""
        launch = node.launch()
        login = ["-n", name_of(node), "--erlang-cookie", self.parts.state.secrets["cookie"]]
        return subprocess.run(
            [programs.rabbitmq(program), *login, *words], env=dict(launch.env), user=launch.user, group=launch.user,
            extra_groups=[] if launch.user else None, capture_output=True, timeout=WAIT_S, cwd=launch.cwd,
        ).returncode  # fmt: skip


def name_of(node: Rabbit) -> str:
    """Give a node's Erlang name."""
    return str(node.launch().env["RABBITMQ_NODENAME"])
