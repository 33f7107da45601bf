"""Makes `chain/artifacts/` from `chain/contracts/`; needs vyper and snekmate, which the arena itself does not.

    python -m chain.compile            write what is missing or has changed
    python -m chain.compile --check    write nothing; exit 1 and say which artifacts are not what their sources make

The same sources give the same bytes on every machine: the compiler's version, its optimiser and the EVM's version
are fixed here, and the only digest in the bytecode is one over the sources' text. Every `.vy` right in
`chain/contracts/` is a contract to deploy; modules that they share lie in folders below it.
"""

from __future__ import annotations

import argparse
import sys
import sysconfig
from pathlib import Path
from typing import Any

import msgspec

from chain.artifacts import FOLDER, Artifact

CONTRACTS = Path(__file__).with_name("contracts")
COMPILER = "0.4.3"
EVM_VERSION = "prague"
OPTIMISER = "gas"
_OUTPUTS = ("abi", "bytecode", "bytecode_runtime", "integrity", "layout")


def names() -> list[str]:
    """The contracts, in alphabetical order."""
    return sorted(source.stem for source in CONTRACTS.glob("*.vy"))


def compiled(name: str) -> Artifact:
    """What a contract's sources make. Raises vyper's own exceptions, which point into the source."""
    made = _vyper(name, _OUTPUTS)
    return Artifact(
        contract=name,
        compiler=f"vyper {COMPILER}",
        evm_version=EVM_VERSION,
        optimiser=OPTIMISER,
        sources_digest=made["integrity"],
        abi=made["abi"],
        bytecode=made["bytecode"],
        runtime_bytecode=made["bytecode_runtime"],
        storage={
            slot: place["slot"] for slot, place in _flat(made["layout"].get("storage_layout", {}))
        },
    )


def sources_digest(name: str) -> str:
    """SHA-256 over the contract's source and all that it imports, snekmate's modules included."""
    digest: str = _vyper(name, ("integrity",))["integrity"]
    return digest


def _vyper(name: str, outputs: tuple[str, ...]) -> dict[str, Any]:
    # Only here: loading an artifact must not need the compiler.
    import vyper
    from vyper.compiler import compile_from_file_input
    from vyper.compiler.input_bundle import FilesystemInputBundle
    from vyper.compiler.settings import OptimizationLevel, Settings

    if vyper.__version__.partition("+")[0] != COMPILER:
        raise SystemExit(
            f"vyper {vyper.__version__} is installed, artifacts are made by {COMPILER}"
        )
    bundle = FilesystemInputBundle([Path(sysconfig.get_path("purelib")), CONTRACTS])
    source = bundle.load_file(CONTRACTS / f"{name}.vy")
    settings = Settings(evm_version=EVM_VERSION, optimize=OptimizationLevel.from_string(OPTIMISER))
    made: dict[str, Any] = compile_from_file_input(
        source, input_bundle=bundle, settings=settings, output_formats=outputs
    )
    return made


def _flat(layout: dict[str, Any], prefix: str = "") -> list[tuple[str, dict[str, Any]]]:
    """A module's variables lie in a dictionary of their own: `erc20.balanceOf`."""
    found = []
    for name, place in layout.items():
        if "slot" in place:
            found.append((prefix + name, place))
        else:
            found += _flat(place, f"{prefix}{name}.")
    return sorted(found, key=lambda entry: (int(entry[1]["slot"]), entry[0]))


def _encoded(artifact: Artifact) -> bytes:
    return msgspec.json.format(msgspec.json.encode(artifact), indent=1) + b"\n"


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m chain.compile", description=__doc__)
    parser.add_argument("--check", action="store_true", help="compare and write nothing")
    check: bool = parser.parse_args().check
    FOLDER.mkdir(exist_ok=True)
    stale = []
    for name in names():
        try:
            path, made = FOLDER / f"{name}.json", _encoded(compiled(name))
        except Exception as error:
            # Vyper's exceptions point into the source, and so do Python's own for what it cannot parse.
            print(f"{name}: {type(error).__name__}: {error}", file=sys.stderr)
            return 1
        if not path.exists() or path.read_bytes() != made:
            stale.append(name)
            if not check:
                path.write_bytes(made)
    for path in sorted(FOLDER.glob("*.json")):
        if path.stem not in names():
            stale.append(path.stem)
            if not check:
                path.unlink()
    if stale:
        print(f"{'not what their sources make' if check else 'written'}: {', '.join(stale)}")
    return int(check and bool(stale))


if __name__ == "__main__":
    sys.exit(main())
