"""The worker's own judgement: generators, frame sizes, replies and framing. Its process is test_compiler's matter."""

from __future__ import annotations

import io

import pytest
from hypothesis import given
from hypothesis import strategies as st

from contractvm.native import protocol
from contractvm.native.protocol import Garbled, Job, Reply
from contractvm.native.translation import Refused
from state import codec
from tests.contractvm.native.generators import ADD, BUFFER

pytest.importorskip("llvmlite", reason="llvmlite is not installed: pip install 'contractvm[native]'")
pytest.importorskip("resource", reason="the compile worker is for Linux")

from contractvm.native import image
from contractvm.native.pipeline import PipelineError
from contractvm.native.stacksize import UNBOUNDED
from contractvm.native.worker import Mismatch, check_stack, work

MODULE = "tests.contractvm.native.generators"


def test_a_job_gives_an_object_and_the_time_of_each_stage() -> None:
    reply = work(Job(f"{MODULE}:text", ADD.encode()))
    assert reply.data is not None
    assert list(image.read(reply.data).symbols) == ["add"]
    assert list(reply.seconds) == ["import", "generate", "parse", "optimise", "emit", "check"]


def test_the_level_reaches_the_pipeline() -> None:
    ir = b"define i64 @f(i64 %n) uwtable { %a = mul i64 %n, 9 %b = sub i64 %a, 3 %c = udiv i64 %b, 10 ret i64 %c }"
    light, draft = (work(Job(f"{MODULE}:text", ir, level)).data for level in ("light", "draft"))
    assert light != draft
    assert work(Job(f"{MODULE}:text", ir)).data == light


def test_a_frame_larger_than_its_weight_is_refused() -> None:
    with pytest.raises(Refused, match=r"^wide takes 4\d\d\d bytes of stack; its frame weight allows 1000$"):
        work(Job(f"{MODULE}:narrow", BUFFER.encode()))
    assert work(Job(f"{MODULE}:narrow", ADD.encode())).data


@pytest.mark.parametrize(
    ("sizes", "reason"),
    [
        ({"f": 101}, "f takes 101 bytes of stack; its frame weight allows 100"),
        ({"f": 90, "g": 31}, "g takes 31 bytes of stack; its frame weight allows 30"),
        ({"f": 101, "g": 41}, "g takes 41 bytes of stack; its frame weight allows 30"),
        ({"f.cold": 101}, "f.cold takes 101 bytes of stack; its frame weight allows 100"),
        ({"f.specialized.1": 101}, "f.specialized.1 takes 101 bytes of stack; its frame weight allows 100"),
        ({"g.f": 31}, "g.f takes 31 bytes of stack; its frame weight allows 30"),
        ({"f": UNBOUNDED}, "f takes an amount of stack that is not fixed; its frame weight allows 100"),
    ],
)
def test_the_worst_function_is_named(sizes: dict[str, int], reason: str) -> None:
    with pytest.raises(Refused) as refusal:
        check_stack(sizes, {"f": 100, "g": 30})
    assert refusal.value.reason == reason


def test_functions_that_fit_and_functions_without_a_weight_pass() -> None:
    check_stack({"f": 100, "f.cold": 100, "entry": 5000, "ff": 500}, {"f": 100, "gone": 1})


@pytest.mark.parametrize("name", [f"{MODULE}:absent", MODULE, f"{MODULE}:", ":text", f"{MODULE}:ADD"])
def test_a_generator_that_is_not_there_is_named(name: str) -> None:
    with pytest.raises(Mismatch, match="no generator"):
        work(Job(name, b""))


def test_a_generator_has_to_give_a_translation() -> None:
    with pytest.raises(Mismatch, match="gave bytes, not a Translation"):
        work(Job(f"{MODULE}:nothing", b""))


def test_text_that_llvm_refuses_is_the_generator_s_error() -> None:
    with pytest.raises(PipelineError, match="expected"):
        work(Job(f"{MODULE}:text", b"define"))


def through(content: bytes) -> dict[str, object]:
    stream = io.BytesIO(content)

    def receive(count: int) -> bytes:
        part = stream.read(count)
        if len(part) < count:
            raise EOFError
        return part

    return protocol.read(receive)


@given(st.text(), st.binary(), st.none() | st.text())
def test_requests_come_through(generator: str, payload: bytes, level: str | None) -> None:
    try:
        framed = protocol.frame(protocol.request_of(Job(generator, payload, level)))
    except codec.PackError:  # a lone surrogate, which is in no generator's name
        return
    assert protocol.job_of(through(framed)) == Job(generator, payload, level)


@pytest.mark.parametrize("reply", [Reply(b"\x7fELF", {"emit": 0.25}), Reply(refused="no"), Reply(error="broken")])
def test_replies_come_through(reply: Reply) -> None:
    assert protocol.reply_of(through(protocol.frame(protocol.message_of(reply)))) == reply


@given(st.binary(max_size=64))
def test_no_bytes_do_more_than_be_garbled(content: bytes) -> None:
    framed = len(content).to_bytes(protocol.HEADER, "big") + content
    with pytest.raises((Garbled, EOFError)):
        protocol.reply_of(through(content))
    with pytest.raises(Garbled):
        protocol.job_of(through(framed))


def test_a_length_beyond_all_messages_is_not_waited_for() -> None:
    with pytest.raises(Garbled, match="announced"):
        through(b"\xff\xff\xff\xff")
    with pytest.raises(Garbled, match="at most"):
        protocol.frame({"payload": bytes(protocol.MOST + 1)})
