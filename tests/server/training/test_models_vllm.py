"""Which server of models stands behind the gateway is a setting."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from server.config import ConfigError
from server.training.models import VllmService, embedded, vllm_service
from training.serving.llama import Llama
from training.serving.vllm import Vllm

URL = "http://127.0.0.1:8650/v1"


def test_a_vllm_that_is_named_is_the_gateways_server(tmp_path: Path) -> None:
    (tmp_path / "key").write_text("secret\n")
    named = vllm_service(URL, str(tmp_path / "key"))
    assert named == VllmService(URL, "secret")
    assert "secret" not in repr(named)
    none: Any = None
    how = (none, none, tmp_path / "adapters", "SmolLM2-135M-Instruct", 7, tmp_path / "log")
    made = embedded(*how, named)._backend
    assert isinstance(made, Vllm)
    assert made.capacity == 7
    assert isinstance(embedded(*how)._backend, Llama)


def test_without_an_address_llama_cpp_serves() -> None:
    assert vllm_service("", "") is None


@pytest.mark.parametrize(
    ("url", "key", "reason"),
    [
        ("127.0.0.1:8650", "key", "is no address"),
        ("http://127.0.0.1:8650", "key", "is no address"),
        (URL, "", "name the file"),
        (URL, "missing", "cannot be read"),
        (URL, "empty", "is empty"),
    ],
)
def test_half_a_setting_is_refused(tmp_path: Path, url: str, key: str, reason: str) -> None:
    (tmp_path / "key").write_text("secret")
    (tmp_path / "empty").write_text("\n")
    with pytest.raises(ConfigError, match=reason):
        vllm_service(url, str(tmp_path / key) if key else "")
