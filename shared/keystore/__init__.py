"""Keys of backup sets: one for each customer and set, made when the set is, destroyed when its day has come.

One protocol, three holders: files, a key service over HTTP that waits before it destroys, and a PKCS#11 token. They
have nothing to do with the keys that sign evidence. Sets are sealed with AES-256-GCM under their own key.
"""

from shared.keystore.files import FileKeys
from shared.keystore.model import KeyState, Keystore, label_of
from shared.keystore.service import ServiceKeys
from shared.keystore.token import TokenKeys

__all__ = ["FileKeys", "KeyState", "Keystore", "ServiceKeys", "TokenKeys", "label_of"]
