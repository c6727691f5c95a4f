"""What a history without claims is worth: the Chinese no-claims level (NCD) and the French bonus-malus coefficient."""

from services.quote.domain.products.tariff import NoClaimsScale

COEFFICIENT_MIN = 50
COEFFICIENT_MAX = 350
_NEITHER_BONUS_NOR_MALUS = 100
_YEARS_THAT_END_A_MALUS = 2

# Hundredths of 5 % less, 25 % more and 12.5 % more, over their common denominators.
_CLEAN_YEAR = (95, 100)
_FULL_FAULT = (125, 100)
_HALF_FAULT = (1_125, 1_000)


def no_claims_level(
    scale: NoClaimsScale,
    claims: int,
    years: int,
    *,
    gap_months: int = 0,
    transferred: bool = False,
    last_level: int | None = None,
) -> int:
    """The level of a car, 0 where it is new or has a new owner.

    `claims` are those of the years that the scale looks at, `years` those insured without a break,
    `gap_months` the whole months since the last cover ended.
    """
    return explained_level(scale, claims, years, gap_months=gap_months, transferred=transferred, last_level=last_level)[
        0
    ]


def explained_level(
    scale: NoClaimsScale,
    claims: int,
    years: int,
    *,
    gap_months: int = 0,
    transferred: bool = False,
    last_level: int | None = None,
) -> tuple[int, str]:
    """As `no_claims_level`, with how the level came about in words."""
    if transferred:
        return 0, "a new owner begins anew"
    if gap_months > scale.gap_resets_months:
        return 0, f"after more than {scale.gap_resets_months} months without cover it begins anew"
    if claims == 0 and years >= scale.clean_years:
        level, reason = scale.clean_level, f"{scale.clean_years} years and more without a claim"
    else:
        counted = min(years, scale.years_max)
        level, reason = claims - counted, f"claims {claims} less years {counted}"
        if level > scale.level_max:
            level, reason = scale.level_max, f"{reason}, at most {scale.level_max}"
    if gap_months >= scale.gap_rises_months and level < (last_level or 0):
        return last_level or 0, f"{reason} is {level}, but after {gap_months} months without cover it only rises"
    return level, reason


def bonus_malus_after(coefficient: int, full_fault: int = 0, half_fault: int = 0) -> int:
    """The coefficient, in hundredths, after a year with this many claims of full and of half fault.

    The claims of a year are multiplied first and what is left of a hundredth is dropped once.
    """
    numerator, denominator = coefficient, 1
    if full_fault == half_fault == 0:
        numerator, denominator = coefficient * _CLEAN_YEAR[0], _CLEAN_YEAR[1]
    for claims, (more, than) in ((full_fault, _FULL_FAULT), (half_fault, _HALF_FAULT)):
        numerator, denominator = numerator * more**claims, denominator * than**claims
    return min(max(numerator // denominator, COEFFICIENT_MIN), COEFFICIENT_MAX)


def bonus_malus_after_clean(coefficient: int, clean_years: int) -> int:
    """The coefficient, in hundredths, after so many years in a row without a claim at fault."""
    for year in range(1, clean_years + 1):
        coefficient = bonus_malus_after(coefficient)
        if year >= _YEARS_THAT_END_A_MALUS:
            coefficient = min(coefficient, _NEITHER_BONUS_NOR_MALUS)
    return coefficient
