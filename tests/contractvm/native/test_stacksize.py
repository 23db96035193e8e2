"""The frame sizes read from the unwinding table are those the functions really have."""

from __future__ import annotations

import ctypes

import pytest

from contractvm.native import loader
from contractvm.native.elf import BadObject, Machine
from contractvm.native.stacksize import UNBOUNDED, frame_sizes
from tests.contractvm.native.objects import HERE, SAMPLE, compiled

FRAMES = """
define internal void @use(ptr %p) noinline uwtable { store volatile i8 1, ptr %p ret void }
define i64 @leaf(i64 %a) uwtable { ret i64 %a }
define void @small() uwtable { %p = alloca [8 x i8] call void @use(ptr %p) ret void }
define void @big() uwtable { %p = alloca [5000 x i8] call void @use(ptr %p) ret void }
define void @unknown(i64 %n) uwtable { %p = alloca i8, i64 %n call void @use(ptr %p) ret void }
define void @aligned() uwtable { %p = alloca [64 x i8], align 64 call void @use(ptr %p) ret void }
define preserve_mostcc void @saves() noinline uwtable { %p = alloca [8 x i8] call void @use(ptr %p) ret void }
define void @branches(i64 %a) uwtable {
  %s = icmp eq i64 %a, 0
  br i1 %s, label %one, label %two
one:
  %p = alloca [100 x i8]
  call void @use(ptr %p)
  ret void
two:
  ret void
}
"""


@pytest.mark.parametrize("machine", Machine)
def test_frames_of_every_kind(machine: Machine) -> None:
    sizes = frame_sizes(compiled(FRAMES, machine))
    returned = 8 if machine is Machine.X86_64 else 0
    assert sizes["leaf"] == sizes["use"] == returned
    assert 16 <= sizes["small"] <= 32
    assert 5000 + returned <= sizes["big"] <= 5048
    assert sizes["saves"] >= sizes["small"] + 5 * 8
    assert sizes["unknown"] == sizes["aligned"] == sizes["branches"] == UNBOUNDED


@pytest.mark.parametrize("machine", Machine)
@pytest.mark.parametrize("opt", [0, 1, 2])
def test_every_function_has_a_size(machine: Machine, opt: int) -> None:
    sizes = frame_sizes(compiled(SAMPLE, machine, opt))
    assert {"triple", "more", "choose", "rare", "near_call", "letters"} <= set(sizes)
    assert all(0 <= size < 200 for size in sizes.values())


def chain(arguments: int, room: int, convention: str) -> str:
    """A function of so many arguments that calls itself `n` times and notes where each frame stands."""
    names = [f"%a{index}" for index in range(arguments)]
    typed = ", ".join(f"i64 {name}" for name in names)
    sums = "\n".join(f"  %b{i} = add i64 %a{i}, {i + 1}" for i in range(arguments))
    passed = ", ".join(f"i64 %b{(i + 1) % arguments}" for i in range(arguments))
    return f"""
declare ptr @llvm.addressofreturnaddress.p0()
define internal void @use(ptr %p) noinline uwtable {{ store volatile i8 1, ptr %p ret void }}
define internal {convention} i64 @down(ptr %out, i64 %n, {typed}) noinline uwtable {{
  %here = call ptr @llvm.addressofreturnaddress.p0()
  %slot = getelementptr ptr, ptr %out, i64 %n
  store volatile ptr %here, ptr %slot
  %room = alloca [{room} x i8]
  call void @use(ptr %room)
{sums}
  %end = icmp eq i64 %n, 0
  br i1 %end, label %stop, label %go
go:
  %m = sub i64 %n, 1
  %r = call {convention} i64 @down(ptr %out, i64 %m, {passed})
  call void @use(ptr %room)
  %s = add i64 %r, %b0
  ret i64 %s
stop:
  ret i64 0
}}
define i64 @start(ptr %out, i64 %n) uwtable {{
  %r = call {convention} i64 @down(ptr %out, i64 %n, {", ".join(f"i64 {i}" for i in range(arguments))})
  ret i64 %r
}}
"""


@pytest.mark.skipif(not loader.supported(), reason=f"no loader here: {loader.why_not()}")
@pytest.mark.parametrize("convention", ["ccc", "fastcc", "tailcc", "preserve_mostcc"])
@pytest.mark.parametrize(("arguments", "room"), [(1, 8), (4, 1000), (12, 8), (20, 300)])
@pytest.mark.parametrize("opt", [0, 1, 2])
def test_measured_frames(arguments: int, room: int, convention: str, opt: int) -> None:
    """What lies between two frames on the real stack is what the table says, stack arguments included."""
    data = compiled(chain(arguments, room, convention), opt=opt)
    size = frame_sizes(data)["down"]
    assert size < UNBOUNDED
    loaded = loader.load(data)
    depth = 5
    out = (ctypes.c_uint64 * (depth + 1))()
    ctypes.CFUNCTYPE(ctypes.c_int64, ctypes.c_void_p, ctypes.c_int64)(loaded.symbols["start"])(
        ctypes.addressof(out), depth
    )
    assert {out[level + 1] - out[level] for level in range(depth)} == {size}


def directives(body: str) -> str:
    """A function written in the machine's own language, with its description of the frame."""
    lines = [".text", ".globl f", ".type f,@function", "f:", ".cfi_startproc", *body.split(";"), "nop", ".cfi_endproc"]
    return "\n".join(f'module asm "{line.strip()}"' for line in [*lines, ".size f, .-f"])


@pytest.mark.skipif(HERE is not Machine.X86_64, reason="the directives name registers of x86-64")
@pytest.mark.parametrize(
    ("body", "size"),
    [
        ("nop; .cfi_def_cfa_offset 48; nop; .cfi_def_cfa_offset 16", 48),
        ("nop; .cfi_adjust_cfa_offset 100", 108),
        ("nop; .cfi_remember_state; .cfi_def_cfa_offset 64; nop; .cfi_restore_state", 64),
        ("nop; .cfi_def_cfa 7, 70000", 70000),
        ("nop; .cfi_def_cfa_register 6", UNBOUNDED),
        ("nop; .cfi_def_cfa 6, 16; nop; .cfi_def_cfa 7, 8", UNBOUNDED),
        ("nop; .cfi_escape 0x0f, 3, 0x77, 8, 6", UNBOUNDED),
        ("nop; .cfi_escape 0x12, 7, 0x7e", 16),
        ("nop; .cfi_escape 0x13, 0x7c", 32),
        ("nop; .cfi_escape 0x13, 4", UNBOUNDED),
        (".fill 300, 1, 0x90; .cfi_def_cfa_offset 24; .fill 70000, 1, 0x90; .cfi_def_cfa_offset 32", 32),
        ("nop; .cfi_offset 3, -16; .cfi_restore 3; .cfi_undefined 3; .cfi_same_value 3; .cfi_register 3, 4", 8),
        ("nop; .cfi_escape 0x10, 3, 2, 0x77, 0; .cfi_escape 0x2e, 16", 8),
    ],
)
def test_each_instruction_of_the_table(body: str, size: int) -> None:
    assert frame_sizes(compiled(directives(body))) == {"f": size}


@pytest.mark.skipif(HERE is not Machine.X86_64, reason="the directives name registers of x86-64")
@pytest.mark.parametrize(
    ("body", "why"),
    [
        ("nop; .cfi_escape 0x3f", "not known: 0x3f"),
        ("nop; .cfi_escape 0x0b", "has not kept"),
        ("nop; .cfi_escape 0x0f, 100", "ends too early"),
        (".cfi_signal_frame", "a form that is not known"),
        (".cfi_personality 0x1b, f", "a form that is not known"),
    ],
)
def test_what_the_table_may_not_say(body: str, why: str) -> None:
    with pytest.raises(BadObject, match=why):
        frame_sizes(compiled(directives(body)))


@pytest.mark.parametrize("machine", Machine)
def test_a_function_without_an_entry(machine: Machine) -> None:
    with pytest.raises(BadObject, match=r"'g' has no entry .* uwtable"):
        frame_sizes(compiled("define void @f() uwtable { ret void } define void @g() nounwind { ret void }", machine))


def test_what_is_no_object() -> None:
    with pytest.raises(BadObject):
        frame_sizes(b"no object")


@pytest.mark.parametrize("machine", Machine)
def test_an_object_without_functions(machine: Machine) -> None:
    assert frame_sizes(compiled("@g = constant i32 1", machine)) == {}
