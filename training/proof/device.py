"""Device class: on which machines the same training must come to the same bytes.

Sums of floats depend on their order. On a CPU the order is chosen by the kernels, and those by the instruction set: PyTorch's own
by AVX2 or AVX512, oneDNN's by the levels of its `cpu_isa_t`, MKL's by maker and level; and by the number of threads that share the work. So
a class is maker, level and threads; on a GPU its name, and only with deterministic kernels.

It is not enough where a library blocks its loops by the size of a cache, or takes fewer threads than it was told because there are
fewer cores; nor across versions of the libraries, which the manifest names beside it. Steps that differ on one class are
therefore a lie or one of these, and `agon verify` says which class it ran on.
"""

from __future__ import annotations

import os
import platform
from collections.abc import Collection, Mapping
from pathlib import Path

CPUINFO = Path("/proc/cpuinfo")
_MAKERS = {"GenuineIntel": "intel", "AuthenticAMD": "amd"}
_LEVELS = (
    ("amx_fp16", "avx512_amx_fp16"),
    ("amx_bf16", "avx512_amx"),
    ("avx512_fp16", "avx512_fp16"),
    ("avx512_bf16", "avx512_bf16"),
    ("avx512_vnni", "avx512_vnni"),
    ("avx512bw", "avx512"),
    ("avx_vnni_int8", "avx2_vnni_2"),
    ("avx_vnni", "avx2_vnni"),
    ("avx2", "avx2"),
    ("sve", "sve"),
    ("bf16", "neon_bf16"),
    ("asimd", "neon"),
)
"""The kernel's name of a flag, ours of the level: oneDNN's levels, best first
(https://uxlfoundation.github.io/oneDNN/dev_guide_cpu_dispatcher_control.html)."""
_LOWERED = (
    "ATEN_CPU_CAPABILITY",
    "ONEDNN_MAX_CPU_ISA",
    "DNNL_MAX_CPU_ISA",
    "MKL_ENABLE_INSTRUCTIONS",
    "MKL_CBWR",
)
"""Variables that have the libraries choose other kernels than the CPU's best."""
MAX_NAME = 128


def here(device: str, threads: int) -> str:
    """The class of this machine. `device` is torch's, e.g. `cpu` or `cuda:0`."""
    if device.startswith("cpu"):
        maker, flags = read(CPUINFO)
        return cpu(platform.machine(), maker, flags, threads, os.environ)
    import torch

    return ("gpu-" + "-".join(torch.cuda.get_device_name(device).split()))[:MAX_NAME]


def cpu(
    machine: str, maker: str, flags: Collection[str], threads: int, environment: Mapping[str, str]
) -> str:
    """`cpu-intel-avx512_amx-2`: maker, level and threads; and what lowers the level by hand."""
    level = next((ours for flag, ours in _LEVELS if flag in flags), "plain")
    parts = ["cpu", _MAKERS.get(maker, machine.lower() or "unknown"), level, str(threads)]
    lowered = ((name, environment.get(name)) for name in _LOWERED)
    parts += [f"{name.lower()}={value.lower()}" for name, value in lowered if value]
    return "-".join(parts)[:MAX_NAME]


def read(cpuinfo: Path) -> tuple[str, frozenset[str]]:
    """Maker and flags of the first core; nothing where the system does not tell."""
    try:
        text = cpuinfo.read_text(encoding="utf-8", errors="replace")
    except OSError:
        return "", frozenset()
    told: dict[str, str] = {}
    for line in text.splitlines():
        name, _, value = line.partition(":")
        told.setdefault(name.strip(), value.strip())
    flags = told.get("flags") or told.get("Features") or ""
    return told.get("vendor_id", ""), frozenset(flags.split())
