"""A backup of one system, taken and put back with the engine's own tools: for drills on marked copies, nowhere else.

Both act with the map's credentials `restore`, which no deletion and no verification has. `put_back` puts everything
back as it was taken, the neighbours' rows and the rehearsal marker too, as a real restore does.
"""

from shared.restoring.taking import Taken, put_back, take, tools_of

__all__ = ["Taken", "put_back", "take", "tools_of"]
