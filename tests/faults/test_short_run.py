"""The fault benchmark in small: `make faults` is the same for longer."""

from pathlib import Path

from benchmarks.faults.checker import Fault
from benchmarks.faults.injection import Kind, Pace
from benchmarks.faults.run import Plan, run

EARLY = Path(__file__).parents[1] / "support" / "early_acknowledgement.py"
HURRY = Pace(answers=25, quiet=3.0, lasting=0.3)


async def test_what_breaks_costs_no_message_and_no_order() -> None:
    faults = {
        Kind.KILL: 3,
        Kind.CUT: 3,
        Kind.RESTART: 1,
        Kind.FREEZE: 1,
        Kind.STALL: 1,
        Kind.SLOW: 1,
        Kind.HALF_CLOSE: 1,
        Kind.CLIENT_KILL: 2,
    }
    report = await run(Plan(seed=7, faults=faults, rooms=1, writers=5, readers=2, typists=1, pace=HURRY))
    assert report.findings == []
    assert report.flawless
    assert report.words == []
    assert report.faults == faults
    assert report.acknowledged == report.said > 20
    assert report.arrived == report.kept > 0
    assert report.entries >= report.said + report.kept
    assert report.given == 2 * report.entries


async def test_a_server_that_acknowledges_before_it_commits_is_found_out() -> None:
    faults = {Kind.KILL: 2}
    report = await run(
        Plan(seed=3, faults=faults, rooms=1, writers=5, readers=1, pace=HURRY, catching_up=2.0, program=(str(EARLY),))
    )
    assert Fault.LOST in {finding.fault for finding in report.findings}
