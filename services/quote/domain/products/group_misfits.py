"""Whether what a document says about a group fits its line, its coverages and its tariff."""

from collections.abc import Iterator, Mapping, Sequence

from contracts.vocabulary.faults import Fault
from services.quote.domain.products.coverage import PlannedCoverage
from services.quote.domain.products.document import ProductDocument
from services.quote.domain.products.group_terms import AGE_FACT, AgeBand, GroupTerms
from services.quote.domain.products.part import misfit
from services.quote.domain.products.rules import LineRules
from services.quote.domain.products.tariff import BandFactor, RatedBand, Tariff
from services.quote.domain.products.tariff_misfits import scale_misfits

_GENDERS = 2
RATED_STEPS_MAX = 3_000
"""Steps in the working of one price: it is kept in one event, and events are limited in size."""


def group_misfits(document: ProductDocument, rules: LineRules) -> Iterator[Fault]:
    """Everything about classes, headcount and age bands that cannot be so."""
    group = document.group
    if rules.census_path is None:
        if group is not None:
            yield misfit("group", f"a risk of line {document.line} has no census; remove the group terms")
        return
    if group is None:
        yield misfit(
            "group", f"a product of line {document.line} has classes of cover and a minimum headcount; add them"
        )
        return
    yield from _class_misfits(group, {coverage.code: coverage for coverage in document.coverages})
    yield from _band_misfits(group.age_bands)
    for place, coverage in enumerate(document.coverages):
        path = f"coverages.{place}"
        if coverage.has_sum_insured:
            message = f"the sums insured of a group are those of its classes; remove them from coverage {coverage.code}"
            yield misfit(f"{path}.sums_insured_minor", message)
        if not any(coverage.code in each.sums_insured_minor for each in group.classes):
            message = f"no class of cover has coverage {coverage.code}, so it insures nobody; add it to a class"
            yield misfit(path, message)
    if document.plan.dependants is not None and document.plan.dependants.at_most is not None:
        message = "a census does not say whose dependant a member is, so they cannot be counted; remove at_most"
        yield misfit("plan.dependants.at_most", message)
    yield from scale_misfits(group.leavers.keeps, "group.leavers.keeps", document.term_months)
    if group.blended is not None and document.pricing.method != "tariff":
        message = "the rates of a group that is sold as quoted are the channel's own; remove blended"
        yield misfit("group.blended", message)
    if document.tariff is not None:
        yield from _tariff_misfits(document, group, document.tariff)


def _class_misfits(group: GroupTerms, plan: Mapping[str, PlannedCoverage]) -> Iterator[Fault]:
    seen: set[str] = set()
    for place, each in enumerate(group.classes):
        path = f"group.classes.{place}"
        if each.code in seen:
            yield misfit(f"{path}.code", f"class {each.code} is there twice; keep one")
        seen.add(each.code)
        for code, own in each.sums_insured_minor.items():
            where = f"{path}.sums_insured_minor.{code}"
            if code not in plan:
                yield misfit(where, f"coverage {code} is not in the plan; add it there or remove it here")
            elif own is not None and plan[code].sum_insured_for != "person":
                yield misfit(where, f"a class has sums for each member; say sum_insured_for: person in coverage {code}")


def _band_misfits(bands: Sequence[AgeBand]) -> Iterator[Fault]:
    for place, band in enumerate(bands):
        path = f"group.age_bands.{place}"
        if band.at_most < band.at_least:
            yield misfit(path, "at_most lies below at_least")
        if place and band.at_least <= bands[place - 1].at_most:
            yield misfit(path, "the band begins inside the one before it; order bands without overlap")


def _tariff_misfits(document: ProductDocument, group: GroupTerms, tariff: Tariff) -> Iterator[Fault]:
    path = "pricing.tariff" if document.pricing.method == "tariff" else "pricing.reference.tariff"
    begin = {band.at_least for band in group.age_bands}
    end = {band.at_most for band in group.age_bands}
    for where, bands in _age_tables(path, tariff):
        for place, band in enumerate(bands):
            if band.at_least not in begin or band.at_most not in end:
                message = (
                    f"ages {band.at_least} to {band.at_most} are not whole bands of group.age_bands, in which "
                    "members are counted; make them so"
                )
                yield misfit(f"{where}.{place}", message)
    relations = 1 if document.plan.dependants is None else 1 + len(document.plan.dependants.relations)
    of_classes = sum(_steps(tariff, code) for each in group.classes for code in each.sums_insured_minor)
    # Beside its rates, a kind of member has a step for those who join later.
    most = (of_classes + len(group.classes)) * len(group.age_bands) * _GENDERS * relations
    if most > RATED_STEPS_MAX:
        message = (
            f"the working of one price could have {most} steps, and at most {RATED_STEPS_MAX} are kept; "
            "use fewer age bands, classes, coverages or factors"
        )
        yield misfit("group.age_bands", message)


def _steps(tariff: Tariff, code: str) -> int:
    """Steps in the working of one coverage for one subject: the rate, the headcount, and each factor."""
    rate = tariff.rates.get(code)
    factors = sum(not factor.coverages or code in factor.coverages for factor in tariff.factors)
    return (3 if rate is not None and rate.basis == "per-mille" else 1) + 1 + factors


def _age_tables(path: str, tariff: Tariff) -> Iterator[tuple[str, Sequence[RatedBand]]]:
    for code, rate in tariff.rates.items():
        if rate.fact == AGE_FACT:
            yield f"{path}.rates.{code}.bands", rate.bands
    for place, factor in enumerate(tariff.factors):
        if isinstance(factor, BandFactor) and factor.fact == AGE_FACT:
            yield f"{path}.factors.{place}.bands", factor.bands
