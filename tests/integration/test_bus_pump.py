"""The pump under many greenlets: whatever they hand in is written, whole and once, while it reads and rests."""

from __future__ import annotations

import subprocess
import sys

from tests.integration.bus_faces_parts import ROOT
from tests.integration.bus_store_parts import room
from tests.parts import Parts
from tests.waiting import LONGEST_S

MANY = """
import warnings
warnings.filterwarnings("ignore")
import eventlet
eventlet.monkey_patch()
import sys
import shared.bus.pump
from shared.bus.faces_pump import GreenPump
from shared.bus.pump import publish
from tests.waiting import until

heard, address = [], []

def opened(channel):
    queue, _, _ = channel.queue_declare(exclusive=True)
    channel.basic_consume(queue, no_ack=True, callback=lambda raw: heard.append(bytes(raw.body)))
    address.append(queue)

def tell(way, name):
    for number in range(50):
        body = f"{name}-{number}-".encode() * 400
        way(lambda channel, body=body: publish(channel, ("", address[0]), {}, body))
        eventlet.sleep(0)

shared.bus.pump._REST_S, shared.bus.pump.HEARTBEAT_S = 3600.0, 0  # whom nobody wakes, rests for ever
pump = GreenPump(sys.argv[1], "many", opened)
running = eventlet.spawn(pump.run)
pump.connected.wait()
told = [eventlet.spawn(tell, way, name) for name, way in enumerate([pump.post, pump.at_once] * 8)]
for one in told:
    one.wait()
until(lambda: len(heard) >= 800, "all have come back")
pump.stop()
running.wait()
assert set(heard) == {f"{name}-{number}-".encode() * 400 for name in range(16) for number in range(50)}
assert len(heard) == 800 and len(address) == 1
"""


def test_many_greenlets_hand_in_work_at_once_and_all_of_it_is_done_once(parts: Parts) -> None:
    with room(parts) as node:
        argv = [sys.executable, "-c", MANY, node.uri("topology")]
        done = subprocess.run(argv, cwd=ROOT, capture_output=True, text=True, timeout=2 * LONGEST_S)
    assert done.returncode == 0, done.stderr
