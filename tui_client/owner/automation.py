"""An agent's automation: its limits as a form, its state, what it can lose at most. Pure."""

from __future__ import annotations

from typing import Any, ClassVar

import msgspec

from tui_client.owner import arena, form
from tui_client.owner.amounts import micros_of, money, written
from tui_client.owner.answers import Limits, OwnAgents, SpaceCard, SpaceList
from tui_client.owner.calls import Problem, Read
from tui_client.owner.form import Form, Option
from tui_client.owner.hours import ALWAYS, EXAMPLE, NoSchedule, schedule_of, text_of
from tui_client.owner.page import Keys, Known, Page, Step
from tui_client.owner.troubles import field_of
from tui_client.text import clean
from tui_client.words import space_title

replace = msgspec.structs.replace


SAVE, SAVE_ON, ON, OFF = "save", "save, then on", "on", "off"
_DONE = {
    SAVE: "saved: these limits hold from now on",
    ON: "on: it plays by itself within these limits",
    OFF: "off: it enters nothing more, what is open is played to its end",
}


class AutomationPage(Page, frozen=True):
    view: ClassVar[str] = "automation"
    agent: str
    form: Form = Form()
    """Empty until the limits that hold have arrived."""
    saved: Form = Form()
    """As the server has it."""
    sent: Form = Form()
    """As it was sent, while that is being saved."""
    doing: str = ""
    """What was ordered: SAVE, SAVE_ON (then it is turned on), ON or OFF."""
    leaving: bool = False
    """`esc` was pressed once, with something unsaved."""

    @property
    def name(self) -> str:
        return "AUTOMATION"

    def subject(self, known: Known) -> str:
        return arena.name_of(known, self.agent)

    @property
    def typing(self) -> bool:
        return self.form.typing

    def reads(self, known: Known) -> list[Read]:
        return [arena.automation(self.agent), arena.own_agents(), arena.spaces(), arena.fees()]

    def learnt(self, known: Known) -> AutomationPage:
        """The form is filled in once, when everything for it is there."""
        automation = arena.automation_of(known, self.agent)
        offered = known.value(arena.spaces().path, SpaceList)
        if self.form.fields or offered is None or automation is None:
            return self
        filled = filled_in(automation.limits, offered.spaces, self._plays(known))
        return replace(self, form=filled, saved=filled)

    def _plays(self, known: Known) -> tuple[str, ...]:
        """The Spaces that the agent plays here; empty while that is not known."""
        own = known.value(arena.OWN_AGENTS, OwnAgents)
        agent = own.get(self.agent) if own is not None else None
        return agent.spaces if agent is not None else ()

    def pasted(self, known: Known, words: str) -> Step:
        return Step(replace(self, form=form.paste(self.form, words), leaving=False))

    def pressed(self, known: Known, key: str, character: str | None) -> Step:
        page = replace(self, leaving=False)
        match key:
            case "escape" if self.changed and not self.leaving:
                words = "not saved: esc again leaves it, ctrl+s saves it"
                return Step(replace(self, leaving=True), notice=words)
            case "escape":
                return Step(self)  # the desk leaves it
            case "ctrl+s":
                return page._save(known, SAVE)
            case "ctrl+o":
                return page._switched(known)
            case _:
                return Step(replace(page, form=form.key(page.form, key, character, 0)))

    @property
    def changed(self) -> bool:
        return form.changed(self.form, self.saved)

    def _save(self, known: Known, doing: str) -> Step:
        if known.busy or not self.form.fields:
            return Step(self)
        cleared = with_all(form.without_troubles(self.form), self._plays(known))
        limits = limits_of(cleared)
        if isinstance(limits, Form):
            return Step(replace(self, form=limits))
        page = replace(self, form=cleared, sent=cleared, doing=doing)
        return Step(page, wish=arena.set_limits(self.agent, limits))

    def _switched(self, known: Known) -> Step:
        """Off at once; on with what stands in the form, so it is saved first where it was changed."""
        automation = arena.automation_of(known, self.agent)
        if known.busy or automation is None or not self.form.fields:
            return Step(self)
        if automation.on:
            return Step(replace(self, doing=OFF), wish=arena.switch(self.agent, on=False))
        if not automation.set or self.changed:
            return self._save(known, SAVE_ON)
        return Step(replace(self, doing=ON), wish=arena.switch(self.agent, on=True))

    def answered(self, known: Known, value: Any) -> Step:
        """What was written while it was being saved is not saved."""
        page = replace(self, saved=self.sent) if self.doing in (SAVE, SAVE_ON) else self
        if self.doing == SAVE_ON:
            return Step(replace(page, doing=ON), wish=arena.switch(self.agent, on=True))
        return Step(replace(page, doing=""), notice=_DONE.get(self.doing, ""))

    def refused(self, known: Known, problem: Problem) -> Step:
        page = replace(self, doing="")
        name = field_of(problem, tuple(field.name for field in self.form.fields))
        if name is None:
            return Step(page)
        told = form.with_trouble(self.form, name, clean(problem.detail, 200))
        return Step(replace(page, form=told))

    def keys(self, known: Known) -> Keys:
        automation = arena.automation_of(known, self.agent)
        on = automation is not None and automation.on
        return (
            ("ctrl+s", "save"),
            ("ctrl+o", "turn off" if on else "turn on"),
            ("↑↓", "field"),
            *choosing(self.form),
        )


def choosing(filled: Form) -> Keys:
    """The keys of a field with options."""
    if filled.typing or not filled.fields:
        return ()
    space = (("space", "yes or no"),) if filled.field.kind is form.Kind.SOME else ()
    return (("←→", "choose"), *space)


def filled_in(limits: Limits, offered: tuple[SpaceCard, ...], plays: tuple[str, ...] = ()) -> Form:
    """The form with the limits that hold, or with careful ones where none were set: then for what the
    agent plays, where that is not everything."""
    everything = len(plays) == len(offered)
    fresh = not limits.spaces
    # What is not offered any more is shown all the same: it holds until it is changed.
    tiers = {limits.tier_micros} | {tier for space in offered for tier in space.tiers_micros}
    options = tuple(Option(str(tier), tier_name(tier)) for tier in sorted(tiers))
    names = dict.fromkeys((*(space.id for space in offered), *limits.spaces))
    contests = tuple(Option(name, space_title(name)) for name in names)
    entry = entry_micros(limits.tier_micros)
    spaces = plays if fresh and not everything else limits.spaces
    loss = 10 * entry if fresh else limits.stop_loss_micros
    return Form(
        (
            form.one("tier_micros", "tier", options, str(limits.tier_micros),
                     hint="what an entry costs; it queues here"),
            form.some("spaces", "Spaces", contests, spaces,
                      nothing="none ticked: it queues for all that it plays"),
            form.line("max_sessions", "sessions", str(10 if fresh else limits.max_sessions),
                      hint="at most, before it stops"),
            form.line("max_parallel", "at once", str(limits.max_parallel),
                      hint="entries that are open at the same time"),
            form.line("stop_loss_micros", "stop-loss", written(loss),
                      hint="it never loses more than this in a run"),
            form.line("take_profit_micros", "take-profit", written(limits.take_profit_micros),
                      hint="it stops once it has won this; empty: it does not"),
            form.line("schedule", "hours", text_of(limits.schedule) if limits.schedule else ALWAYS,
                      hint=f"UTC, e.g. {EXAMPLE}"),
        )
    )  # fmt: skip


def with_all(filled: Form, plays: tuple[str, ...]) -> Form:
    """None ticked are all that the agent plays, as in the agent's own form; the server wants them named."""
    spaces = filled["spaces"]
    if spaces.chosen:
        return filled
    chosen = tuple(option.value for option in spaces.options if option.value in plays)
    return form.with_field(filled, replace(spaces, chosen=chosen))


def limits_of(filled: Form) -> dict[str, Any] | Form:
    """What is sent, or the form with what cannot be read."""
    troubled = filled
    numbers: dict[str, Any] = {}
    for name in ("max_sessions", "max_parallel"):
        text = filled[name].text.strip()
        if not text.isdecimal() or not text.isascii():
            troubled = form.with_trouble(troubled, name, f"{text!r} is no whole number")
        else:
            numbers[name] = int(text[:9])
    for name in ("stop_loss_micros", "take_profit_micros"):
        text = filled[name].text.strip()
        numbers[name] = micros_of(text)
        if numbers[name] is None and (text or name == "stop_loss_micros"):
            troubled = form.with_trouble(troubled, name, f"{text!r} is no amount: write e.g. 5.00")
    try:
        numbers["schedule"] = schedule_of(filled["schedule"].text)
    except NoSchedule as error:
        troubled = form.with_trouble(troubled, "schedule", str(error))
    if not filled["spaces"].chosen:
        troubled = form.with_trouble(troubled, "spaces", "tick one at least, with the space bar")
    if troubled != filled:
        return troubled
    tier = int(filled["tier_micros"].value or 0)
    return {"tier_micros": tier, "spaces": list(filled["spaces"].chosen), **numbers}


PLAY_ENTRY_MICROS = 1_000_000


def entry_micros(tier_micros: int) -> int:
    """What an entry of a tier costs, in its asset."""
    return tier_micros or PLAY_ENTRY_MICROS


def asset_of(tier_micros: int) -> str:
    return "usdc" if tier_micros else "play"


def tier_name(tier_micros: int) -> str:
    return money(tier_micros, "usdc") if tier_micros else "free"


class Risk(msgspec.Struct, frozen=True):
    """What the limits in a form let it lose."""

    asset: str
    at_once_micros: int
    """The entries that may be open together."""
    in_all_micros: int
    """Of one run: the stop-loss, or all its entries where these are less."""


def risk(filled: Form) -> Risk | None:
    """None while something in the form cannot be read."""
    if not filled.fields:
        return None
    sessions, parallel = filled["max_sessions"].text.strip(), filled["max_parallel"].text.strip()
    loss = micros_of(filled["stop_loss_micros"].text)
    if loss is None or not all(
        text.isascii() and text.isdecimal() for text in (sessions, parallel)
    ):
        return None
    tier = int(filled["tier_micros"].value or 0)
    entry = entry_micros(tier)
    in_all = min(loss, int(sessions[:9]) * entry)
    return Risk(asset_of(tier), min(int(parallel[:9]) * entry, in_all), in_all)
