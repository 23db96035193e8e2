"""What the tests of the loader share: LLVM text to objects, for this machine and for others.

Never: loads or runs anything.
"""

from __future__ import annotations

import platform
from functools import cache

import pytest

from contractvm.native.elf import Machine

HERE = {"x86_64": Machine.X86_64, "aarch64": Machine.AARCH64}.get(platform.machine(), Machine.X86_64)

SAMPLE = r"""
@calls = hidden externally_initialized global [4 x ptr] zeroinitializer
@far = externally_initialized global [4 x ptr] zeroinitializer
@scale = internal constant [4 x i32] [i32 10, i32 20, i32 30, i32 40]
@text = internal constant [4 x i8] c"abc\00"
@entries = constant [3 x ptr] [ptr @triple, ptr @choose, ptr @more]

define internal i64 @triple(i64 %a) noinline uwtable {
  %b = mul i64 %a, 3
  ret i64 %b
}
define i64 @more(i64 %a) noinline uwtable {
  %b = call i64 @triple(i64 %a)
  %c = add i64 %b, 1
  ret i64 %c
}
define i64 @choose(i64 %a) noinline uwtable {
  switch i64 %a, label %other [ i64 0, label %c0 i64 1, label %c1 i64 2, label %c2 i64 3, label %c3 i64 4, label %c4 ]
c0:
  %r0 = call i64 @triple(i64 7)
  ret i64 %r0
c1:
  %r1 = call i64 @more(i64 8)
  ret i64 %r1
c2:
  ret i64 22
c3:
  %r3 = call i64 @rare(i64 1)
  ret i64 %r3
c4:
  ret i64 5
other:
  ret i64 -1
}
define i64 @rare(i64 %a) noinline cold uwtable {
  %b = call i64 @more(i64 %a)
  %c = mul i64 %b, 100
  ret i64 %c
}
define i64 @near_call(i64 %a) uwtable {
  %f = load ptr, ptr getelementptr ([4 x ptr], ptr @calls, i64 0, i64 2)
  %r = call i64 %f(i64 %a)
  ret i64 %r
}
define i64 @far_call(i64 %a) uwtable {
  %f = load ptr, ptr getelementptr ([4 x ptr], ptr @far, i64 0, i64 1)
  %r = call i64 %f(i64 %a)
  ret i64 %r
}
define i64 @scaled(i64 %a) uwtable {
  %p = getelementptr [4 x i32], ptr @scale, i64 0, i64 %a
  %v = load i32, ptr %p
  %r = zext i32 %v to i64
  ret i64 %r
}
define ptr @entry(i64 %a) uwtable {
  %p = getelementptr [3 x ptr], ptr @entries, i64 0, i64 %a
  %v = load ptr, ptr %p
  ret ptr %v
}
define ptr @letters() uwtable {
  ret ptr @text
}
define double @fraction(double %a) uwtable {
  %r = fmul double %a, 3.25
  ret double %r
}
"""
"""Calls, a jump table, constants, pointers in data, tables to fill (near and through an address table), cold text."""


def compiled(ir: str, machine: Machine = HERE, opt: int = 2) -> bytes:
    """The object LLVM makes of `ir`; without llvmlite the test is skipped."""
    pytest.importorskip("llvmlite.binding", reason="llvmlite is not installed: no objects to load")
    return _compiled(ir, machine, opt)


@cache
def _compiled(ir: str, machine: Machine, opt: int) -> bytes:
    from llvmlite import binding

    binding.initialize_all_targets()
    binding.initialize_all_asmprinters()
    binding.initialize_native_asmparser()
    triple = f"{machine.name.lower()}-unknown-linux-gnu"
    target = binding.Target.from_triple(triple).create_target_machine(opt=opt, reloc="pic", codemodel="small")
    module = binding.parse_assembly(ir)
    module.triple = triple
    module.data_layout = str(target.target_data)
    module.verify()
    data: bytes = target.emit_object(module)
    return data
