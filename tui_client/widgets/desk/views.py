"""The desk's widgets, for the app to mount: two lines above, and a view for each page."""

from __future__ import annotations

from textual.containers import Horizontal, Vertical

from tui_client.widgets.desk.agents import AgentsPane, CardPane
from tui_client.widgets.desk.automation import LimitsPane, PayoutsPane, RunPane
from tui_client.widgets.desk.compare import ComparePane
from tui_client.widgets.desk.dashboard import PlotsPane, StandingPane
from tui_client.widgets.desk.edit import EditPane
from tui_client.widgets.desk.history import HistoryPane
from tui_client.widgets.desk.key import KeyPane
from tui_client.widgets.desk.lineage import LineagePane
from tui_client.widgets.desk.money import CrossingsPane, PursesPane, StatementPane
from tui_client.widgets.desk.signin import SignInPane
from tui_client.widgets.desk.title import DeskTitlePane
from tui_client.widgets.desk.training_gate import TrainingGatePane
from tui_client.widgets.desk.training_job import TrainingJobPane
from tui_client.widgets.desk.training_spaces import TrainingSpacesPane
from tui_client.widgets.desk.training_versions import TrainingVersionsPane


def desk_panes() -> Vertical:
    return Vertical(
        DeskTitlePane(),
        SignInPane(id="sign-in", classes="view"),
        Horizontal(AgentsPane(), CardPane(classes="aside"), id="agents", classes="view"),
        EditPane(id="edit", classes="view"),
        KeyPane(id="key", classes="view"),
        Horizontal(
            LimitsPane(),
            Vertical(RunPane(), PayoutsPane(), classes="aside"),
            id="automation",
            classes="view",
        ),
        Vertical(
            Horizontal(PursesPane(), CrossingsPane(classes="aside"), id="purses"),
            StatementPane(),
            id="money",
            classes="view",
        ),
        Vertical(
            Horizontal(StandingPane(classes="aside"), PlotsPane(), id="standing"),
            Horizontal(HistoryPane(), LineagePane(classes="aside"), id="past"),
            id="dashboard",
            classes="view",
        ),
        Vertical(
            Horizontal(TrainingSpacesPane(classes="aside"), TrainingJobPane(), id="training-now"),
            Horizontal(TrainingGatePane(), TrainingVersionsPane(), id="training-came"),
            id="training",
            classes="view",
        ),
        ComparePane(id="compare", classes="view"),
        id="desk",
        classes="view",
    )
