"""What bars a notice whenever it is given: the wrong party, no option to end, services that it cannot end."""

from __future__ import annotations

from shared.rules.notices.calls import call
from shared.rules.notices.model import Case, Weighed
from shared.rules.notices.verdicts import refuse


def barred(case: Case) -> Weighed | None:
    """Refuse what no day would make right, or give None."""
    checks = (_party, _not_open, _whole_only, _services_left)
    return next((refused for refused in (check(case) for check in checks) if refused), None)


def _party(case: Case) -> Weighed | None:
    if case.situation.customer_party in (case.variant.by or case.kind.by):
        return None
    da, en = "den anden part kan ikke give dette varsel", "this party cannot give such a notice"
    return refuse(case, "NOTICE_PARTY", da, en)


def _not_open(case: Case) -> Weighed | None:
    missing = [option for option in case.kind.requires if option not in case.situation.facts.options]
    if not missing:
        return None
    da, en = f"optionen {missing[0]} er ikke valgt", f"the option {missing[0]} is not chosen"
    return refuse(case, "NOTICE_NOT_OPEN", da, en)


def _whole_only(case: Case) -> Weighed | None:
    if not case.asked.services or (case.kind.partly and not case.variant.whole_only):
        return None
    da = "gælder hele aftalen, ikke enkelte ydelser; udelad ydelserne"
    en = "it is for the whole agreement, not for single services; leave the services out"
    return refuse(case, "NOTICE_WHOLE_ONLY", da, en)


def _services_left(case: Case) -> Weighed | None:
    named, known = case.asked.services, case.situation.services
    unknown = sorted(set(named) - known.keys())
    if unknown:
        raise call(
            "NOTICE_SERVICE_UNKNOWN",
            "services",
            case.clause,
            f"the agreement has no service {unknown[0]}",
            "name one of the agreement's",
            f"aftalen har ingen ydelse {unknown[0]}; nævn en af aftalens",
        )
    if not case.kind.leaves_core:
        return None
    if not named:
        raise call(
            "NOTICE_SERVICES_MISSING",
            "services",
            case.clause,
            "no service is named",
            "name the services that shall end",
            "der mangler ydelser; nævn dem, der skal ophøre",
        )
    if any(kind == "core" for service, kind in known.items() if service not in named):
        return None
    da = "mindst én Kerneydelse skal være tilbage; opsig ellers aftalen (27.2)"
    en = "at least one core service has to be left; else terminate the agreement (27.2)"
    return refuse(case, "NOTICE_LAST_CORE", da, en)
