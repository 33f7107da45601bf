"""Why something was not done, in the words of whoever wanted it. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

from chain.client.node import Reverted


class FlowRefused(Exception):
    """Nothing was done, or not what was wanted; the text says why, and what to do."""


REASONS: Mapping[str, str] = MappingProxyType(
    {
        "escrow: paused": "the escrow's guardian has paused deposits; withdrawals and claims go on",
        "escrow: another amount came": "the token takes a fee when it moves: the escrow takes real USDC alone",
        "escrow: more than an account can hold": "an account of the escrow holds a million million USDC at most",
        "escrow: the owner has not signed these limits": "these limits were not signed by that wallet, or for another escrow or chain",
        "escrow: limits of this nonce or a higher one are set": "newer limits are set already: sign new ones",
        "escrow: nothing to withdraw": "no withdrawal is on its way: `agon wallet withdraw AMOUNT` asks for one",
        "escrow: the balance is too low": "there is less than that in the escrow: see `agon wallet balance`",
        "escrow: the delay is not over": "the withdrawal is not ready yet: `agon wallet balance` says when",
        "escrow: not a wallet": "that is the escrow itself or nobody's address: name a wallet of yours by --to",
        "escrow: not in the last epoch's root": "an epoch was closed meanwhile, so that the proof is of an older tree: ask for the new one",
        "escrow: nothing to claim": "everything that was won and published is claimed already",
        "escrow: more claimed than allotted": "the tree gives out more than the epochs have settled, and the rest is claimed: the arena's books are wrong",
        "operators: the unbonding time is not over": "what unbonds cannot be taken yet: `agon operator status` says when",
        "operators: nothing is unbonding": "nothing is unbonding: `agon operator unbond` asks for stake back",
        "operators: more than is bonded": "less than that is bonded: see `agon operator status`",
        "rewards: there is no such epoch": "no such epoch of rewards is posted; it may have been vetoed",
        "rewards: the epoch does not count yet": "the epoch's rewards count a day after they were posted: until then they can be vetoed",
        "rewards: the proof does not lead to the epoch's root": "the file is not of the epoch that was posted",
        "fractals: there is no such root": "no such root of points is posted",
        "fractals: the proof does not lead to the root": "the file is not of the points that were posted",
        "fractals: more than the season's total": "the tree gives out more points than were posted: the arena's books are wrong",
        "agent_token: the deadline is over": "the trade came into a block too late: nothing was traded, ask for a new quote",
        "agent_token: fewer tokens than the least that was asked for": "the price rose while the trade was on its way, by more than --slippage: nothing was traded",
        "agent_token: fewer micros than the least that was asked for": "the price fell while the trade was on its way, by more than --slippage: nothing was traded",
        "agent_token: too little to trade": "that is too little to trade: after the fee nothing is left",
        "agent_token: more tokens than there are": "there are not so many tokens",
        "agent_token: no fees wait for the caller": "no fees wait for this wallet",
        "agent_tokens: caller does not own the agent": "this wallet does not own that agent on the chain",
        "agent_tokens: the agent has a token": "the agent has a token already: `agon token show` tells of it",
        "usdc_dev: paused": "USDC's issuer has stopped all transfers",
        "usdc_dev: account is blacklisted": "USDC's issuer has blocked one of the addresses; `--to` names another wallet",
        "Blacklistable: account is blacklisted": "USDC's issuer has blocked one of the addresses; `--to` names another wallet",
        "Pausable: paused": "USDC's issuer has stopped all transfers",
        "erc20: transfer amount exceeds balance": "the wallet has less than that",
        "ERC20: transfer amount exceeds balance": "the wallet has less than that",
        "erc20: burn amount exceeds balance": "the wallet has fewer tokens than that",
        "erc20: insufficient allowance": "the approval is for less than that",
        "ERC20: transfer amount exceeds allowance": "the approval is for less than that",
    }
)
"""What contracts say -> what it means for an owner. USDC's own words are those of Circle's FiatTokenV2_2."""

NO_GAS = "{address} has no ETH to pay gas with: send it a little on this chain (for development: `agon wallet faucet`)"


def in_words(reverted: Reverted) -> str:
    """What a contract's refusal means. One that says nothing, or something unknown, is quoted."""
    said = reverted.reason.strip()
    for reason, words in REASONS.items():
        if reason in said:
            return words
    if "insufficient funds" in said.lower():
        return "the wallet has not enough ETH for the gas: send it a little on this chain"
    if not said or said.lower() in ("execution reverted", "revert", "0x"):
        return "the contract refuses, and does not say why"
    return f"the contract refuses: {said}"
