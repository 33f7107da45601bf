# pragma version ==0.4.3
# SPDX-License-Identifier: AGPL-3.0-only
# pragma nonreentrancy on
"""
@title The token of an agent, on a bonding curve
@license GNU Affero General Public License v3.0 only
@author The authors of Agon
@notice An ERC-20 with permit that is sold and bought back by this contract alone, for USDC, at the price of a constant product:
        x * y = k, where x is the USDC that lies here and a virtual reserve, and y are the tokens that are not sold.
        Selling is always open: there is no pause, no owner, no list, and no minting but by buying.
@dev - Rounding favours the curve, so k never falls, and what all tokens together can be sold for always lies here:
       x = k / y >= k / SUPPLY >= VIRTUAL when every token has come back.
     - Of each trade FEE_BPS is a fee (rounded up), half for the creator, half for the treasury. Fees are fetched by them:
       a receiver that USDC blocks stops no trade.
     - In the first SNIPER_S seconds a buyer leaves more than that on the curve, START_BPS in the first block and falling evenly.
       It is nobody's fee: it stays in the reserve, for good, and whoever launches a token does not get it either.
     - Quotes are what the trades themselves compute: in the same block, and with no trade between, they are equal.
@custom:security What USDC can do is beyond this contract: an address that it blocks can sell to another receiver; where it is
                 paused, nothing moves. The creator can buy first, too, and can wait until the start is over before anybody has
                 heard of the token: look at who holds what.
"""


from ethereum.ercs import IERC20
implements: IERC20


from snekmate.auth import ownable
initializes: ownable


from snekmate.tokens import erc20
initializes: erc20[ownable := ownable]


# @dev `mint`, `set_minter`, `burn` and everything of the owner are left out on purpose.
exports: (
    erc20.DOMAIN_SEPARATOR,
    erc20.allowance,
    erc20.approve,
    erc20.balanceOf,
    erc20.decimals,
    erc20.eip712Domain,
    erc20.name,
    erc20.nonces,
    erc20.permit,
    erc20.symbol,
    erc20.totalSupply,
    erc20.transfer,
    erc20.transferFrom,
)


# @dev All tokens that the curve can ever sell: one thousand million, 18 decimals.
SUPPLY: public(constant(uint256)) = 10**9 * 10**18


# @dev The fee of each trade, in basis points of the USDC that is paid or comes out.
FEE_BPS: public(constant(uint256)) = 100


# @dev What the first buyers leave on the curve, in basis points of what they pay, and for how many seconds it falls to nothing.
START_BPS: public(constant(uint256)) = 8_900
SNIPER_S: public(constant(uint256)) = 600


# @dev The most USDC of one trade, and of the virtual reserve, in micros: no product can overflow.
MAX_USDC: public(constant(uint256)) = 2**96


USDC: public(immutable(address))
# @dev The agent's id in the registry of identities.
AGENT_ID: public(immutable(uint256))
# @dev The virtual reserve, in micros. It sets the first price: VIRTUAL / SUPPLY.
VIRTUAL: public(immutable(uint256))
LAUNCHED_AT: public(immutable(uint256))


# @dev The USDC that lies here for those who sell, in micros.
reserve: public(uint256)


# @dev Who fetches each half of the fees, who may take that place over, and what waits for it, in micros.
creator: public(address)
treasury: public(address)
creator_offered: public(address)
treasury_offered: public(address)
creator_fees: public(uint256)
treasury_fees: public(uint256)


event Bought:
    buyer: indexed(address)
    receiver: indexed(address)
    usdc: uint256
    tokens: uint256
    fee: uint256
    left: uint256


event Sold:
    seller: indexed(address)
    receiver: indexed(address)
    tokens: uint256
    usdc: uint256
    fee: uint256


event FeesFetched:
    receiver: indexed(address)
    usdc: uint256


event ReceiverOffered:
    current: indexed(address)
    offered: indexed(address)


event ReceiverChanged:
    former: indexed(address)
    current: indexed(address)


@deploy
def __init__(
    usdc: address,
    agent_id: uint256,
    name: String[25],
    symbol: String[5],
    creator: address,
    treasury: address,
    virtual_reserve: uint256,
):
    """
    @param usdc What it is bought with.
    @param agent_id The agent whose token this is.
    @param name The token's name; also that of its signing domain.
    @param symbol Its symbol.
    @param creator Receives half of the fees.
    @param treasury Receives the other half.
    @param virtual_reserve In micros, 1 USDC to MAX_USDC: the higher, the higher the first price and the flatter the curve.
    """
    assert usdc != empty(address) and usdc.is_contract, "agent_token: USDC is no contract"
    assert creator != empty(address) and treasury != empty(address), "agent_token: a receiver of fees is the zero address"
    assert (
        10**6 <= virtual_reserve and virtual_reserve <= MAX_USDC
    ), "agent_token: the virtual reserve is not within 10 ** 6 and 2 ** 96 micros"
    assert len(name) != 0 and len(symbol) != 0, "agent_token: name or symbol is empty"
    ownable.__init__()
    erc20.__init__(name, symbol, 18, name, "1")
    ownable._transfer_ownership(empty(address))
    USDC = usdc
    AGENT_ID = agent_id
    VIRTUAL = virtual_reserve
    LAUNCHED_AT = block.timestamp
    self.creator = creator
    self.treasury = treasury


@external
@view
def unsold() -> uint256:
    """
    @notice The tokens that the curve can still sell.
    @return uint256 y, of x * y = k.
    """
    return SUPPLY - erc20.totalSupply


@external
@view
def sniper_bps() -> uint256:
    """
    @notice What a buyer leaves on the curve now besides the fee, in basis points of what it pays.
    @return uint256 START_BPS when it was launched, 0 from SNIPER_S on.
    """
    return self._sniper_bps()


@external
@view
def quote_buy(usdc_in: uint256) -> (uint256, uint256, uint256):
    """
    @notice What `buy` gives now. Reverts as it does.
    @param usdc_in Micros, all together.
    @return uint256 Tokens.
    @return uint256 Micros of it that are the fee.
    @return uint256 Micros of it that stay on the curve and buy nothing (the start).
    """
    return self._bought(usdc_in)


@external
@view
def quote_sell(tokens_in: uint256) -> (uint256, uint256):
    """
    @notice What `sell` gives now. Reverts as it does.
    @param tokens_in Tokens.
    @return uint256 Micros that come out, after the fee.
    @return uint256 Micros that are the fee.
    """
    return self._sold(tokens_in)


@external
def buy(usdc_in: uint256, min_tokens: uint256, deadline: uint256, receiver: address = msg.sender) -> uint256:
    """
    @notice Buys tokens for USDC that was approved.
    @param usdc_in Micros to pay, all together.
    @param min_tokens Fewer tokens than that: nothing happens.
    @param deadline Later than that (unix seconds): nothing happens.
    @param receiver Who gets the tokens.
    @return uint256 Tokens.
    """
    return self._buy(usdc_in, min_tokens, deadline, receiver)


@external
def buy_with_permit(
    usdc_in: uint256,
    min_tokens: uint256,
    deadline: uint256,
    permit_deadline: uint256,
    v: uint8,
    r: bytes32,
    s: bytes32,
) -> uint256:
    """
    @notice As `buy`, by the caller's permit (EIP-2612) instead of an approval before.
    @dev Anybody can bring the permit first, which does what it is for: so whether it succeeds here is not asked.
    @param usdc_in Micros to pay, all together; the permit is for so many.
    @param min_tokens Fewer tokens than that: nothing happens.
    @param deadline Later than that (unix seconds): nothing happens.
    @param permit_deadline The permit's own.
    @param v Of the permit's signature.
    @param r Of the permit's signature.
    @param s Of the permit's signature.
    @return uint256 Tokens, which the caller gets.
    """
    success: bool = raw_call(
        USDC,
        abi_encode(
            msg.sender,
            self,
            usdc_in,
            permit_deadline,
            v,
            r,
            s,
            method_id=method_id("permit(address,address,uint256,uint256,uint8,bytes32,bytes32)"),
        ),
        revert_on_failure=False,
    )
    return self._buy(usdc_in, min_tokens, deadline, msg.sender)


@external
def sell(tokens_in: uint256, min_usdc: uint256, deadline: uint256, receiver: address = msg.sender) -> uint256:
    """
    @notice Sells tokens of the caller's. Nothing and nobody can close this.
    @param tokens_in Tokens.
    @param min_usdc Fewer micros than that: nothing happens.
    @param deadline Later than that (unix seconds): nothing happens.
    @param receiver Who gets the USDC; it need not be the caller, whom USDC may have blocked.
    @return uint256 Micros.
    """
    assert block.timestamp <= deadline, "agent_token: the deadline is over"
    out: uint256 = 0
    fee: uint256 = 0
    out, fee = self._sold(tokens_in)
    assert out >= min_usdc, "agent_token: fewer micros than the least that was asked for"
    erc20._burn(msg.sender, tokens_in)
    self.reserve -= out + fee
    self._share(fee)
    log Sold(seller=msg.sender, receiver=receiver, tokens=tokens_in, usdc=out, fee=fee)
    assert extcall IERC20(USDC).transfer(receiver, out, default_return_value=True), "agent_token: USDC was not paid out"
    return out


@external
def fetch_fees(receiver: address) -> uint256:
    """
    @notice Fetches what waits for the caller, who is creator or treasury or both.
    @param receiver Who gets it.
    @return uint256 Micros.
    """
    amount: uint256 = 0
    if msg.sender == self.creator:
        amount += self.creator_fees
        self.creator_fees = 0
    if msg.sender == self.treasury:
        amount += self.treasury_fees
        self.treasury_fees = 0
    assert amount != 0, "agent_token: no fees wait for the caller"
    log FeesFetched(receiver=receiver, usdc=amount)
    assert extcall IERC20(USDC).transfer(receiver, amount, default_return_value=True), "agent_token: USDC was not paid out"
    return amount


@external
def offer_fees(account: address):
    """
    @notice Offers the caller's place, as creator or treasury, to another, who takes it by `take_fees`. What waits goes with it.
    @param account Who may take it; the zero address withdraws the offer.
    """
    assert msg.sender == self.creator or msg.sender == self.treasury, "agent_token: caller receives no fees"
    if msg.sender == self.creator:
        self.creator_offered = account
    if msg.sender == self.treasury:
        self.treasury_offered = account
    log ReceiverOffered(current=msg.sender, offered=account)


@external
def take_fees():
    """
    @notice Takes each place that is offered to the caller.
    """
    assert (
        msg.sender == self.creator_offered or msg.sender == self.treasury_offered
    ), "agent_token: nothing is offered to the caller"
    if msg.sender == self.creator_offered:
        log ReceiverChanged(former=self.creator, current=msg.sender)
        self.creator = msg.sender
        self.creator_offered = empty(address)
    if msg.sender == self.treasury_offered:
        log ReceiverChanged(former=self.treasury, current=msg.sender)
        self.treasury = msg.sender
        self.treasury_offered = empty(address)


@internal
def _buy(usdc_in: uint256, min_tokens: uint256, deadline: uint256, receiver: address) -> uint256:
    assert block.timestamp <= deadline, "agent_token: the deadline is over"
    tokens: uint256 = 0
    fee: uint256 = 0
    left: uint256 = 0
    tokens, fee, left = self._bought(usdc_in)
    assert tokens >= min_tokens, "agent_token: fewer tokens than the least that was asked for"
    self.reserve += usdc_in - fee
    self._share(fee)
    erc20._mint(receiver, tokens)
    log Bought(buyer=msg.sender, receiver=receiver, usdc=usdc_in, tokens=tokens, fee=fee, left=left)
    assert extcall IERC20(USDC).transferFrom(
        msg.sender, self, usdc_in, default_return_value=True
    ), "agent_token: USDC was not paid"
    return tokens


@internal
@view
def _sniper_bps() -> uint256:
    age: uint256 = block.timestamp - LAUNCHED_AT
    if age >= SNIPER_S:
        return 0
    return START_BPS * (SNIPER_S - age) // SNIPER_S


@internal
@view
def _bought(usdc_in: uint256) -> (uint256, uint256, uint256):
    """
    @dev (tokens, fee, what stays on the curve). What stays is added after the trade, so it does not move its price.
    """
    assert usdc_in <= MAX_USDC, "agent_token: more than 2 ** 96 micros in one trade"
    fee: uint256 = self._fee(usdc_in)
    left: uint256 = usdc_in * self._sniper_bps() // 10_000
    assert fee + left < usdc_in, "agent_token: too little to trade"
    paid: uint256 = usdc_in - fee - left
    tokens: uint256 = (SUPPLY - erc20.totalSupply) * paid // (VIRTUAL + self.reserve + paid)
    assert tokens != 0, "agent_token: too little to trade"
    return tokens, fee, left


@internal
@view
def _sold(tokens_in: uint256) -> (uint256, uint256):
    """
    @dev (micros after the fee, fee).
    """
    assert tokens_in <= erc20.totalSupply, "agent_token: more tokens than there are"
    gross: uint256 = (VIRTUAL + self.reserve) * tokens_in // (SUPPLY - erc20.totalSupply + tokens_in)
    fee: uint256 = self._fee(gross)
    assert gross > fee, "agent_token: too little to trade"
    return gross - fee, fee


@internal
@pure
def _fee(micros: uint256) -> uint256:
    return (micros * FEE_BPS + 9_999) // 10_000


@internal
def _share(fee: uint256):
    half: uint256 = fee // 2
    self.creator_fees += half
    self.treasury_fees += fee - half
