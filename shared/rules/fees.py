"""What the agreement's price clauses give, in kroner: reduction, payments on account, invoices, penalties.

Rules kept:
1. A reduction takes the service's percent of the original total, not of what is left (S2 15.6.2).
2. The first payment on account falls when the first whole interval that begins after the takeover day has run out
   (S2 16.4); the day itself is not counted (4.2). A payment on account is at most 90 % of its share of the estimate.
3. One invoice carries every unit whose interval ends on its day (S2 16.6.1).
4. Penalties are by percent from a monthly price of DKK 50.000,00, by amounts below it (S2 17.1, 17.2); 17.1 and 17.3
   together are at most that month's price of the service.
5. An emergency extension costs ten percent more (S2 27.1.1).
Refused: a service without a price or shares above 100 % (PRICE_PARTS_INVALID).
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from datetime import date
from decimal import ROUND_CEILING, ROUND_DOWN, ROUND_HALF_UP, Decimal
from itertools import pairwise

from contracts.errors import Rejected

ORE = Decimal("0.01")
BY_PERCENT_FROM = Decimal(50_000)  # S2 17.1.1, 17.1.2, 17.1.3, 17.2
EFFICIENCY_STEPS = {"platin": Decimal("0.3"), "guld": Decimal("0.6"), "soelv": Decimal(1), "bronze": Decimal("1.5")}
_HUNDRED = Decimal(100)


def kroner(amount: Decimal) -> str:
    """Write an amount the Danish way: `12.345,60`."""
    return f"{amount.quantize(ORE, ROUND_HALF_UP):,}".translate(str.maketrans(",.", ".,"))


def price_cut(total: Decimal, shares: Mapping[str, Decimal], dropped: Collection[str]) -> Decimal:
    """Give what the fee falls by when services are dropped (15.6.2); `shares`: percent of the original `total`."""
    unknown = sorted(set(dropped) - shares.keys())
    if unknown:
        raise _parts(f"no share is given for {', '.join(unknown)}", f"der er ingen andel for {', '.join(unknown)}")
    if sum(shares.values()) > _HUNDRED or min(shares.values(), default=_HUNDRED) < 0:
        raise _parts("the shares are negative or above 100 % together", "andelene er negative eller over 100 % i alt")
    return _percent(total, sum((shares[name] for name in dropped), Decimal(0)))


def first_on_account(takeover_day: date, starts: Sequence[tuple[int, int]]) -> date:
    """Give the first day of payment on account (16.4); `starts`: (month, day) on which intervals begin."""
    years = (takeover_day.year, takeover_day.year + 1, takeover_day.year + 2)
    days = sorted(date(year, month, day) for year in years for month, day in starts)
    return next(after for begin, after in pairwise(days) if begin > takeover_day)


def most_on_account(estimate: Decimal, payments: int) -> Decimal:
    """Give the highest payment on account (16.4): 90 % of the estimate's share, never rounded up."""
    return (estimate / payments * Decimal("0.9")).quantize(ORE, ROUND_DOWN)


def invoiced(units: Mapping[str, int], day: date) -> tuple[str, ...]:
    """List the units on the invoice of a first of a month (16.6.1); `units`: months in each unit's interval."""
    return tuple(unit for unit, months in units.items() if day.day == 1 and (day.month - 1) % months == 0)


def emergency_fee(fee: Decimal) -> Decimal:
    """Give the fee during an emergency extension (27.1.1)."""
    return fee + _percent(fee, Decimal(10))


def late_report(price: Decimal, days: int, *, defective: bool = False) -> Decimal:
    """Give the penalty for a report that is `days` begun Arbejdsdage late, or defective (17.1.1)."""
    steps = min(days, 10) + 10 * (days > 20) + 10 * defective
    return steps * _either(price, Decimal("0.5"), Decimal(250))


def helpdesk(price: Decimal) -> Decimal:
    """Give the penalty for missed Helpdesk or Eskalation (17.1.2)."""
    return _either(price, Decimal(5), Decimal(2_500))


def repair(price: Decimal) -> Decimal:
    """Give the penalty for missed Mangelafhjælpning, Lovvedligehold or Svartid (17.1.3, first part)."""
    return _either(price, Decimal(10), Decimal(5_000))


def inefficiency(price: Decimal, level: str, below: Decimal) -> Decimal:
    """Give the penalty for Driftseffektivitet, percentage points `below` the agreed (17.1.3); not with repair."""
    steps = (below / EFFICIENCY_STEPS[level]).to_integral_value(ROUND_CEILING)
    return min(steps * repair(price), _either(price, Decimal(75), Decimal(37_500)))


def late_takeover(price: Decimal, takeover_price: Decimal, days: int) -> Decimal:
    """Give the penalty for a takeover that is `days` begun Arbejdsdage late (17.2)."""
    if price >= BY_PERCENT_FROM:
        return _percent(takeover_price, min(days * Decimal("2.5"), Decimal(75)))
    return min(days * Decimal(1_250), Decimal(37_500))


def faulty_invoices(count: int) -> Decimal:
    """Give the penalty for faulty invoices: for every second one (17.3)."""
    return count // 2 * Decimal(10_000)


def month_of(price: Decimal, penalties: Collection[Decimal]) -> Decimal:
    """Give one month's penalties of 17.1 and 17.3 under their common cap (17)."""
    return min(sum(penalties, Decimal(0)), price)


def _either(price: Decimal, percent: Decimal, amount: Decimal) -> Decimal:
    return _percent(price, percent) if price >= BY_PERCENT_FROM else amount


def _percent(amount: Decimal, percent: Decimal) -> Decimal:
    return amount * percent / _HUNDRED


def _parts(message: str, da: str) -> Rejected:
    remedy = "give each core service's percent of the total price, as annex F does (S2 15.6.2)"
    da = f"S2 15.6.2: {da}. Angiv hver Kerneydelses andel i procent, som bilag F gør."
    return Rejected("PRICE_PARTS_INVALID", f"S2 15.6.2: {message}", field="price_parts", remedy=remedy, da=da)
