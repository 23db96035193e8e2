"""Generators for the compile worker's tests: what a machine's generator does, and every way to misbehave."""

from __future__ import annotations

import ctypes
import os
import sys
import time

from contractvm.native.translation import Refused, Translation

ADD = "define i64 @add(i64 %a, i64 %b) uwtable {\n  %sum = add i64 %a, %b\n  ret i64 %sum\n}\n"

BUFFER = """
declare void @llvm.memset.p0.i64(ptr, i8, i64, i1)
define i64 @wide(i64 %n) uwtable {
  %room = alloca [4096 x i8]
  call void @llvm.memset.p0.i64(ptr %room, i8 7, i64 4096, i1 true)
  %at = getelementptr i8, ptr %room, i64 %n
  %byte = load volatile i64, ptr %at
  ret i64 %byte
}
"""


def text(payload: bytes) -> Translation:
    """The payload is the IR."""
    return Translation(payload.decode(), {})


def narrow(payload: bytes) -> Translation:
    """The payload is the IR, in which `wide` may take 1000 bytes and `add` 4096."""
    return Translation(payload.decode(), {"wide": 1000, "add": 4096})


def refuse(payload: bytes) -> Translation:
    """No native code for this."""
    raise Refused(f"not today: {payload.decode()}")


def decline(payload: bytes) -> Translation:
    """Refuse whatever it is."""
    raise Refused("not for this machine")


def nothing(payload: bytes) -> object:
    """Not a Translation."""
    return payload


def bug(payload: bytes) -> Translation:
    """An error nobody foresaw."""
    raise KeyError(payload.decode())


def leave(payload: bytes) -> Translation:
    """End the process with a status."""
    print("leaving now", file=sys.stderr, flush=True)
    os._exit(int(payload))


def crash(payload: bytes) -> Translation:
    """Read the address 0."""
    ctypes.string_at(0)
    return text(payload)


def spin(payload: bytes) -> Translation:
    """Work for some seconds of processor time."""
    end = time.process_time() + float(payload)
    while time.process_time() < end:
        pass
    return text(ADD.encode())


def sleep(payload: bytes) -> Translation:
    """Do nothing for some seconds."""
    time.sleep(float(payload))
    return text(ADD.encode())


def harass(payload: bytes) -> Translation:
    """Send the parent a signal, while it waits for this job, which has no end."""
    os.kill(os.getppid(), int(payload))
    time.sleep(1000)
    return text(ADD.encode())


def eat(payload: bytes) -> Translation:
    """Take some bytes of memory."""
    taken = bytearray(int(payload))
    return Translation(ADD, {"add": len(taken)})


def chatter(payload: bytes) -> Translation:
    """Write what looks like a reply to standard output, by name and by number, and close standard input."""
    print("garbage", flush=True)
    os.write(1, b"\0\0\0\1x")
    os.close(0)
    return text(payload)


def deafen(payload: bytes) -> Translation:
    """Write into every descriptor there is."""
    for descriptor in os.listdir("/proc/self/fd"):
        try:
            os.write(int(descriptor), payload)
        except OSError:
            continue
    return text(ADD.encode())


def shout(payload: bytes) -> Translation:
    """Complain without end, then be well."""
    try:
        for _ in range(int(payload)):
            os.write(2, b"x" * (1 << 20))
    except OSError:
        return text(ADD.encode())
    return text(ADD.encode())


def facts(payload: bytes) -> Translation:
    """What the process is like, as the reason of a refusal."""
    import resource

    names = sorted(os.listdir("/proc/self/fd"), key=int)
    links = [os.readlink(f"/proc/self/fd/{name}") for name in names if os.path.exists(f"/proc/self/fd/{name}")]
    # From 3.5 on libffi, which ctypes stands on, keeps its own file open to make trampolines from.
    links = [link for link in links if not os.path.basename(link).startswith("libffi.so")]
    core = resource.getrlimit(resource.RLIMIT_CORE)[0]
    lines = {
        "fds": len(links),
        "links": links,
        "core": core,
        "nice": os.getpriority(os.PRIO_PROCESS, 0),
        "session": os.getsid(0) == os.getpid(),
        "environment": sorted(os.environ),
        "folder": os.getcwd(),
        "payload": payload.decode(),
    }
    raise Refused(repr(lines))
