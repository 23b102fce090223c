"""A time-stamped seal (PAdES B-LTA): what an authority makes possible, what it costs when it fails, and forgeries."""

from __future__ import annotations

import asyncio
import hashlib
import io
import re
import shutil
import subprocess
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from asn1crypto import crl as asn1_crl
from asn1crypto import tsp
from asn1crypto import x509 as asn1_x509
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.serialization import Encoding
from pyhanko.pdf_utils.generic import ArrayObject, DictionaryObject, NameObject, NumberObject, StreamObject
from pyhanko.pdf_utils.reader import PdfFileReader
from pyhanko.sign import PdfTimeStamper
from pyhanko.sign.diff_analysis import ModificationLevel
from pyhanko.sign.timestamps import TimeStamper
from pyhanko.sign.validation import SignatureCoverageLevel, validate_pdf_signature, validate_pdf_timestamp
from pyhanko.sign.validation.dss import DocumentSecurityStore
from pyhanko.sign.validation.settings import KeyUsageConstraints

from contracts.errors import Rejected
from services.compliance.documents import document
from services.compliance.documents.statement import statement
from services.compliance.log.stamp import END_OF_LIST
from services.compliance.log.stamp import Authority as Configured
from services.compliance.signing import sealing
from services.compliance.signing.envelope import canonical
from services.compliance.signing.keys import SealKey, load_seal
from services.compliance.verifier import ophor_verify
from services.compliance.verifier.ophor_verify import Options, Report, verify
from services.compliance.worker import rendering
from tests.integration.compliance_authority import Authority, serving
from tests.unit import evidence_world as given
from tests.unit.evidence_forge import blank
from tests.unit.evidence_world import World

pytestmark = pytest.mark.skipif(shutil.which("openssl") is None, reason="openssl is not installed")


@dataclass(frozen=True)
class Sealed:
    """One certificate's PDF, unsealed and sealed with time stamps, and who sealed and stamped it."""

    world: World
    authority: Authority
    key: SealKey
    plain: bytes
    pdf: bytes

    @property
    def end(self) -> int:
        """Where the sealed revision ends."""
        first, *_ = ophor_verify.RANGE.finditer(self.pdf)
        return int(first[3]) + int(first[4])


@pytest.fixture(scope="module")
def authority(tmp_path_factory: pytest.TempPathFactory) -> Authority:
    return Authority(tmp_path_factory.mktemp("tsa"))


@contextmanager
def environment(authority: Authority, **more: str) -> Iterator[dict[str, str]]:
    (authority.folder / "crl.pem").write_bytes(authority.list_revoked())
    with serving(authority) as url:
        chain, lists = (str(authority.folder / name) for name in ("chain.pem", "crl.pem"))
        yield {"OPHOR_TSA": url, "OPHOR_TSA_CHAIN": chain, "OPHOR_TSA_CRL": lists} | more


@pytest.fixture(scope="module")
def true(tmp_path_factory: pytest.TempPathFactory, authority: Authority) -> Sealed:
    world = World(tmp_path_factory.mktemp("keys")).told(given.deleted_exit())
    world.mark()
    made = canonical(statement(world.draft()))
    key, plain = load_seal(world.folder / "render"), blank(given.sign(world, made), document.digest_of(made))
    with environment(authority) as environ:
        pdf, level = sealing.best(plain, key, "ØV-1", environ)
    assert level == "B-LTA"
    return Sealed(world, authority, key, plain, pdf)


def asked(true: Sealed, data: bytes, chain: bytes | None = None) -> Report:
    return verify(data, Options(true.world.public.lines(), rehearsal=True, tsa_chain=chain))


def seal_of(report: Report) -> tuple[str, str]:
    return next(((one.result, one.detail) for one in report.checks if one.n == 3), ("", report.malformed))


def test_the_stranger_is_told_the_level_by_whom_and_what_was_not_judged(true: Sealed) -> None:
    report = asked(true, true.pdf, true.authority.chain)
    assert (report.code, seal_of(report)[0]) == (0, "OK"), report.checks
    assert re.fullmatch(r"PAdES B-LTA, \d{4}-\d\d-\d\dT[0-9:]{8}Z by CN=Test TSA", seal_of(report)[1])
    assert "af CN=Test TSA" in ophor_verify.as_text(report, "c.pdf", english=False)
    without = asked(true, true.pdf)
    assert without.code == 0
    assert seal_of(without)[1].endswith("by an authority not judged: no --tsa-chain")
    assert "ikke bedømt: intet --tsa-chain" in ophor_verify.as_text(without, "c.pdf", english=False)
    plain = asked(true, sealing.seal(true.plain, true.key, "ØV-1"))
    assert (plain.code, seal_of(plain)) == (0, ("OK", "PAdES B-B"))


def test_until_when_the_seal_can_be_judged_is_its_own_certificate_s_last_day_or_the_stamp_s(true: Sealed) -> None:
    token = ophor_verify.read_token(ophor_verify.read_pdf(true.pdf).behind[-1].token)
    assert rendering.seal_holds(true.pdf) == {
        "until": token.signer.not_valid_after_utc.date().isoformat(), "stamped_by": "CN=Test TSA",
        "stamped_on": token.at.date().isoformat(),
    }  # fmt: skip
    own = true.key.certificate.not_valid_after_utc.date().isoformat()
    plain = {"until": own, "stamped_by": None, "stamped_on": None}
    assert rendering.seal_holds(sealing.seal(true.plain, true.key, "ØV-1")) == plain


def test_the_unsealed_pdf_is_untouched_and_the_bundle_carries_the_stamped_one(true: Sealed) -> None:
    assert true.pdf.startswith(true.plain)
    assert ophor_verify.read_pdf(true.pdf).dsse == ophor_verify.embedded(true.plain)


def test_tools_that_are_not_ours_say_the_same(true: Sealed, tmp_path: Path) -> None:
    found = ophor_verify.read_pdf(true.pdf)
    assert found.behind
    (tmp_path / "c.pdf").write_bytes(true.pdf)
    (tmp_path / "stamped").write_bytes(found.behind[-1].stamped)
    (tmp_path / "token").write_bytes(found.behind[-1].token)
    argv = ["openssl", "ts", "-verify", "-data", "stamped", "-in", "token", "-token_in", "-CAfile"]
    told = subprocess.run(
        [*argv, str(true.authority.folder / "chain.pem")], cwd=tmp_path, check=False, capture_output=True
    )
    assert b"Verification: OK" in told.stdout
    if shutil.which("pdfsig"):
        said = subprocess.run(["pdfsig", "c.pdf"], cwd=tmp_path, check=False, capture_output=True).stdout
        assert b"Signature is Valid" in said
        assert b"Signature Field Name: Tidsstempel" in said


def test_another_library_finds_seal_and_time_stamp_valid_by_the_file_s_own_validation_data(true: Sealed) -> None:
    reader = PdfFileReader(io.BytesIO(true.pdf))
    found = ophor_verify.read_pdf(true.pdf).behind[0]
    assert found
    roots = [asn1_x509.Certificate.load(found.certificates[at]) for at in (0, -1)]
    store = DocumentSecurityStore.read_dss(reader)
    trusted = store.as_validation_context({"trust_roots": roots, "revocation_mode": "require"})
    anything = KeyUsageConstraints(key_usage=set())
    seal = validate_pdf_signature(reader.embedded_regular_signatures[0], trusted, trusted, key_usage_settings=anything)
    assert seal.bottom_line and seal.timestamp_validity and seal.timestamp_validity.trusted
    assert seal.modification_level == ModificationLevel.LTA_UPDATES
    last = validate_pdf_timestamp(reader.embedded_timestamp_signatures[0], trusted)
    assert last.valid and last.intact and last.trusted
    assert last.coverage == SignatureCoverageLevel.ENTIRE_FILE


# What an authority that fails costs.


def foreign_chain(environ: dict[str, str], tmp_path: Path) -> dict[str, str]:
    other = Authority(tmp_path / "other")
    return environ | {"OPHOR_TSA_CHAIN": str(other.folder / "chain.pem")}


def old_lists(environ: dict[str, str], tmp_path: Path) -> dict[str, str]:
    (tmp_path / "crl").write_bytes(Authority(tmp_path / "old").list_revoked())
    return environ | {"OPHOR_TSA_CRL": str(tmp_path / "crl")}


COSTS: list[tuple[Callable[[dict[str, str], Path], dict[str, str]], str]] = [
    (lambda environ, _: environ | {"OPHOR_TSA": ""}, "B-B"),
    (lambda environ, _: environ | {"OPHOR_TSA": "ftp://127.0.0.1/"}, "B-B"),
    (lambda environ, _: environ | {"OPHOR_TSA_CHAIN": "/nowhere"}, "B-B"),
    (foreign_chain, "B-B"),
    (lambda environ, _: environ | {"OPHOR_TSA_CRL": ""}, "B-T"),
    (lambda environ, _: environ | {"OPHOR_TSA_CRL": "/nowhere"}, "B-T"),
    (old_lists, "B-T"),
    (lambda environ, _: {name: said for name, said in environ.items() if name == "OPHOR_TSA"}, "B-T"),
]


@pytest.mark.parametrize(("change", "level"), COSTS)
def test_a_setting_that_is_wrong_or_missing_costs_the_level_and_never_the_seal(
    true: Sealed, tmp_path: Path, change: Callable[[dict[str, str], Path], dict[str, str]], level: str
) -> None:
    with environment(true.authority) as environ:
        pdf, reached = sealing.best(true.plain, true.key, "ØV-1", change(environ, tmp_path))
    assert reached == level
    report = asked(true, pdf)
    assert report.code == 0, report.checks
    assert seal_of(report)[1].startswith(f"PAdES {level}")


def test_what_a_token_brings_beside_the_path_to_its_root_is_kept_with_it(true: Sealed, tmp_path: Path) -> None:
    authority, older = Authority(tmp_path / "tsa"), Authority(tmp_path / "older")
    name, public, year = authority.root.subject, authority.root.public_key(), timedelta(days=365)
    built = x509.CertificateBuilder().subject_name(name).issuer_name(older.root.issuer).public_key(public)
    built = built.serial_number(7).not_valid_before(older.root.not_valid_before_utc)
    built = built.not_valid_after(older.root.not_valid_before_utc + 2 * year)
    crossed = built.add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
    extra = authority.chain + crossed.sign(older.root_key, hashes.SHA256()).public_bytes(Encoding.PEM)
    (authority.folder / "extra.pem").write_bytes(extra)
    with (authority.folder / "tsa.cnf").open("a") as settings:
        settings.write("certs = extra.pem\n")
    with environment(authority) as environ:
        pdf, level = sealing.best(true.plain, true.key, "ØV-1", environ)
    found = ophor_verify.read_pdf(pdf).behind[0]
    assert level == "B-LTA" and found and len(found.certificates) == 4
    assert seal_of(asked(true, pdf, authority.chain))[0] == "OK"


def test_an_authority_that_fails_at_its_first_or_second_answer_or_lies_costs_the_level(true: Sealed) -> None:
    def failing_after(count: int) -> Configured:
        answers = iter(range(count))

        def ask(request: bytes) -> bytes:
            return true.authority.answer(request) if next(answers, None) is not None else b"<html>"

        return Configured(ask, true.authority.chain)

    for count in (0, 1):
        with pytest.raises((ValueError, OSError)):
            sealing.stamped(true.plain, true.key, "ØV-1", failing_after(count))
    true.authority.fails = True
    try:
        with environment(true.authority) as environ:
            pdf, level = sealing.best(true.plain, true.key, "ØV-1", environ)
    finally:
        true.authority.fails = False
    assert (level, seal_of(asked(true, pdf))) == ("B-B", ("OK", "PAdES B-B"))


def test_a_list_that_names_the_authority_is_believed(true: Sealed) -> None:
    pdf = behind(true, lists=true.authority.list_revoked(true.authority.certificate))
    assert seal_of(asked(true, pdf)) == ("FAILED", "the authority's certificate was revoked")


# Forgeries: by somebody who can have stamps made, and has not the sealing key.


class Update(sealing.Writer):
    """An incremental update by a forger."""


def behind(
    true: Sealed,
    *,
    sealed: bytes | None = None,
    by: Authority | None = None,
    certificates: list[Any] | None = None,
    lists: bytes | None = None,
    also: Callable[[Update], Any] = lambda _: None,
    name: str = "Tidsstempel",
    asking: TimeStamper | None = None,
) -> bytes:
    """Write a revision behind the seal, as the sealer does, but with what is asked for."""
    update, authority = Update(io.BytesIO(sealed or true.pdf[: true.end])), by or true.authority
    also(update)
    path = [true.key.certificate, true.authority.certificate, true.authority.root]
    held = [asn1_x509.Certificate.load(one.public_bytes(Encoding.DER)) for one in certificates or path]
    pems = (lists or true.authority.list_revoked()).split(END_OF_LIST)[:-1]
    found = [x509.load_pem_x509_crl(one + END_OF_LIST).public_bytes(Encoding.DER) for one in pems]
    crls = [asn1_crl.CertificateList.load(one) for one in found]
    DocumentSecurityStore.supply_dss_in_writer(update, None, certs=held, crls=crls)
    made = PdfTimeStamper(asking or sealing.Asking(authority.answer), field_name=name)
    return bytes(made.timestamp_pdf(update, "sha256", bytes_reserved=sealing.RESERVED).getvalue())


def test_the_forger_s_own_tool_writes_what_the_sealer_writes(true: Sealed) -> None:
    assert seal_of(asked(true, behind(true), true.authority.chain))[0] == "OK"


def note(update: Update) -> None:
    """Put a text annotation on the first page."""
    page = update.root["/Pages"]["/Kids"][0]
    box = ArrayObject([NumberObject(one) for one in (50, 50, 300, 90)])
    said = {"/Type": NameObject("/Annot"), "/Subtype": NameObject("/FreeText"), "/Rect": box}
    added = update.add_object(DictionaryObject({NameObject(name): value for name, value in said.items()}))
    page["/Annots"].append(added)
    update.update_container(page["/Annots"])


def text_between(true: Sealed) -> bytes:
    update = Update(io.BytesIO(true.pdf[: true.end]))
    note(update)
    out = io.BytesIO()
    update.write(out)
    return behind(true, sealed=out.getvalue())


def text_with_it(true: Sealed) -> bytes:
    return behind(true, also=note)


def text_after(true: Sealed) -> bytes:
    update, out = Update(io.BytesIO(true.pdf)), io.BytesIO()
    note(update)
    update.write(out)
    return out.getvalue()


def redefined(true: Sealed) -> bytes:
    def also(update: Update) -> None:
        page = update.root["/Pages"]["/Kids"][0]
        contents = page.raw_get("/Contents").reference
        update.objects[(contents.generation, contents.idnum)] = StreamObject(stream_data=b"BT ET")

    return behind(true, also=also)


def one_more_object(true: Sealed) -> bytes:
    return behind(true, also=lambda update: update.add_object(DictionaryObject()))


def by_another_key(true: Sealed) -> bytes:
    return behind(true, by=Authority(true.authority.folder / "foreign"))


def by_another_key_throughout(true: Sealed) -> bytes:
    """The stamp on the seal is not signed by the seal: put another authority's there too."""
    other = Authority(true.authority.folder / "throughout")
    cms = ophor_verify.read_pdf(true.pdf).cms
    certificate, attributes, signature, _ = ophor_verify._open_cms(cms)
    foreign = sealing.Asking(other.answer)
    asyncio.run(foreign.async_timestamp(hashlib.sha256(signature).digest(), "sha256"))
    token = ophor_verify.elements(ophor_verify._only(foreign.answers[0], 0x30))[1][2]
    own = x509.load_der_x509_certificate(certificate)
    forged = ophor_verify._build_cms(own, certificate, attributes, signature, token)
    first = next(ophor_verify.RANGE.finditer(true.pdf))
    start, stop = int(first[2]) + 1, int(first[3]) - 1
    hole = forged.hex().upper().encode().ljust(stop - start, b"0")
    sealed = true.pdf[:start] + hole + true.pdf[stop : true.end]
    return behind(true, sealed=sealed, by=other, certificates=[true.key.certificate, other.certificate, other.root],
                  lists=other.list_revoked())  # fmt: skip


def with_a_certificate_of_nobody_s(true: Sealed) -> bytes:
    other = Authority(true.authority.folder / "nobody")
    path = [true.key.certificate, true.authority.certificate, true.authority.root, other.root]
    return behind(true, certificates=path)


def of_another_seal(true: Sealed) -> bytes:
    other = Authority(true.authority.folder / "seal")
    return behind(true, certificates=[other.root, true.authority.certificate, true.authority.root])


def with_a_list_of_another(true: Sealed) -> bytes:
    return behind(true, lists=Authority(true.authority.folder / "list").list_revoked())


def with_a_list_out_of_force(true: Sealed) -> bytes:
    return behind(true, lists=true.authority.list_revoked(until=timedelta(hours=1)))


def cut_off(true: Sealed) -> bytes:
    return true.pdf[: true.end]


def twice(true: Sealed) -> bytes:
    made = PdfTimeStamper(sealing.Asking(true.authority.answer), field_name="Andet")
    update = Update(io.BytesIO(true.pdf))
    return bytes(made.timestamp_pdf(update, "sha256", bytes_reserved=sealing.RESERVED).getvalue())


def on_a_plain_seal(true: Sealed) -> bytes:
    return behind(true, sealed=sealing.seal(true.plain, true.key, "ØV-1"))


def bytes_after(true: Sealed) -> bytes:
    return true.pdf + b"\n"


def bytes_between(true: Sealed) -> bytes:
    return behind(true, sealed=true.pdf[: true.end] + b"% here\n")


def of_other_bytes(true: Sealed) -> bytes:
    """The revision behind of another file of the same length: a true stamp, over something else."""
    at = true.pdf.index(b"/ID [ <", true.end) + 50
    return true.pdf[:at] + (b"0" if true.pdf[at : at + 1] != b"0" else b"1") + true.pdf[at + 1 :]


@pytest.mark.parametrize(
    ("forgery", "code", "why"),
    [
        (text_between, 2, "the validation data"),
        (text_with_it, 2, "the validation data"),
        (text_after, 2, "bytes outside the seal"),
        (redefined, 2, "the validation data"),
        (one_more_object, 2, "the validation data"),
        (by_another_key, 1, "by different certificates"),
        (with_a_certificate_of_nobody_s, 1, "not the authority's"),
        (of_another_seal, 1, "not of this seal"),
        (with_a_list_of_another, 1, "of another authority"),
        (with_a_list_out_of_force, 1, "not in force"),
        (cut_off, 2, "cut off"),
        (twice, 2, "no validation data"),
        (on_a_plain_seal, 2, "no place for a document time stamp"),
        (bytes_after, 2, "bytes outside the seal"),
        (bytes_between, 2, "the cross-reference"),
        (of_other_bytes, 1, "changed after its time stamp"),
    ],
)
def test_every_forgery_behind_the_seal_fails_for_its_own_reason(
    true: Sealed, forgery: Callable[[Sealed], bytes], code: int, why: str
) -> None:
    report = asked(true, forgery(true), true.authority.chain)
    assert report.code == code
    assert why in (report.malformed or seal_of(report)[1])


def test_stamps_of_another_authority_throughout_are_told_by_the_chain_alone(true: Sealed) -> None:
    forged = by_another_key_throughout(true)
    assert seal_of(asked(true, forged))[1].endswith("not judged: no --tsa-chain")
    assert seal_of(asked(true, forged, true.authority.chain)) == (
        "FAILED", "the stamp's certificate does not lead to the chain given",
    )  # fmt: skip


def test_every_byte_of_the_revision_behind_the_seal_counts(true: Sealed) -> None:
    _, hole, after, _ = (int(number) for number in list(ophor_verify.RANGE.finditer(true.pdf))[1].groups())
    padding = true.pdf.index(b"0" * 80, hole)
    written = [*range(true.end, hole + 1), *range(hole + 1, padding + 80, 2), *range(padding, after, 97)]
    written += range(after - 1, len(true.pdf))
    found = ophor_verify.read_pdf(true.pdf).behind[0]
    assert found
    opaque = [(true.pdf.index(one, true.end), len(one)) for one in (*found.certificates, *found.lists)]
    inside = {at for start, size in opaque for at in range(start, start + size) if at % 5}
    written = [at for at in written if at not in inside]  # of a certificate's own bytes one in five
    assert [at for at in written if accepts(flipped(true.pdf, at))] == []


def flipped(data: bytes, at: int) -> bytes:
    return data[:at] + bytes([data[at] ^ 1]) + data[at + 1 :]


def accepts(data: bytes) -> bool:
    try:
        ophor_verify.check_level(ophor_verify.read_pdf(data), None)
    except (ophor_verify.Failed, ophor_verify.Malformed):
        return False
    return True


# Renewals: before the authority's certificate ends, by one that holds longer.


def of(authority: Authority, *others: Authority) -> Configured:
    """The authority as it is configured, with revocation lists of its own root and of the others'."""
    lists = (x509.load_pem_x509_crl(one.list_revoked()) for one in (authority, *others))
    return Configured(authority.answer, authority.chain, tuple(lists))


@pytest.fixture(scope="module")
def later(true: Sealed) -> Authority:
    return Authority(true.authority.folder / "later", ends=datetime.now(UTC) + timedelta(days=3 * 365), names="Later")


@pytest.fixture(scope="module")
def again(true: Sealed, later: Authority) -> bytes:
    pdf, level = sealing.renewed(true.pdf, of(later, true.authority))
    assert (level, pdf[: len(true.pdf)]) == ("B-LTA", true.pdf)
    return pdf


def test_a_renewed_seal_holds_until_the_new_stamp_s_end_and_says_both_times(
    true: Sealed, later: Authority, again: bytes
) -> None:
    chain = true.authority.chain + later.chain
    report = asked(true, again, chain)
    assert (report.code, seal_of(report)[0]) == (0, "OK"), report.checks
    at = r"\d{4}-\d\d-\d\dT[0-9:]{8}Z"
    assert re.fullmatch(rf"PAdES B-LTA, {at}, renewed {at} by CN=Later TSA", seal_of(report)[1])
    assert re.search(
        rf"PAdES B-LTA, {at}, fornyet {at} af CN=Later TSA", ophor_verify.as_text(report, "", english=False)
    )
    alone = ophor_verify.as_text(asked(true, again), "", english=False)
    assert re.search(rf"PAdES B-LTA, {at}, fornyet {at}, tidsstempelmyndigheden ikke bedømt", alone)
    holds = rendering.seal_holds(again)
    assert (holds["until"], holds["stamped_by"]) == (later.ends.date().isoformat(), "CN=Later TSA")
    for one in (true.authority.chain, later.chain):
        assert seal_of(asked(true, again, one))[0] == "FAILED"  # both authorities are judged, the first one too


def test_another_library_finds_every_stamp_of_a_renewed_seal_valid(true: Sealed, again: bytes) -> None:
    reader = PdfFileReader(io.BytesIO(again))
    found = [one for each in ophor_verify.read_pdf(again).behind for one in each.certificates]
    every = [asn1_x509.Certificate.load(one) for one in found]
    roots = [every[0], *(one for one in every[1:] if one.self_issued)]
    trusted = DocumentSecurityStore.read_dss(reader).as_validation_context(
        {"trust_roots": roots, "revocation_mode": "require"}
    )
    anything = KeyUsageConstraints(key_usage=set())
    seal = validate_pdf_signature(reader.embedded_regular_signatures[0], trusted, trusted, key_usage_settings=anything)
    assert seal.bottom_line and seal.modification_level == ModificationLevel.LTA_UPDATES
    stamps = [validate_pdf_timestamp(one, trusted) for one in reader.embedded_timestamp_signatures]
    assert [one.valid and one.intact and one.trusted for one in stamps] == [True, True]
    assert stamps[-1].coverage == SignatureCoverageLevel.ENTIRE_FILE


def test_a_seal_is_renewed_as_often_as_it_has_places_and_each_time_for_longer(
    true: Sealed, later: Authority, again: bytes
) -> None:
    with pytest.raises(Rejected, match="does not hold longer"):
        sealing.renewed(again, of(later, true.authority))
    pdf, before = again, later
    for years in (4, 5):
        ends = datetime.now(UTC) + timedelta(days=years * 365)
        following = Authority(true.authority.folder / f"years-{years}", ends=ends, names=f"Years {years}")
        (pdf, level), before = sealing.renewed(pdf, of(following, before)), following
        assert level == "B-LTA"
    assert (asked(true, pdf).code, len(ophor_verify.read_pdf(pdf).behind)) == (0, 4)
    with pytest.raises(Rejected, match="no place for another"):
        sealing.renewed(pdf, of(before))
    with pytest.raises(Rejected, match="no time stamp"):
        sealing.renewed(sealing.seal(true.plain, true.key, "ØV-1"), of(later))


def test_a_renewal_without_the_lists_of_both_authorities_is_only_b_t(true: Sealed, later: Authority) -> None:
    assert sealing.renewed(true.pdf, replace(of(later), lists=()))[1] == "B-T"


class Late(TimeStamper):
    """A time stamp by hand, at a time to come."""

    def __init__(self, authority: Authority, at: datetime) -> None:
        super().__init__(include_nonce=False)
        self._authority, self._at = authority, at

    async def async_request_tsa_response(self, req: Any) -> Any:
        raw = self._authority.forge(req["message_imprint"]["hashed_message"].native, self._at)
        return tsp.TimeStampResp.load(raw)


def renewal(true: Sealed, later: Authority, **more: Any) -> bytes:
    """Write a renewal as the sealer does, but with what is asked for."""
    given: dict[str, Any] = {
        "sealed": true.pdf,
        "by": later,
        "certificates": [later.certificate, later.root],
        "lists": later.list_revoked() + true.authority.list_revoked(),
        "name": "Tidsstempel 2",
    }
    return behind(true, **given | more)  # fmt: skip


def after_the_end(true: Sealed, later: Authority) -> bytes:
    at = true.authority.certificate.not_valid_after_utc + timedelta(days=1)
    lists = later.list_revoked(until=timedelta(days=800)) + true.authority.list_revoked(until=timedelta(days=800))
    return renewal(true, later, asking=Late(later, at), lists=lists)


def before_the_former(true: Sealed, later: Authority) -> bytes:
    return renewal(true, later, asking=Late(later, datetime.now(UTC) - timedelta(hours=2)))


def former_revoked(true: Sealed, later: Authority) -> bytes:
    return renewal(true, later, lists=later.list_revoked() + true.authority.list_revoked(true.authority.certificate))


def with_a_stranger_s_certificate(true: Sealed, later: Authority) -> bytes:
    nobody = Authority(true.authority.folder / "stranger")
    return renewal(true, later, certificates=[later.certificate, later.root, nobody.root])


def not_by_the_certificate_added(true: Sealed, later: Authority) -> bytes:
    return renewal(true, later, by=true.authority)


def in_another_place(true: Sealed, later: Authority) -> bytes:
    return renewal(true, later, name="Tidsstempel 3")


def with_a_text(true: Sealed, later: Authority) -> bytes:
    return renewal(true, later, also=note)


def text_before_it(true: Sealed, later: Authority) -> bytes:
    return renewal(true, later, sealed=text_after(true))


@pytest.mark.parametrize(
    ("forgery", "code", "why"),
    [
        (after_the_end, 1, "had ended when it was renewed"),
        (before_the_former, 1, "older than the one before it"),
        (former_revoked, 1, "was revoked"),
        (with_a_stranger_s_certificate, 1, "not the authority's"),
        (not_by_the_certificate_added, 1, "not of this seal"),
        (in_another_place, 2, "the cross-reference"),
        (with_a_text, 2, "the cross-reference"),
        (text_before_it, 2, "the cross-reference"),
    ],
)
def test_every_forged_renewal_fails_for_its_own_reason(
    true: Sealed, later: Authority, forgery: Callable[[Sealed, Authority], bytes], code: int, why: str
) -> None:
    report = asked(true, forgery(true, later))
    assert (report.code, why in (report.malformed or seal_of(report)[1])) == (code, True), report.checks


def test_every_byte_of_a_renewal_counts(true: Sealed, again: bytes) -> None:
    start = len(true.pdf)
    _, hole, after, _ = (int(number) for number in list(ophor_verify.RANGE.finditer(again))[2].groups())
    padding = again.index(b"0" * 80, hole)
    found = ophor_verify.read_pdf(again).behind[1]
    opaque = [(again.index(one, start), len(one)) for one in (*found.certificates, *found.lists)]
    inside = {at for first, size in opaque for at in range(first, first + size)}
    written = [*range(start, hole + 1), *range(hole + 1, padding + 80, 11), *range(after - 1, len(again))]
    assert [at for at in written if at not in inside and accepts(flipped(again, at))] == []
