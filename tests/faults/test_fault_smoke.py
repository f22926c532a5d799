"""Short run of the fault benchmark; `make faults` runs the full plan."""

from pathlib import Path

import pytest

from benchmarks.faults.checker import ViolationKind
from benchmarks.faults.injection import FaultKind, FaultPace
from benchmarks.faults.run import FaultPlan, run

ACK_BEFORE_COMMIT = Path(__file__).parents[1] / "support" / "ack_before_commit_server.py"
FAST_PACE = FaultPace(max_acks=25, max_wait=3.0, max_duration=0.3)

pytestmark = pytest.mark.timeout(240)  # the programs of a run may take 120 seconds to start


async def test_faults_cause_no_violation() -> None:
    faults = {
        FaultKind.KILL: 3,
        FaultKind.ABORT: 3,
        FaultKind.RESTART: 1,
        FaultKind.FREEZE: 1,
        FaultKind.STALL: 1,
        FaultKind.SLOW: 1,
        FaultKind.HALF_CLOSE: 1,
        FaultKind.CLIENT_KILL: 2,
    }
    report = await run(
        FaultPlan(seed=7, faults=faults, rooms=1, writers=5, readers=2, outbox_clients=1, pace=FAST_PACE)
    )
    assert report.violations == []
    assert report.is_flawless
    assert report.stderr_lines == []
    assert report.faults == faults
    assert report.acknowledged == report.sent > 20
    assert report.delivered == report.persisted > 0
    assert report.log_entries >= report.sent + report.persisted
    assert report.read_entries == 2 * report.log_entries


async def test_a_server_that_acknowledges_before_commit_is_detected() -> None:
    faults = {FaultKind.KILL: 2}
    report = await run(
        FaultPlan(
            seed=3,
            faults=faults,
            rooms=1,
            writers=5,
            readers=1,
            pace=FAST_PACE,
            catch_up_timeout=2.0,
            program=(str(ACK_BEFORE_COMMIT),),
        )
    )
    assert ViolationKind.LOST in {violation.kind for violation in report.violations}
