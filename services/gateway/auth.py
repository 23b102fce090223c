"""Who is at the pages: sessions, form tokens and the brake on guessing.

Rules kept here:
1. An unknown user costs as much time as a wrong password.
2. A session is a random secret in a cookie that no script can read; the server keeps its digest only, ends it after
   30 minutes without use or 8 hours in all, and forgets every session when it stops.
3. Every form carries a token bound to its cookie; a form without it is refused.
4. Five wrong tries of one login, or twenty from one address, within five minutes stop further tries.
Time here is real and monotonic, never the rules' clock.
"""

from __future__ import annotations

import hashlib
import hmac
import secrets
import time
from collections import defaultdict
from collections.abc import Callable
from dataclasses import dataclass
from threading import Lock

from shared.runtime.logins import User, fits, hash_password

IDLE_S, WHOLE_S = 30 * 60, 8 * 60 * 60
LOGIN_TRIES, ADDRESS_TRIES, WINDOW_S = 5, 20, 5 * 60
Now = Callable[[], float]


_NOBODY = hash_password(secrets.token_hex(16))


class Brake:
    """Counts wrong tries per key and tells when there were too many (rule 4)."""

    def __init__(self, now: Now = time.monotonic) -> None:
        self._now, self._lock = now, Lock()
        self._tries: dict[tuple[str, ...], list[float]] = defaultdict(list)

    def wait(self, login: str, address: str) -> int:
        """Give the seconds to wait before the next try (0 = go on)."""
        with self._lock:
            return max(self._left((login, address), LOGIN_TRIES), self._left((address,), ADDRESS_TRIES))

    def failed(self, login: str, address: str) -> None:
        """Note a wrong try."""
        with self._lock:
            if len(self._tries) > 10_000:
                self._forget_old()
            for key in ((login, address), (address,)):
                self._tries[key].append(self._now())

    def _left(self, key: tuple[str, ...], most: int) -> int:
        recent = [at for at in self._tries.get(key, ()) if at > self._now() - WINDOW_S]
        return 0 if len(recent) < most else int(recent[-most] + WINDOW_S - self._now()) + 1

    def _forget_old(self) -> None:
        oldest = self._now() - WINDOW_S
        for key in [key for key, tries in self._tries.items() if tries[-1] <= oldest]:
            del self._tries[key]


@dataclass(slots=True)
class _Session:
    user: User
    began: float
    used: float


class Sessions:
    """The sessions of this process (rule 2), and the form tokens bound to cookies (rule 3)."""

    def __init__(self, now: Now = time.monotonic) -> None:
        self._now, self._lock, self._secret = now, Lock(), secrets.token_bytes(32)
        self._sessions: dict[str, _Session] = {}

    def begin(self, user: User) -> str:
        """Begin a session; give the cookie's value."""
        cookie = secrets.token_urlsafe(32)
        with self._lock:
            now = self._now()
            self._sessions = {key: one for key, one in self._sessions.items() if self._alive(one)}
            self._sessions[_digest(cookie)] = _Session(user, now, now)
        return cookie

    def user(self, cookie: str | None) -> User | None:
        """Give whose session the cookie is, and note that it was used; None when there is none (any more)."""
        with self._lock:
            session = self._sessions.get(_digest(cookie or ""))
            if session is None or not self._alive(session):
                return None
            session.used = self._now()
            return session.user

    def end(self, cookie: str | None) -> None:
        """End the cookie's session."""
        with self._lock:
            self._sessions.pop(_digest(cookie or ""), None)

    def form_token(self, cookie: str) -> str:
        """Give the token that forms under this cookie carry."""
        return hmac.new(self._secret, cookie.encode(), "sha256").hexdigest()

    def form_fits(self, cookie: str | None, token: str | None) -> bool:
        """Tell whether a form's token belongs to the cookie that came with it."""
        return bool(cookie and token) and hmac.compare_digest(
            self.form_token(cookie or "").encode(), (token or "").encode()
        )

    def _alive(self, session: _Session) -> bool:
        now = self._now()
        return now - session.used < IDLE_S and now - session.began < WHOLE_S


def _digest(cookie: str) -> str:
    return hashlib.sha256(cookie.encode()).hexdigest()


def log_in(users: dict[str, User], login: str, password: str) -> User | None:
    """Give the user whose login and password these are, else None, in the same time (rule 1)."""
    user = users.get(login)
    right = fits(password, user.password if user else _NOBODY)
    return user if user and right else None
