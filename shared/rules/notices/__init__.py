"""Notices: whether one is in time, what it brings, and the last day for each (S2 15.4, 15.6.1, 18.10–28.2).

Everything that a clause says is the profile's data (profile_schema.NoticeSchema); here is only how it is weighed:
1. A notice that has to be given N before a day E is in time until E − N; E is not counted (S2 4.2). The calendar also
   shows E − N − 1, which a reading with clear days would want.
2. In time it is accepted. Late it is, as the kind says, accepted with a later effect, in need of both parties'
   agreement, refused, or served under another clause.
3. No effect before what the variant may not precede (the framework's own end, twelve months after the takeover day).
4. No effect after the day on which the agreement or option ends by itself: such a notice is refused.
5. A day of the ground (`basis_on`) never brings forward what is already on record.
6. An end of services only moves what the kind names for it; K of a partial exit is for whoever ordered it to move.
Refused as a call: an unknown kind, variant, service or milestone, and a date that is missing (NOTICE_*, DATE_UNKNOWN).
"""

from shared.rules.notices.model import Asked, NoticeDay, Situation, Weighed
from shared.rules.notices.weighing import calendar, weigh

__all__ = ["Asked", "NoticeDay", "Situation", "Weighed", "calendar", "weigh"]
