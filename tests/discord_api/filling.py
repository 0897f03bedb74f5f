"""How a form is filled in and what it carries back."""

from discord_api.components import Kind
from discord_api.content import Field, Modal
from discord_api.refusal import Json


def filled(modal: Modal, given: dict[str, str]) -> list[Json]:
    """Return the parts of a form as they are sent back; AssertionError for what the app would not send."""
    return [_filled(part, modal, given) for part in modal.components]


def _filled(part: Json, modal: Modal, given: dict[str, str]) -> Json:
    """Return one part of a form as it is sent back."""
    match part["type"]:
        case Kind.TEXT:
            return {"type": int(Kind.TEXT), "id": part["id"]}
        case Kind.ROW:
            inner = [_value(_field(modal, one["custom_id"]), given) for one in part["components"]]
            return {"type": int(Kind.ROW), "id": part["id"], "components": inner}
        case _:
            inner_one = _value(_field(modal, part["component"]["custom_id"]), given)
            return {"type": int(Kind.LABEL), "id": part["id"], "component": inner_one}


def _field(modal: Modal, custom_id: str) -> Field:
    return next(field for field in modal.fields if field.custom_id == custom_id)


def _value(field: Field, given: dict[str, str]) -> Json:
    """Return what a field carries back; AssertionError for what the app would not send."""
    value = given.get(field.custom_id, field.json.get("value") or "")
    needed = field.json.get("required", True)
    assert value or not needed or field.kind is Kind.CHECKBOX, f"{field.label!r} must be filled in"
    sent: Json = {"type": int(field.kind), "id": field.json["id"], "custom_id": field.custom_id}
    if field.kind is Kind.INPUT:
        least, most = field.json.get("min_length") or 0, field.json.get("max_length") or 4000
        assert not value or least <= len(value) <= most, f"{field.label!r} takes {least} to {most} characters"
        return {**sent, "value": value}
    if field.kind is Kind.CHECKBOX:
        return {**sent, "value": bool(value)}
    chosen = [_option_value(field, label) for label in value.split("|") if label]
    return {**sent, "value": chosen[0] if chosen else None} if field.kind is Kind.RADIO else {**sent, "values": chosen}


def _option_value(field: Field, label: str) -> str:
    values = {option["label"]: option["value"] for option in field.json.get("options") or ()}
    assert label in values, f"{label!r} is none of {sorted(values)}"
    return str(values[label])
