"""The two tokens: what others build on is what their standards say."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import boa
import pytest

from tests.chain.contracts import deploy, reverts
from tests.chain.wallets import mirrored, now, sign, wallet

ANN, BOB, EVE = wallet(1), wallet(2), wallet(3)
NONCE = b"\7" * 32


@pytest.fixture
def usdc() -> Iterator[Any]:
    with boa.env.anchor():
        token = deploy("usdc_dev")
        token.mint(ANN.address, 1_000)
        yield token


def test_frac_is_minted_once_and_owned_by_nobody() -> None:
    frac = deploy("frac", ANN.address)
    assert frac.totalSupply() == frac.balanceOf(ANN.address) == 10**27
    assert not any(hasattr(frac, name) for name in ("mint", "owner", "pause", "set_minter"))


def test_frac_takes_a_permit_once(usdc: Any) -> None:
    frac = deploy("frac", ANN.address)
    deadline = now() + 60
    message = (ANN.address, BOB.address, 5, 0, deadline)
    signature = sign(ANN, frac, "Permit", *message)
    frac.permit(ANN.address, BOB.address, 5, deadline, *signature)
    assert frac.allowance(ANN.address, BOB.address) == 5
    with reverts("erc20: invalid signature"):
        frac.permit(ANN.address, BOB.address, 5, deadline, *signature)


def test_a_permit_of_usdc_is_for_one_amount_until_one_time(usdc: Any) -> None:
    deadline = now() + 60
    signature = sign(ANN, usdc, "Permit", ANN.address, BOB.address, 5, 0, deadline)
    with reverts("usdc_dev: invalid signature"):
        usdc.permit(ANN.address, BOB.address, 6, deadline, *signature)
    with boa.env.anchor(), reverts("usdc_dev: the permit has expired"):
        boa.env.time_travel(seconds=61)
        usdc.permit(ANN.address, BOB.address, 5, deadline, *signature)
    with reverts("ecdsa: invalid signature `s` value"):
        usdc.permit(ANN.address, BOB.address, 5, deadline, *mirrored(signature))
    usdc.permit(ANN.address, BOB.address, 5, deadline, *signature)
    assert usdc.transferFrom(ANN.address, EVE.address, 5, sender=BOB.address)
    assert usdc.balanceOf(EVE.address) == 5


def test_an_authorization_moves_money_once_and_in_its_time(usdc: Any) -> None:
    after, before = now() + 10, now() + 60
    message = (ANN.address, BOB.address, 7, after, before, NONCE)
    signature = sign(ANN, usdc, "TransferWithAuthorization", *message)
    with reverts("usdc_dev: the authorization is not yet valid"):
        usdc.transferWithAuthorization(*message, *signature)
    boa.env.time_travel(seconds=20)
    usdc.transferWithAuthorization(*message, *signature, sender=EVE.address)
    assert usdc.balanceOf(BOB.address) == 7
    assert usdc.authorizationState(ANN.address, NONCE)
    with reverts("usdc_dev: the authorization is used or cancelled"):
        usdc.transferWithAuthorization(*message, *signature)
    boa.env.time_travel(seconds=60)
    late = (*message[:-1], b"\x08" * 32)
    with reverts("usdc_dev: the authorization has expired"):
        usdc.transferWithAuthorization(*late, *sign(ANN, usdc, "TransferWithAuthorization", *late))


def test_an_authorization_to_receive_is_brought_by_the_payee_alone(usdc: Any) -> None:
    message = (ANN.address, BOB.address, 7, 0, now() + 60, NONCE)
    signature = sign(ANN, usdc, "ReceiveWithAuthorization", *message)
    with reverts("usdc_dev: caller is not the payee"):
        usdc.receiveWithAuthorization(*message, *signature, sender=EVE.address)
    with reverts("usdc_dev: invalid signature"):
        usdc.transferWithAuthorization(*message, *signature, sender=EVE.address)
    usdc.receiveWithAuthorization(*message, *signature, sender=BOB.address)
    assert usdc.balanceOf(BOB.address) == 7


def test_an_authorization_is_good_on_one_chain_and_for_one_token(usdc: Any) -> None:
    message = (ANN.address, BOB.address, 7, 0, now() + 60, NONCE)
    for elsewhere in ({"chainId": 8453}, {"verifyingContract": EVE.address}, {"version": "1"}):
        signature = sign(ANN, usdc, "ReceiveWithAuthorization", *message, **elsewhere)
        with reverts("usdc_dev: invalid signature"):
            usdc.receiveWithAuthorization(*message, *signature, sender=BOB.address)


def test_an_authorization_can_be_cancelled_by_its_signer(usdc: Any) -> None:
    message = (ANN.address, BOB.address, 7, 0, now() + 60, NONCE)
    signature = sign(ANN, usdc, "ReceiveWithAuthorization", *message)
    with reverts("usdc_dev: invalid signature"):
        usdc.cancelAuthorization(
            ANN.address, NONCE, *sign(EVE, usdc, "CancelAuthorization", ANN.address, NONCE)
        )
    usdc.cancelAuthorization(
        ANN.address, NONCE, *sign(ANN, usdc, "CancelAuthorization", ANN.address, NONCE)
    )
    with reverts("usdc_dev: the authorization is used or cancelled"):
        usdc.receiveWithAuthorization(*message, *signature, sender=BOB.address)


def test_a_blocked_address_neither_sends_nor_receives(usdc: Any) -> None:
    usdc.mint(BOB.address, 10)
    usdc.blacklist(BOB.address)
    with reverts("usdc_dev: account is blacklisted"):
        usdc.transfer(ANN.address, 1, sender=BOB.address)
    with reverts("usdc_dev: account is blacklisted"):
        usdc.transfer(BOB.address, 1, sender=ANN.address)
    usdc.unBlacklist(BOB.address)
    usdc.transfer(ANN.address, 1, sender=BOB.address)
    with reverts("ownable: caller is not the owner"):
        usdc.blacklist(ANN.address, sender=EVE.address)


def test_nothing_moves_while_usdc_is_paused(usdc: Any) -> None:
    usdc.set_paused(True)
    with reverts("usdc_dev: paused"):
        usdc.transfer(BOB.address, 1, sender=ANN.address)
    usdc.set_paused(False)
    assert usdc.transfer(BOB.address, 1, sender=ANN.address)
