# pragma version ==0.4.3
# SPDX-License-Identifier: AGPL-3.0-only
# pragma nonreentrancy on
"""
@title The tokens of agents
@license GNU Affero General Public License v3.0 only
@author The authors of Agon
@notice Launches the token of an agent for its owner, at most one for each, and says which token is whose: a token that is not
        named here is somebody else's with the same name. It has no roles and holds nothing; once a token is launched, it has
        no say in it.
"""


from ethereum.ercs import IERC721


# @dev What tokens are bought with, the registry of agents, what each token is made from (ERC-5202), who gets half of the fees.
USDC: public(immutable(address))
AGENTS: public(immutable(address))
BLUEPRINT: public(immutable(address))
TREASURY: public(immutable(address))


# @dev An agent's token, zero if it has none; a token's agent, zero if it was not launched here.
token_of: public(HashMap[uint256, address])
agent_of: public(HashMap[address, uint256])


event Launched:
    agent_id: indexed(uint256)
    token: indexed(address)
    creator: indexed(address)
    name: String[25]
    symbol: String[5]
    virtual_reserve: uint256


@deploy
def __init__(usdc: address, agents: address, blueprint: address, treasury: address):
    """
    @param usdc What tokens are bought with.
    @param agents The registry of agents, an ERC-721 whose ids begin with 1.
    @param blueprint The code of `agent_token`, behind the three bytes of ERC-5202.
    @param treasury Receives half of each token's fees.
    """
    assert usdc.is_contract and agents.is_contract and blueprint.is_contract, "agent_tokens: an address is no contract"
    assert treasury != empty(address), "agent_tokens: the treasury is the zero address"
    USDC = usdc
    AGENTS = agents
    BLUEPRINT = blueprint
    TREASURY = treasury


@external
def launch(agent_id: uint256, name: String[25], symbol: String[5], virtual_reserve: uint256) -> address:
    """
    @notice Launches the token of the caller's agent. The caller becomes its creator, and remains it when the agent changes hands.
    @param agent_id The agent.
    @param name The token's name.
    @param symbol Its symbol.
    @param virtual_reserve In micros, see `agent_token`.
    @return address The token.
    """
    assert staticcall IERC721(AGENTS).ownerOf(agent_id) == msg.sender, "agent_tokens: caller does not own the agent"
    assert self.token_of[agent_id] == empty(address), "agent_tokens: the agent has a token"
    token: address = create_from_blueprint(
        BLUEPRINT, USDC, agent_id, name, symbol, msg.sender, TREASURY, virtual_reserve
    )
    self.token_of[agent_id] = token
    self.agent_of[token] = agent_id
    log Launched(
        agent_id=agent_id, token=token, creator=msg.sender, name=name, symbol=symbol, virtual_reserve=virtual_reserve
    )
    return token
