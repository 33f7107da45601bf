"""Device class: made of what decides in which order a CPU adds up, and of nothing else."""

from __future__ import annotations

from pathlib import Path

import pytest

from training.proof import device

SPR = [
    "avx2",
    "avx_vnni",
    "avx512f",
    "avx512bw",
    "avx512_vnni",
    "avx512_bf16",
    "avx512_fp16",
    "amx_bf16",
    "amx_tile",
]
SKYLAKE = ["avx2", "avx512f", "avx512bw", "avx512vl"]
HASWELL = ["sse4_2", "avx", "avx2", "fma"]


@pytest.mark.parametrize(
    ("machine", "maker", "flags", "threads", "told"),
    [
        ("x86_64", "GenuineIntel", SPR, 2, "cpu-intel-avx512_amx-2"),
        ("x86_64", "GenuineIntel", [*SPR, "amx_fp16"], 2, "cpu-intel-avx512_amx_fp16-2"),
        ("x86_64", "GenuineIntel", SKYLAKE, 1, "cpu-intel-avx512-1"),
        ("x86_64", "AuthenticAMD", HASWELL, 16, "cpu-amd-avx2-16"),
        ("aarch64", "", ["asimd", "bf16", "sve"], 4, "cpu-aarch64-sve-4"),
        ("riscv64", "", [], 4, "cpu-riscv64-plain-4"),
    ],
)
def test_the_class_of_a_cpu(
    machine: str, maker: str, flags: list[str], threads: int, told: str
) -> None:
    assert device.cpu(machine, maker, flags, threads, {}) == told


def test_a_level_that_was_lowered_by_hand_is_another_class() -> None:
    lowered = {"ONEDNN_MAX_CPU_ISA": "AVX2", "HOME": "/root", "MKL_CBWR": ""}
    told = device.cpu("x86_64", "GenuineIntel", SPR, 2, lowered)
    assert told == "cpu-intel-avx512_amx-2-onednn_max_cpu_isa=avx2"
    assert len(device.cpu("x86_64", "x", SPR, 2, {"MKL_CBWR": "y" * 900})) <= device.MAX_NAME


def test_maker_and_flags_are_the_first_cores(tmp_path: Path) -> None:
    file = tmp_path / "cpuinfo"
    file.write_text(
        "processor\t: 0\nvendor_id\t: GenuineIntel\nflags\t\t: fpu avx2\n\nprocessor\t: 1\nflags\t: fpu\n"
    )
    assert device.read(file) == ("GenuineIntel", frozenset({"fpu", "avx2"}))
    assert device.read(tmp_path / "none") == ("", frozenset())
