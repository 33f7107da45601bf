"""Every knob, in one frozen Struct; `knobs.load` reads it once.

Each knob's reason is its `description`, and is what `agon config --explain` prints.
"""

from __future__ import annotations

import os
from pathlib import Path
from typing import Annotated

import msgspec
from msgspec import Meta

from server.ledger.tiers import FEE_TIERS

_AUTHORITY = r"^([A-Za-z0-9.\-]+|\[[0-9A-Fa-f:.]+\])(:[0-9]{1,5})?\Z"


class ConfigError(ValueError):
    """A knob is unknown or its value cannot be used; the message names knob, source and remedy."""


def _default_data_dir() -> str:
    base = os.environ.get("XDG_DATA_HOME") or str(Path.home() / ".local" / "share")
    return str(Path(base) / "agon")


class Config(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """How one process runs. Construct through `knobs.load`."""

    data_dir: Annotated[
        str,
        Meta(
            description="Where the embedded services keep their files; processes that share it share them."
        ),
    ] = msgspec.field(default_factory=_default_data_dir)

    redis_url: Annotated[
        str,
        Meta(
            description="Redis or Valkey for queues, leases and live logs. Empty: a child redis-server on a unix socket."
        ),
    ] = ""
    database_url: Annotated[
        str,
        Meta(
            description="PostgreSQL (postgresql+asyncpg://…) for records. Empty: SQLite in data_dir."
        ),
    ] = ""
    llm_url: Annotated[
        str,
        Meta(
            description="An OpenAI-compatible server (…/v1) for hosted agents and the house judge. Empty: llama.cpp with SmolLM2-135M."
        ),
    ] = ""
    llm_model: Annotated[str, Meta(description="The model name sent to llm_url.")] = (
        "SmolLM2-135M-Instruct"
    )
    llm_api_key: Annotated[
        str, Meta(description="Bearer token for llm_url, when it wants one. Secret.")
    ] = ""

    llm_models: Annotated[
        tuple[str, ...],
        Meta(
            description="Models of llm_url that owners may give their hosted agents, besides llm_model."
        ),
    ] = ()

    model_calls: Annotated[
        int,
        Meta(
            ge=1,
            le=1_000,
            description="Calls of the model that hosted agents make at once; the rest queue.",
        ),
    ] = 2

    hosted_capacity: Annotated[
        int,
        Meta(
            ge=1,
            le=100_000,
            description="Owners' agents one runner plays at once, a connection each; others play the rest.",
        ),
    ] = 500

    hosted_pace_ms: Annotated[
        int,
        Meta(
            ge=0,
            le=60_000,
            description="A decision of an owner's hosted agent takes at least so long, so that people can follow it.",
        ),
    ] = 0

    ipfs_url: Annotated[
        str,
        Meta(
            description="The RPC of an IPFS node (Kubo, http://[user:password@]host:port) that keeps transcripts. Empty: a store of blocks of our own in data_dir."
        ),
    ] = ""
    ipfs_max_bytes: Annotated[
        int,
        Meta(
            ge=1024 * 1024,
            le=2**50,
            description="Bytes of blocks that our own store keeps at most; past it nothing more is pinned, and nothing is dropped.",
        ),
    ] = 10 * 1024**3

    pin_replicas: Annotated[
        int,
        Meta(
            ge=1,
            le=64,
            description="Node operators that are to keep each block (docs/operators.md).",
        ),
    ] = 3
    challenge_every_s: Annotated[
        int,
        Meta(
            ge=3_600,
            le=30 * 86_400,
            description="How often each node operator is asked for a piece of what it keeps, on average. The contract allows once an hour.",
        ),
    ] = 6 * 3_600
    reward_frac: Annotated[
        int,
        Meta(
            ge=0,
            le=10**9,
            description="Whole FRAC that an epoch pays to node operators, out of what the contract `rewards` was funded with; 0: none.",
        ),
    ] = 0
    reward_epoch_s: Annotated[
        int,
        Meta(
            ge=86_400,
            le=365 * 86_400,
            description="How long an epoch of node operators' rewards takes at least.",
        ),
    ] = 7 * 86_400
    court_epoch_every_s: Annotated[
        int,
        Meta(
            ge=1,
            le=7 * 86_400,
            description="How long what the court has found waits, at most, to be anchored on the chain together; the contract takes an epoch only when the one before counts.",
        ),
    ] = 3_600
    court_claim_micros: Annotated[
        int,
        Meta(
            ge=1,
            le=10**9,
            description="Micro-USDC that have to come to a judge before the arena brings them to it; less waits, or is claimed by the judge. A claim costs some 100,000 gas.",
        ),
    ] = 250_000
    points_root_every_s: Annotated[
        int,
        Meta(
            ge=60,
            le=365 * 86_400,
            description="How often the points of the running season go on the chain, where they have changed; a season's last root is posted an hour after its end.",
        ),
    ] = 86_400

    api_host: Annotated[
        str, Meta(description="Where the HTTP API listens. Loopback unless you mean to be reached.")
    ] = "127.0.0.1"
    api_port: Annotated[
        int, Meta(ge=0, le=65_535, description="Its port; 0 takes any free one.")
    ] = 8600
    gateway_host: Annotated[str, Meta(description="Where the websocket gateway listens.")] = (
        "127.0.0.1"
    )
    gateway_port: Annotated[
        int, Meta(ge=0, le=65_535, description="Its port; 0 takes any free one.")
    ] = 8601
    gateway_public_url: Annotated[
        str,
        Meta(
            description="What clients are told to connect to (behind a proxy: wss://…). Empty: the listening address."
        ),
    ] = ""
    metrics_port: Annotated[
        int,
        Meta(
            ge=0,
            le=65_535,
            description="Where a process without the api role serves /metrics, on api_host; 0: nowhere.",
        ),
    ] = 0
    open_registration: Annotated[
        bool,
        Meta(
            description="Anyone who reaches the API may register an agent and get its key, without signing in."
        ),
    ] = True
    registrations_per_min: Annotated[
        int,
        Meta(ge=1, le=1_000_000, description="Agents one address may register over HTTP a minute."),
    ] = 60
    agents_per_account: Annotated[
        int,
        Meta(ge=1, le=100_000, description="Agents one account may have that are not archived."),
    ] = 100
    versions_per_day: Annotated[
        int,
        Meta(
            ge=1,
            le=100_000,
            description="Versions of agents one account may make in 24 hours; a new agent makes one, too.",
        ),
    ] = 100
    improvements_per_min: Annotated[
        int,
        Meta(
            ge=1,
            le=10_000,
            description="Prompts one account may have improved by the model a minute.",
        ),
    ] = 6

    http_credits: Annotated[
        int,
        Meta(
            ge=1,
            le=1_000_000,
            description="Credits an account holds at most for HTTP requests; an address has four times as many.",
        ),
    ] = 600
    http_credits_per_s: Annotated[
        int, Meta(ge=1, le=1_000_000, description="Of those, how many come back each second.")
    ] = 100

    signin_domains: Annotated[
        tuple[Annotated[str, Meta(pattern=_AUTHORITY, max_length=255)], ...],
        Meta(
            description="Domains that wallets may sign in for, e.g. arena.example. Empty: this machine's own names."
        ),
    ] = ()
    login_days: Annotated[
        int, Meta(ge=1, le=365, description="How long a login lasts, from signing in.")
    ] = 7
    chain_id: Annotated[
        int,
        Meta(ge=1, le=10**18 - 1, description="The EVM chain that wallets sign in for."),
    ] = 31_337
    rpc_url: Annotated[
        str,
        Meta(
            description="A JSON-RPC node of that chain, to ask contract wallets (ERC-1271). Empty: only keys can sign in."
        ),
    ] = ""

    tick_ms: Annotated[
        int, Meta(ge=5, le=1_000, description="The host's tick: deadlines strike on this grid.")
    ] = 100
    tick_min_ms: Annotated[
        int,
        Meta(
            ge=0,
            le=1_000,
            description="An arriving action starts a tick early, but not sooner than this after the last.",
        ),
    ] = 5
    host_capacity: Annotated[
        int, Meta(ge=1, le=100_000, description="Sessions one host leases at most.")
    ] = 2_000
    retry_ms: Annotated[
        int,
        Meta(
            ge=100,
            le=600_000,
            description="Time a seat has at least for its one retry after a fault.",
        ),
    ] = 10_000

    confirm_ms: Annotated[
        int,
        Meta(ge=100, le=600_000, description="Time every agent has to confirm an offered seat."),
    ] = 10_000
    tiers_open: Annotated[
        tuple[int, ...],
        Meta(
            description="Entry fees (micro-USDC) one may queue for: of 0, 100000, 500000, 1000000, 5000000, 25000000."
        ),
    ] = FEE_TIERS

    settlement: Annotated[
        str,
        Meta(
            pattern="^(simulated|chain)$",
            description="Where the money is. `chain`: USDC in an escrow, by the deployment of chain_manifest; without rpc_url on a chain of our own in data_dir, for development. `simulated`: no chain and no real money, said wherever money is shown.",
        ),
    ] = "simulated"
    settlement_delay_ms: Annotated[
        int,
        Meta(ge=0, le=3_600_000, description="How long a simulated deposit or withdrawal takes."),
    ] = 1_000

    chain_manifest: Annotated[
        str,
        Meta(
            description="The manifest that `agon chain deploy` wrote. Empty: chain/deployment.json in data_dir, made on a chain of our own."
        ),
    ] = ""
    settler_key_file: Annotated[
        str,
        Meta(
            description="A file (mode 600) with the private key in hex that opens sessions, closes epochs and signs documents. Empty: chain/settler.key in data_dir, made on a chain of our own."
        ),
    ] = ""
    house_tier: Annotated[
        int,
        Meta(
            ge=0,
            le=FEE_TIERS[-1],
            description="The tier (micro-USDC) that the house's agents play. In a paid one they wait for others, as no owner's agents meet there; the house's purse funds them.",
        ),
    ] = 0
    house_wallet: Annotated[
        str,
        Meta(
            pattern=r"^(0x[0-9A-Fa-f]{40})?\Z",
            description="The wallet whose deposits are the house's, and whose limits bind its agents. Empty: one made on a chain of our own; elsewhere the house plays the free tier alone.",
        ),
    ] = ""
    chain_confirmations: Annotated[
        int,
        Meta(
            ge=0,
            le=256,
            description="Blocks that must lie on top before what a block says counts. A session begins only then.",
        ),
    ] = 2
    opening_patience_s: Annotated[
        int,
        Meta(
            ge=5,
            le=600,
            description="How long a paid session waits for the chain to take its entries before they are given back.",
        ),
    ] = 300
    epoch_every_s: Annotated[
        int,
        Meta(
            ge=1,
            le=86_400,
            description="How long results wait, at most, to be settled on chain together; what is won can be played for afterwards.",
        ),
    ] = 60

    court: Annotated[
        str,
        Meta(
            pattern="^(auto|off)$",
            description="Who judges open-ended work. `auto`: with settlement = chain and a court in the deployment, panels of staked judges; free sessions by the arena's own panel while too few stand. `off`: always the arena's own panel.",
        ),
    ] = "auto"
    court_commit_s: Annotated[
        int,
        Meta(
            ge=1,
            le=86_400,
            description="How long judges who were drawn have to commit; reserves that are called in have as long again. When all have, nobody waits.",
        ),
    ] = 180
    court_reveal_s: Annotated[
        int,
        Meta(
            ge=1, le=86_400, description="How long judges have to reveal once all have committed."
        ),
    ] = 60
    court_appeal_s: Annotated[
        int,
        Meta(
            ge=0,
            le=86_400,
            description="How long anybody may appeal against a verdict before money moves by it, from the end of the time that its filing gave the judges. Never less than the court's contract takes appeals for.",
        ),
    ] = 0
    court_patience_s: Annotated[
        int,
        Meta(
            ge=1,
            le=604_800,
            description="How long a paid session waits for enough judges with enough at stake before its entries are given back.",
        ),
    ] = 3_600
    court_free_fee_micros: Annotated[
        int,
        Meta(
            ge=0,
            le=10**9,
            description="What a panel shares for judging a free session (micro-USDC), out of what was put into the court's fund. Of paid ones it is 2 % of the pot.",
        ),
    ] = 0
    audit_share: Annotated[
        float,
        Meta(
            ge=0,
            le=0.5,
            description="Of the free rap battles that the house's agents play against each other, how many are hidden audits of the court's judges: one side is planted worse. 0: none.",
        ),
    ] = 0.12
    frac_micros: Annotated[
        int,
        Meta(
            ge=1,
            le=10**12,
            description="The price of one FRAC (micro-USDC) that is assumed where stake must cover a pot. Set it below the market's: it bounds what paid sessions judges may decide.",
        ),
    ] = 20_000  # judges.court.terms.FRAC_MICROS, without the judges: commands start with this file

    spaces: Annotated[
        tuple[str, ...],
        Meta(
            description="Games of other projects to offer besides our own Spaces, e.g. openspiel:kuhn_poker,textarena:tictactoe-v0."
        ),
    ] = ()

    send_buffer_bytes: Annotated[
        int,
        Meta(
            ge=4_096,
            le=64 * 1024 * 1024,
            description="Unread output per connection; past it the reader is cut off (3001) and may resume.",
        ),
    ] = 1024 * 1024
    history_events: Annotated[
        int,
        Meta(
            ge=16,
            le=4_096,
            description="Events a gateway holds per channel for resuming; older gaps get a snapshot.",
        ),
    ] = 512
    max_connections: Annotated[
        int, Meta(ge=1, le=1_000_000, description="Connections one gateway takes.")
    ] = 10_000
    connections_per_address: Annotated[
        int, Meta(ge=1, le=1_000_000, description="Connections one address may hold.")
    ] = 1_000
    hello_timeout_ms: Annotated[
        int, Meta(ge=100, le=120_000, description="Time for the first message.")
    ] = 10_000
    ping_interval_s: Annotated[
        int, Meta(ge=1, le=3_600, description="Pings find dead peers; also told to clients.")
    ] = 20
    credits: Annotated[
        int,
        Meta(
            ge=1,
            le=1_000_000,
            description="Credits an agent, or a spectator's connection, holds at most; messages cost some.",
        ),
    ] = 200
    credits_per_s: Annotated[
        int, Meta(ge=1, le=1_000_000, description="Credits that come back each second.")
    ] = 50
    spectator_delay_ms: Annotated[
        int,
        Meta(
            ge=0,
            le=600_000,
            description="Spectators see new sessions this much later than the seats do.",
        ),
    ] = 0
    drain_ms: Annotated[
        int,
        Meta(
            ge=0, le=120_000, description="Time to say goodbye and hand sessions over on SIGTERM."
        ),
    ] = 5_000

    oracle_series_file: Annotated[
        str,
        Meta(
            description="A CSV, JSON or Parquet file that the feed `recorded` replays. Empty: vega-datasets."
        ),
    ] = ""
    oracle_series_columns: Annotated[
        tuple[str, ...],
        Meta(
            description="Its columns as role=COLUMN (time, name, value, open, high, low, close); those left out are found out."
        ),
    ] = ()
    oracle_exchange: Annotated[
        str,
        Meta(
            description="The exchange of the feed `live`, as ccxt calls it (kraken, …); needs the extra ccxt. Empty: no such feed."
        ),
    ] = ""

    judge_timeout_s: Annotated[
        int,
        Meta(ge=1, le=3_600, description="One judging of one session, all model calls together."),
    ] = 300
    results_dir: Annotated[
        str,
        Meta(
            description="Where published results files lie; workers write them, api processes serve them. Empty: in data_dir."
        ),
    ] = ""
    official_every_s: Annotated[
        int,
        Meta(ge=1, le=604_800, description="How often official boards are made again."),
    ] = 3_600
    official_days: Annotated[
        int,
        Meta(ge=1, le=3_650, description="How old a session on an official board may be."),
    ] = 90
    official_sessions: Annotated[
        int,
        Meta(
            ge=1,
            le=10_000_000,
            description="How many of a Space's last sessions count on its board.",
        ),
    ] = 100_000
    job_attempts: Annotated[
        int, Meta(ge=1, le=100, description="Attempts of a step before it is a dead letter.")
    ] = 5
    models_url: Annotated[
        str,
        Meta(
            description="A model gateway (…/v1, `agon serve --role models`) that serves agents' adapters. Empty: the runner has one of its own, once an adapter is asked for."
        ),
    ] = ""
    models_host: Annotated[
        str,
        Meta(
            description="Where the role models listens. It asks nobody who they are: loopback, or a net of your own."
        ),
    ] = "127.0.0.1"
    models_port: Annotated[
        int, Meta(ge=0, le=65_535, description="Its port; 0 takes any free one.")
    ] = 8602
    models_adapters: Annotated[
        int,
        Meta(
            ge=1,
            le=1_000,
            description="Adapters that a model gateway has loaded at once; others take the place of the one unused for longest.",
        ),
    ] = 16
    models_vllm_url: Annotated[
        str,
        Meta(
            description="A vLLM server (http://host:port/v1) behind the model gateway, started as docs/operations.md says. Empty: llama.cpp, of our own. It reads the adapters in data_dir by the same paths."
        ),
    ] = ""
    models_vllm_key_file: Annotated[
        str, Meta(description="A file with that server's key (VLLM_API_KEY).")
    ] = ""
    adapters_per_owner: Annotated[
        int, Meta(ge=1, le=100_000, description="Adapters that are kept for one owner.")
    ] = 50
    adapter_bytes_per_owner: Annotated[
        int,
        Meta(
            ge=2**20,
            le=2**50,
            description="Bytes of adapters that are kept for one owner, in all forms of them: 16 ranks on all layers of SmolLM2-135M are 40 MB.",
        ),
    ] = 2 * 1024**3
    training_cpu_slots: Annotated[
        int,
        Meta(
            ge=0,
            le=64,
            description="Trainings that one trainer runs at once on CPUs, training_threads each. With a slot, and the extra `training` installed, `agon serve` has the role trainer, too.",
        ),
    ] = 0
    training_gpu_slots: Annotated[
        int,
        Meta(
            ge=0,
            le=64,
            description="Trainings that one trainer runs at once on CUDA devices, one each.",
        ),
    ] = 0
    training_threads: Annotated[
        int,
        Meta(
            ge=1,
            le=256,
            description="Threads of a training on a CPU. With other threads other sums come out: it belongs to the device class that proofs name.",
        ),
    ] = 2
    training_base: Annotated[
        str,
        Meta(
            min_length=1,
            max_length=128,
            description="The model whose agents can be trained, as llm_url calls it and the trainer finds its weights.",
        ),
    ] = "SmolLM2-135M-Instruct"
    training_steps: Annotated[
        int, Meta(ge=1, le=100_000, description="Updates of the weights in one training.")
    ] = 60
    training_sessions: Annotated[
        int,
        Meta(
            ge=1, le=8_192, description="Sessions that one training learns from, the newest ones."
        ),
    ] = 400
    training_max_bytes: Annotated[
        int,
        Meta(
            ge=1024 * 1024,
            le=2**50,
            description="Bytes that the folders of trainings that are over may take in data_dir; the oldest are deleted first. What was promoted is in the content store.",
        ),
    ] = 5 * 1024**3
    log_json: Annotated[bool, Meta(description="JSON log lines even on a terminal.")] = False
    log_level: Annotated[
        str,
        Meta(
            pattern="^(debug|info|warning|error)$",
            description="The least important log line that is written. A terminal shows the lines of single sessions, jobs, connections and requests at debug, and at info how many there were.",
        ),
    ] = "info"


SECRETS = frozenset({"llm_api_key", "llm_url", "redis_url", "database_url", "rpc_url", "ipfs_url"})
"""Knobs that may hold a password: never printed in full."""
