"""The owner's money: purses, what is on its way in or out, the last lines of a purse, and moving it. Pure."""

from __future__ import annotations

from typing import Any, ClassVar

import msgspec

from tui_client.owner import arena, form
from tui_client.owner.amounts import micros_of, money
from tui_client.owner.answers import Balance, Balances, Crossing, OwnAgents
from tui_client.owner.calls import Problem, Read
from tui_client.owner.form import Form, Option
from tui_client.owner.page import STEPS, Keys, Known, Page, Step, Wish, moved
from tui_client.text import clean
from tui_client.words import NAME_LIMIT

replace = msgspec.structs.replace

OWNER = "owner"
FUND, BACK, DEPOSIT, WITHDRAW = "fund", "back", "deposit", "withdraw"
"""What a form on this page does."""
CODES = {"unfunded": "amount", "too-much": "amount", "bad-amount": "amount", "unknown-agent": "who"}


class MoneyPage(Page, frozen=True):
    view: ClassVar[str] = "money"
    cursor: str = ""
    """The purse, `<asset> <holder>`."""
    doing: str = ""
    """What the form does; empty: there is none."""
    form: Form = Form()

    @property
    def name(self) -> str:
        return "MONEY"

    @property
    def typing(self) -> bool:
        return bool(self.doing) and self.form.typing

    @property
    def leaves(self) -> str:
        return "not now" if self.doing else ""

    def reads(self, known: Known) -> list[Read]:
        border = arena.escrow() if on_chain(known) else arena.crossings()
        found = [arena.balances(near=True), border, arena.own_agents()]
        purse = chosen_purse(self, known)
        return found if purse is None else [*found, arena.statement(purse.holder, purse.asset)]

    # ------------------------------------------------------------------ keys

    def pasted(self, known: Known, words: str) -> Step:
        if not self.doing or known.busy:
            return Step(self)
        return Step(replace(self, form=form.paste(self.form, words)))

    def pressed(self, known: Known, key: str, character: str | None) -> Step:
        if self.doing:
            return self._filling(known, key, character)
        purse = chosen_purse(self, known)
        if key in STEPS:
            names = [name_of(each) for each in purses(known)]
            here = "" if purse is None else name_of(purse)
            return Step(replace(self, cursor=moved(names, here, STEPS[key])))
        if on_chain(known) and key in COMMANDS:
            return Step(self, notice=f"your wallet does it: {COMMANDS[key][1]}")
        opens = {"f": FUND, "t": BACK, "i": DEPOSIT, "w": WITHDRAW}.get(key)
        if opens is None or purse is None:
            return Step(self)
        return self._opened(known, opens, purse)

    def _opened(self, known: Known, doing: str, purse: Balance) -> Step:
        fields: tuple[form.Field, ...] = ()
        if doing in (FUND, BACK):
            agents = _agents(known)
            if not agents:
                return Step(
                    self, notice="there is no agent to fund: n on the page before makes one"
                )
            fields = (
                form.one("who", "agent", agents, purse.holder),
                form.one("asset", "in", ASSETS, purse.asset),
            )
        amount = form.line("amount", "amount", hint=f"e.g. 5.00; enter {VERBS[doing]} it")
        filled = Form((*fields, amount), len(fields))
        return Step(replace(self, doing=doing, form=filled))

    def _filling(self, known: Known, key: str, character: str | None) -> Step:
        if key == "escape":
            return Step(replace(self, doing="", form=Form()))
        if known.busy:
            return Step(self)  # what is on its way is what stands in the form
        if key == "ctrl+s" or (key == "enter" and self.form.field.name == "amount"):
            return self._sent(known)
        return Step(replace(self, form=form.key(self.form, key, character, 0)))

    def _sent(self, known: Known) -> Step:
        text = self.form["amount"].text.strip()
        micros = micros_of(text)
        if not micros:
            words = f"{clean(text, 20)!r} is no amount: write e.g. 5.00"
            return Step(replace(self, form=form.with_trouble(self.form, "amount", words)))
        return Step(self, wish=self._wish(micros))

    def _wish(self, micros: int) -> Wish:
        if self.doing == DEPOSIT:
            return arena.deposit(micros)
        if self.doing == WITHDRAW:
            return arena.withdraw(micros)
        agent, asset = self.form["who"].value, self.form["asset"].value
        source, to = (OWNER, agent) if self.doing == FUND else (agent, OWNER)
        return arena.transfer(source, to, micros, asset)

    # ------------------------------------------------------------------ answers

    def answered(self, known: Known, value: Any) -> Step:
        micros = micros_of(self.form["amount"].text.strip()) or 0 if self.doing else 0
        page = replace(self, doing="", form=Form())
        if isinstance(value, Crossing):
            way = "to your wallet" if value.direction == "withdrawal" else "from your wallet"
            told = f"{money(value.micros, 'usdc')} is on its way {way}"
            return Step(page, notice=told)
        asset = self.form["asset"].value if self.doing in (FUND, BACK) else ""
        return Step(page, notice=f"{money(micros, asset)} moved")

    def refused(self, known: Known, problem: Problem) -> Step:
        name = CODES.get(problem.code)
        if not self.doing or name is None or name not in self.form:
            return Step(self)
        told = clean(problem.detail, 200)
        return Step(replace(self, form=form.with_trouble(self.form, name, told)))

    def keys(self, known: Known) -> Keys:
        if self.doing:
            return (("enter", VERBS[self.doing]), ("tab", "next field"))
        border = {key: word for key, (word, _) in COMMANDS.items()}
        if not on_chain(known):
            border = {"i": "deposit", "w": "withdraw"}
        return (("f", "fund an agent"), ("t", "take back"), *border.items(), ("↑↓", "purse"))


ASSETS = (Option("play", "play money"), Option("usdc", "USDC"))
VERBS = {FUND: "funds", BACK: "takes back", DEPOSIT: "deposits", WITHDRAW: "withdraws"}


COMMANDS = {
    "i": ("deposit", "agon wallet deposit 5"),
    "w": ("withdraw", "agon wallet withdraw 5, and again after its delay"),
    "l": ("limits", "agon wallet limits --max-entry 5 --daily-cap 50"),
}
"""Keys that an escrow on a chain answers with a command: its money moves by the wallet's signature alone."""


def on_chain(known: Known) -> bool:
    return settlement(known) == "chain"


def purses(known: Known) -> tuple[Balance, ...]:
    """The owner's first, then the agents' as the arena lists them."""
    told = known.value(arena.balances().path, Balances)
    found = told.balances if told is not None else ()
    return tuple(sorted(found, key=lambda each: each.holder != OWNER))


def name_of(purse: Balance) -> str:
    return f"{purse.asset} {purse.holder}"


def chosen_purse(page: MoneyPage, known: Known) -> Balance | None:
    found = purses(known)
    return next(
        (each for each in found if name_of(each) == page.cursor), found[0] if found else None
    )


def settlement(known: Known) -> str:
    told = known.value(arena.balances().path, Balances)
    return told.settlement if told is not None else ""


def _agents(known: Known) -> tuple[Option, ...]:
    told = known.value(arena.own_agents().path, OwnAgents)
    return (
        tuple(Option(each.agent, clean(each.name, NAME_LIMIT)) for each in told.agents)
        if told
        else ()
    )
