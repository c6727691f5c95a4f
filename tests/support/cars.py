"""Orders of comprehensive private car cover, in the channel form."""

from typing import Any

HISTORY: dict[str, Any] = {"claims_in_three_years": 0, "years_insured": 1}
CAR: dict[str, Any] = {
    "plate_no": "沪A12345",
    "first_registered": "2024-07-01",
    "seats": 5,
    "value_minor": 36_000_000,
}
CAR_RISK: dict[str, Any] = {
    "line": "motor",
    "driver_age": 44,
    "driver_gender": "F",
    "vehicle_age": 1,
    "vehicle_class": "middle",
    "vehicle_power": "110 kW",
    "fuel": "petrol",
    "usage": "private",
    "garage": "own garage",
    "area": "zone 1",
    "region": "east",
    "vehicle": CAR,
    "claims_history": HISTORY,
}
ANSWERS: dict[str, Any] = {"ride_hailing": False, "modified": False, "yearly_km": "10-to-20"}
DAMAGE: dict[str, Any] = {"code": "VehicleDamage", "sum_insured_minor": 30_000_000}


def car_risk(*, history: dict[str, Any] | None = None, car: dict[str, Any] | None = None, **changes: Any) -> Any:
    """A petrol car of 360,000.00 new, 18 months old on 1 January 2026, after one year without a claim.

    None as a change leaves a field out.
    """
    risk = {**CAR_RISK, "claims_history": HISTORY if history is None else history, "vehicle": {**CAR, **(car or {})}}
    return {name: value for name, value in {**risk, **changes}.items() if value is not None}


def car_order(*coverages: dict[str, Any], **changes: Any) -> dict[str, Any]:
    """An order for 2026 of own damage up to 300,000.00, or of the coverages given; None leaves a field out."""
    fields: dict[str, Any] = {
        "type": "order.placed",
        "schema_version": 1,
        "order_no": "M-1",
        "product": "motor-comprehensive",
        "placed_at": "2025-12-20T10:00:00Z",
        "effective": "2026-01-01",
        "currency": "CNY",
        "premium_minor": 294_400,
        "coverages": list(coverages) or [DAMAGE],
        "risk": CAR_RISK,
        "disclosures": ANSWERS,
    }
    return {name: value for name, value in {**fields, **changes}.items() if value is not None}
