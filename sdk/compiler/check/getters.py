"""The functions behind public fields: one argument for each level of maps, lists and arrays, then the value.

Source: docs/language.md, "Fields"; Solidity, "Getter Functions": of a struct the fields are outputs, but for arrays.
Never: writes.
"""

from __future__ import annotations

from sdk.compiler import tree
from sdk.compiler.symbols import Field, Kind
from sdk.compiler.types import U64, Array, List, Map, Struct, Tuple


def getter(field: Field, constant: tree.Expression | None) -> tree.Function:
    """The function of a public field; `constant` is the value of a constant."""
    span = field.span
    parameters: list[tree.Local] = []
    body: list[tree.Statement] = []
    value = constant
    if field.kind is not Kind.CONST:
        place: tree.Place = tree.FieldPlace(field, field.type, span)
        while isinstance(place.type, Map | List | Array):
            key = U64 if not isinstance(place.type, Map) else place.type.key
            local = tree.Local(f"key{len(parameters)}", key)
            parameters.append(local)
            given = tree.Load(tree.LocalPlace(local, key, span), key, span)
            if isinstance(place.type, Map):
                place = tree.EntryPlace(place, given, place.type.value, span)
            else:
                place = tree.IndexPlace(place, given, place.type.item, span)
        value = _shown(place, body)
    if value is None:
        raise ValueError(f"{field.name} has no value to give")
    function = tree.Function(field.name, field.qualified, parameters, value.type, span)
    function.body.extend([*body, tree.Return(value, span)])
    return function


def _shown(place: tree.Place, body: list[tree.Statement]) -> tree.Expression:
    """The value; of a struct the fields that are no lists or arrays, read together where they are all."""
    span = place.span
    if not isinstance(place.type, Struct):
        return tree.Load(place, place.type, span)
    members = place.type.members
    shown = [index for index, member in enumerate(members) if not isinstance(member.type, List | Array)]
    if not shown:
        return tree.Load(place, place.type, span)
    if len(shown) == len(members) > 1:
        local = tree.Local("shown", place.type)
        whole = tree.LocalPlace(local, place.type, span)
        body.append(tree.Assign(whole, tree.Load(place, place.type, span), span))
        place = whole
    parts = [
        tree.Load(tree.MemberPlace(place, index, members[index].type, span), members[index].type, span)
        for index in shown
    ]
    return parts[0] if len(parts) == 1 else tree.MakeTuple(tuple(parts), Tuple(tuple(p.type for p in parts)), span)
