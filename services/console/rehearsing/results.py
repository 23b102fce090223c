"""What a rehearsal leaves in its folder: certificates, bundles, keys, users and `summary.json`, and the closing table.

Everything is read back through the front doors (deletion's jobs, delivery, compliance's documents); nothing is counted
here that a service did not report.
"""

from __future__ import annotations

import base64
import json
import os
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import Any

from rich.box import SIMPLE_HEAD
from rich.console import Console
from rich.table import Table

from contracts.errors import Rejected
from shared.words.deletion import METHODS

Ask = Callable[[str, dict[str, Any]], dict[str, Any]]
CLASSES = ("both", "deleted_not_delivered", "delivered_not_deleted", "changed_after_extract")


def classes(place: dict[str, Any]) -> dict[str, int]:
    """Split a place's rows by what became of them (evidence §1.9); the sums are the deleted and the delivered rows."""
    delivered, deleted = place["delivered"], place["deleted"]
    both = 0 if place["row_class"] in ("deleted_not_delivered", "delivered_not_deleted") else min(delivered, deleted)
    changed = abs(delivered - deleted) if place["row_class"] == "changed_after_extract" else 0
    return {
        "both": both,
        "deleted_not_delivered": deleted if place["row_class"] == "deleted_not_delivered" else 0,
        "delivered_not_deleted": delivered if place["row_class"] == "delivered_not_deleted" else 0,
        "changed_after_extract": changed,
    }


def final_jobs(jobs: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Give the last job of each activity (an earlier one may have stopped by itself and been made anew)."""
    return list({job["activity"]: job for job in jobs}.values())


def rows(jobs: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """List the systems' places with what was delivered, deleted (by stopped jobs too) and remains."""
    deleted: Counter[tuple[str, str, str]] = Counter()
    for job in jobs:
        for place in job["places"]:
            deleted[job["activity"], place["system"], place["place"]] += place["deleted"]
    whole = [
        {**place, "deleted": deleted[job["activity"], place["system"], place["place"]]}
        for job in final_jobs(jobs) for place in job["places"]
    ]  # fmt: skip
    return [
        {
            "system": place["system"], "place": place["place"], "delivered": place["delivered"],
            "deleted": place["deleted"], "remaining": place["residual"], "classes": classes(place),
        }
        for place in whole if place["disposition"] != "attested"
    ]  # fmt: skip


def attested(ask: Ask, exit_id: str) -> list[dict[str, Any]]:
    """List what people were asked to attest, with their answers: nothing of it was counted or looked for by us."""
    lines = ask("deletion.read_attestations", {"exit_id": exit_id})["lines"]
    names = ("system", "place", "subprocessor", "through", "answer", "media_class", "digest", "done_on", "role")
    return [{name: line[name] for name in names} for line in lines]


def fetch(ask: Ask, certificate_id: str, document: str) -> bytes:
    """Read a certificate's document in parts; raise Rejected DOCUMENT_CUT when its size is not what was promised."""
    parts, offset = [], 0
    while True:
        wanted = {"certificate_id": certificate_id, "document": document, "offset": offset}
        part = ask("compliance.read_document", wanted)
        parts.append(base64.b64decode(part["part"]))
        if part["next_offset"] is None:
            break
        offset = part["next_offset"]
    whole = b"".join(parts)
    if len(whole) != part["size"]:
        raise Rejected("DOCUMENT_CUT", f"{document}: {len(whole)} of {part['size']} bytes", remedy="ask again")
    return whole


def save(path: Path, content: bytes, mode: int = 0o644) -> None:
    """Write a file at once: either the old or the whole new content is there."""
    path.parent.mkdir(parents=True, exist_ok=True)
    beside = path.with_name(path.name + ".new")
    with os.fdopen(os.open(beside, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, mode), "wb") as file:
        file.write(content)
    beside.replace(path)


def collect(ask: Ask, out: Path, exit_id: str, issued: list[dict[str, Any]]) -> dict[str, Any]:
    """Write certificates, bundles and keys to `out`; return the summary without its seconds."""
    jobs = ask("deletion.list_jobs", {"exit_id": exit_id})["jobs"]
    log = ask("compliance.read_log", {})
    save(out / "keys.txt", "".join(f"{key}\n" for key in log["keys"]).encode())
    return {
        "systems": rows(jobs),
        "attested": attested(ask, exit_id),
        "changes_outside_scope": sum(job["outside"] for job in jobs),
        "log": {"size": log["size"], "root": log["root"]},
        "certificates": [_certificate(ask, out, row) for row in issued],
    }


def _certificate(ask: Ask, out: Path, row: dict[str, Any]) -> dict[str, str]:
    name = f"{row['number']}-{row['stage']}".replace("/", "-")
    pdf, bundle = out / "certificates" / f"{name}.pdf", out / "bundles" / f"{name}.zip"
    save(pdf, fetch(ask, row["certificate_id"], "pdf"))
    save(bundle, fetch(ask, row["certificate_id"], "bundle"))
    return {"stage": row["stage"], "number": row["number"], "pdf": str(pdf), "bundle": str(bundle)}


def write_summary(out: Path, summary: dict[str, Any]) -> None:
    """Write `summary.json`."""
    save(out / "summary.json", (json.dumps(summary, ensure_ascii=False, indent=2) + "\n").encode())


def show(console: Console, summary: dict[str, Any]) -> None:
    """Print the closing table: rows delivered and deleted by class, what is left, the log and the certificates."""
    table = Table(title="Exit gennemført (øvelse)", box=SIMPLE_HEAD, padding=0, pad_edge=False)
    for heading in ("System", "Udleveret", "Slettet", "Begge", "Kun slettet", "Kun udleveret", "Ændret", "Tilbage"):
        first = heading == "System"
        table.add_column(heading, justify="left" if first else "right", no_wrap=first)
    for system in dict.fromkeys(row["system"] for row in summary["systems"]):
        table.add_row(system, *_numbers([row for row in summary["systems"] if row["system"] == system]))
    table.add_section()
    table.add_row("I alt", *_numbers(summary["systems"]))
    log = summary["log"]
    lines = [f"Ændringer uden for kundens data: {summary['changes_outside_scope']}"]
    lines += [_attested(row) for row in summary["attested"]]
    lines += [f"Bevislog: {log['size']} poster, rod {log['root']}"]
    lines += [f"Slettebevis {row['stage']} {row['number']}: {row['pdf']}" for row in summary["certificates"]]
    console.print(table)
    for line in lines:
        console.print(line, highlight=False, soft_wrap=True)


def _attested(row: dict[str, Any]) -> str:
    said = METHODS[row["answer"]][0] if row["answer"] else "MANGLER"
    return f"{row['system']}/{row['place'] or row['subprocessor']}: {said} – erklæret af mennesker, ikke efterprøvet"


def _numbers(places: list[dict[str, Any]]) -> list[str]:
    totals = [sum(row["delivered"] for row in places), sum(row["deleted"] for row in places)]
    totals += [sum(row["classes"][name] for row in places) for name in CLASSES]
    return [f"{number:,}".replace(",", ".") for number in (*totals, sum(row["remaining"] for row in places))]
