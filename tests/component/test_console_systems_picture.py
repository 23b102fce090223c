"""The picture of the coverage: everything is in it, nothing lies on anything else, and nothing comes from elsewhere."""

from __future__ import annotations

import re
from itertools import combinations
from xml.etree import ElementTree

from shared.drawing.coverage import picture
from shared.drawing.layout import HEIGHT, WIDTH, layout
from shared.drawing.lines import Coverage

SVG = "{http://www.w3.org/2000/svg}"
LINES = [
    Coverage("maal", "kommune", "deleted", rows=1, total=3),
    Coverage("maal", "sager", "deleted", rows=1234, unowned=2, total=5000, references=("kommune", "noter", "sager")),
    Coverage("maal", "noter", "deleted", "log", rows=4, total=7, references=("sager",)),
    Coverage("maal", "kode", "shared", "SHARED_CODE", delivered=True, total=2),
    Coverage("maal", "opslag", "suspended", "OPTION(opslag)", total=8),
    Coverage("maal", "skema", "excluded", "NOT_CUSTOMER_DATA", total=1),
    Coverage("maal", "<ny>", "undecided", total=3, code="PLACE_NOT_MAPPED", field="systems.maal.places.<ny>"),
    Coverage("maal", "lukket", "unreachable", code="TARGET_REFUSED"),
    Coverage("andet", "", "unreachable", code="SYSTEM_UNREACHABLE", field="systems.andet.connection"),
]


def texts(svg: str) -> list[str]:
    return [each.text or "" for each in ElementTree.fromstring(svg).iter(f"{SVG}text")]


def test_every_place_and_finding_is_in_the_picture_with_its_counts() -> None:
    shown = texts(picture(LINES, "map.yaml"))
    for line in LINES:
        assert any((line.place or line.code) in text for text in shown)
    assert {"slettes · 2 uden lejer", "1.234 af 5.000 rækker"} <= set(shown)
    assert "PLACE_NOT_MAPPED" in shown
    assert "fælles: SHARED_CODE" in shown
    assert "3 mangler" in shown


def test_the_legend_counts_each_disposition() -> None:
    shown = texts(picture(LINES, "map.yaml"))
    assert "slettes: 3 steder, 1.239 rækker" in shown
    assert "udsat: 1 sted, 8 rækker" in shown
    assert "IKKE NÅET: 2 steder, 0 rækker" in shown


def test_dispositions_differ_in_more_than_colour() -> None:
    svg = ElementTree.fromstring(picture(LINES, "map.yaml"))
    signs = {}
    for group in svg.findall(f".//{SVG}g/{SVG}g"):
        title, sign = group.findtext(f"{SVG}title") or "", group.findtext(f"{SVG}text")
        signs[title.split(" – ")[0].removesuffix(" ↻")] = sign
    assert signs == {
        "kommune": "×", "sager": "×", "noter": "×", "kode": "=", "opslag": "‖", "skema": "–", "<ny>": "!",
        "lukket": "?",
    }  # fmt: skip


def test_it_speaks_english_where_that_is_wanted() -> None:
    shown = texts(picture(LINES, "map.yaml", "en"))
    assert {"deleted · 2 no tenant", "1,234 of 5,000 rows"} <= set(shown)
    assert "3 findings" in shown


def test_the_same_report_gives_the_same_bytes_and_refers_to_nothing_elsewhere() -> None:
    svg = picture(LINES, "map.yaml")
    assert svg == picture(LINES, "map.yaml")
    assert not re.search(r"<script|<style|href|@import|<image", svg)


def test_a_name_that_no_document_can_hold_is_still_drawn() -> None:
    shown = texts(picture([Coverage("m", "a\x00b]]>&", "deleted")], 'x"<y>'))
    assert "a?b]]>&" in shown
    assert 'Systemkortets dækning: x"<y>' in shown


def many() -> dict[str, tuple[str, ...]]:
    """Make 120 places: half hang on the first, the others on one or two before them, and two form a ring."""
    names = [f"t{number:03}" for number in range(120)]
    made = {names[0]: (names[2],)}
    for at, name in enumerate(names[1:], start=1):
        made[name] = (names[0],) if at % 2 else (names[at // 2], names[at // 3])
    return made


def test_no_place_lies_on_another() -> None:
    laid = layout(many() | {f"alene {number}": () for number in range(9)})
    assert len(laid.corners) == 129
    for (x, y), (other_x, other_y) in combinations(laid.corners.values(), 2):
        assert abs(x - other_x) >= WIDTH or abs(y - other_y) >= HEIGHT
    assert all(0 <= x <= laid.width - WIDTH and 0 <= y <= laid.height - HEIGHT for x, y in laid.corners.values())


def test_no_reference_runs_behind_a_place() -> None:
    laid = layout(many())
    for line in laid.lines:
        (x, y), (end, other_y) = line.start, line.end
        if y != other_y or end - x != WIDTH:
            continue  # between two columns, where no place stands
        assert not any(left == x and top < y < top + HEIGHT for left, top in laid.corners.values())


def test_a_place_stands_to_the_right_of_what_it_refers_to_but_in_a_ring() -> None:
    made = many()
    laid = layout(made)
    ring = {("t000", "t002")}
    behind = {
        (name, parent)
        for name, parents in made.items()
        for parent in parents
        if name != parent and laid.corners[name][0] <= laid.corners[parent][0]
    }
    assert behind == ring


def test_every_reference_ends_in_an_arrow_at_what_is_referred_to() -> None:
    laid = layout({"a": (), "b": ("a",), "c": ("a", "b"), "d": ("d",)})
    heads = {(line.start if line.arrow == "start" else line.end) for line in laid.lines if line.arrow}
    assert heads == {(laid.corners[name][0] + WIDTH, laid.corners[name][1] + HEIGHT / 2) for name in ("a", "b")}


def test_an_empty_report_is_a_picture_too() -> None:
    assert "Kortet dækker alt, hvad systemerne indeholder." in texts(picture([], "map.yaml"))
