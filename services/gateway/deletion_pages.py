"""The pages of deletion: jobs with preview, approvals, progress and stops; holds; backups.

Rules kept here:
1. Who may not give a command is not offered its form; whoever sends it anyway is told so by the service.
2. An approval carries the digest that was shown, and is sent only by whoever ticked that they have looked.
3. What a service refuses is told on the page from which it was sent; the same form sent again is the same command.
4. A page refreshes itself only when somebody asked it to (WCAG 2.2.1), and never after the job has ended.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from flask import Blueprint, Response, g, make_response, redirect, render_template, request, url_for
from werkzeug.wrappers import Response as AnyResponse

from contracts.catalogue import COMMANDS
from contracts.deletion_jobs import PAUSE_REASONS
from contracts.errors import OphorError, Rejected, Unavailable
from services.gateway import asking, deletion_views, views
from services.gateway.texts import text
from shared.bus.envelope import new_id
from shared.words import below
from shared.words import deletion as told

deletions = Blueprint("deletions", __name__)
Page = str | AnyResponse | tuple[str, int]
LIVE_S = 5
DONE = ("approve", "pause", "resume", "hold", "lift", "requested", "overridden", "attest")
_QUESTIONS: dict[str, tuple[str, dict[str, Any]]] = {
    "jobs": ("deletion.list_jobs", {}), "holds": ("deletion.list_holds", {}), "plan": ("scheduling.read_plan", {}),
}  # fmt: skip
_OVERVIEW: dict[str, tuple[str, dict[str, Any]]] = {
    "backups": ("deletion.read_backups", {}), "attestations": ("deletion.read_attestations", {}),
}  # fmt: skip


@deletions.get("/exits/<exit_id>/deletion")
def overview(exit_id: str) -> Page:
    """Show every activity's latest job, the holds and the backups."""
    return _overview(exit_id)


@deletions.get("/exits/<exit_id>/deletion/<activity>")
def job(exit_id: str, activity: str) -> Page:
    """Show one activity's deletion: preview, approvals, progress, what stopped it and what to do."""
    return _job(exit_id, activity)


@deletions.post("/exits/<exit_id>/deletion/<activity>/approve")
def approve(exit_id: str, activity: str) -> Page:
    """Approve exactly the plan that was shown (rule 2)."""
    asking.check_form()
    if request.form.get("seen") != "1":
        return _job(exit_id, activity, Rejected("NOT_SEEN", text("approve_unchecked", "en"), field="seen",
                                                da=text("approve_unchecked", "da")))  # fmt: skip
    data = {"activity": activity, **_given("job_id", "plan_digest")}
    return _sent_from_job(exit_id, activity, "scheduling.approve", data)


@deletions.post("/exits/<exit_id>/deletion/<activity>/pause")
def pause(exit_id: str, activity: str) -> Page:
    """Pause a job between two batches."""
    asking.check_form()
    return _sent_from_job(exit_id, activity, "deletion.pause_job", _given("job_id", "reason"))


@deletions.post("/exits/<exit_id>/deletion/<activity>/resume")
def resume(exit_id: str, activity: str) -> Page:
    """Let a paused job go on."""
    asking.check_form()
    return _sent_from_job(exit_id, activity, "deletion.resume_job", _given("job_id"))


@deletions.post("/exits/<exit_id>/holds")
def place_hold(exit_id: str) -> Page:
    """Place a hold on one system or on all."""
    asking.check_form()
    data = _given("basis", "digest") | {"system": request.form.get("system") or None}
    return _sent_from_overview(exit_id, "deletion.place_hold", data, "hold")


@deletions.post("/exits/<exit_id>/holds/<hold_id>/lift")
def lift_hold(exit_id: str, hold_id: str) -> Page:
    """Lift a hold."""
    asking.check_form()
    return _sent_from_overview(exit_id, "deletion.lift_hold", {"hold_id": hold_id, **_given("digest")}, "lift")


@deletions.post("/exits/<exit_id>/holds/<hold_id>/override")
def override_hold(exit_id: str, hold_id: str) -> Page:
    """Ask that a hold be set aside, or agree that it is."""
    asking.check_form()
    data = {"hold_id": hold_id, **_given("reason", "digest")}
    return _sent_from_overview(exit_id, "deletion.override_hold", data, "")


@deletions.post("/exits/<exit_id>/attestations")
def attest(exit_id: str) -> Page:
    """Attest one line by a signed document's digest."""
    asking.check_form()
    data: dict[str, Any] = _given("system", "method", "digest", "done_on")
    data |= {name: request.form.get(name) or None for name in ("place", "subprocessor", "media_class")}
    return _sent_from_overview(exit_id, "deletion.attest", data, "attest")


def _given(*names: str) -> dict[str, str]:
    """Take fields of the form; digests as people paste them, with blanks and capitals."""
    found = {name: request.form.get(name, "").strip() for name in names}
    return found | {name: value.lower() for name, value in found.items() if name.endswith("digest")}


def _send(exit_id: str, wire: str, data: Mapping[str, Any]) -> dict[str, Any] | OphorError:
    """Give a command; what is refused is given back to be told (rule 3)."""
    try:
        answer = asking.ask(wire, {"exit_id": exit_id, **data}, request.form.get("command_id", "")[:80])
    except OphorError as error:
        return error
    if code := answer.get("code"):
        said = {language: told.word(told.OVERRIDE_REFUSALS, code, language) for language in ("da", "en")}
        return Rejected(code, said["en"], da=said["da"])
    return answer


def _sent_from_job(exit_id: str, activity: str, wire: str, data: Mapping[str, Any]) -> Page:
    answer = _send(exit_id, wire, data)
    if isinstance(answer, OphorError):
        return _job(exit_id, activity, answer)
    done = (request.endpoint or "").rpartition(".")[2]
    return redirect(url_for("deletions.job", exit_id=exit_id, activity=activity, done=done), 303)


def _sent_from_overview(exit_id: str, wire: str, data: Mapping[str, Any], done: str) -> Page:
    answer = _send(exit_id, wire, data)
    if isinstance(answer, OphorError):
        return _overview(exit_id, answer)
    done = done or str(answer["state"])
    return redirect(url_for("deletions.overview", exit_id=exit_id, done=done), 303)


def _overview(exit_id: str, error: OphorError | None = None) -> Page:
    parts = asking.parts(exit_id, **_QUESTIONS, **_OVERVIEW)
    jobs = parts["jobs"]["jobs"] if asking.is_there(parts["jobs"]) else []
    latest = [told.latest(jobs, activity) for activity in dict.fromkeys(each["activity"] for each in jobs)]
    sights = [told.sight(each) for each in latest if each is not None]
    return _page("deletion.html", parts, error, sights=sights, today=asking.today())


def _job(exit_id: str, activity: str, error: OphorError | None = None) -> Page:
    parts = asking.parts(exit_id, **_QUESTIONS)
    jobs = parts["jobs"]["jobs"] if asking.is_there(parts["jobs"]) else []
    found = told.latest(jobs, activity)
    shown: dict[str, Any] = {"activity": activity, "sight": None, "earlier": [], "consent": None, "held": []}
    if found is not None:
        sight = told.sight(found)
        shown |= {"sight": sight, "picture": deletion_views.picture_of(sight, g.language)}
        shown["earlier"] = [each for each in reversed(jobs) if each["activity"] == activity and each is not found]
        if asking.is_there(parts["plan"]):
            shown["consent"] = told.consent(found, parts["plan"]["approvals"])
        if asking.is_there(parts["holds"]):
            shown["held"] = told.holds_on(parts["holds"]["holds"], told.systems_of(found))
    live = request.method == "GET" and request.args.get("live") == "1"
    live = live and found is not None and found["state"] not in told.ENDED
    answer = _page("deletion_job.html", parts, error, live=live, title=_title(parts["plan"], activity), **shown)
    if live:
        answer.headers["Refresh"] = str(LIVE_S)
    return answer


def _title(plan: Any, activity: str) -> str:
    rows = plan["activities"] if asking.is_there(plan) else []
    return next((views.title(row, g.language) for row in rows if row["id"] == activity), "")


def _page(template: str, parts: Mapping[str, Any], error: OphorError | None, **shown: Any) -> Response:
    done = request.args.get("done")
    body = render_template(
        template, tab="deletion", token=asking.form_token(), command_id=_command_id, may=_may, told=told,
        below=below, shows=deletion_views, error=error, done=done if done in DONE else None,
        pause_reasons=PAUSE_REASONS, **parts, **shown,
    )  # fmt: skip
    status = 200 if error is None else 503 if isinstance(error, Unavailable) else 400
    return make_response(body, status)


def _may(wire: str) -> bool:
    """Tell whether the user's role may give a command (rule 1)."""
    return bool(COMMANDS[wire].roles & set(g.user.roles))


def _command_id(form: str) -> str:
    """Give the id of a form's command: the one it was sent with where it is shown again (rule 3)."""
    again = request.method == "POST" and request.form.get("form") == form
    return request.form.get("command_id", "")[:80] if again else new_id()
