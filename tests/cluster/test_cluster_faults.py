"""Short run of the fault benchmark of several servers; `make cluster-faults` runs the full plan."""

from pathlib import Path

import pytest

from benchmarks.faults.checker import ViolationKind
from benchmarks.faults.cluster_faults import ClusterFaultKind
from benchmarks.faults.cluster_run import ClusterPlan, run_cluster
from benchmarks.faults.fleet import COMPLETION_TIMEOUT
from benchmarks.faults.injection import FaultPace

pytestmark = [pytest.mark.needs_postgresql, pytest.mark.needs_redis]

SUPPORT = Path(__file__).parents[1] / "support"


@pytest.mark.timeout(240)  # 8 seconds of CPU time
async def test_faults_of_a_cluster_cause_no_violation() -> None:
    faults = {
        ClusterFaultKind.TRANSACTION_KILL: 1,
        ClusterFaultKind.DATABASE_RECEIVE_CUT: 1,
        ClusterFaultKind.BUS_LOSS: 1,
        ClusterFaultKind.BUS_RESTART: 1,
        ClusterFaultKind.BAN: 1,
    }
    pace = FaultPace(max_acks=15, max_wait=3.0, max_duration=0.3, max_cut=0.5)
    report = await run_cluster(
        ClusterPlan(
            seed=5,
            faults=faults,
            rooms=1,
            writers=3,
            readers=3,
            pace=pace,
            catch_up_timeout=COMPLETION_TIMEOUT,
        )
    )
    assert report.violations == []
    assert report.is_flawless
    assert [line for line in report.stderr_lines if "Traceback" in line] == []
    assert report.faults == faults
    assert report.sent - 1 <= report.acknowledged  # a ban may reject one message
    assert report.acknowledged > 10
    assert report.log_entries >= report.sent
    assert report.read_entries == 3 * (report.log_entries - 1)  # the first entry is older than the joins


@pytest.mark.timeout(240)  # 4 seconds of CPU time
async def test_altered_messages_between_servers_are_detected() -> None:
    report = await run_cluster(
        ClusterPlan(
            seed=2,
            faults={ClusterFaultKind.BUS_ABORT: 1},
            nodes=2,
            rooms=1,
            writers=2,
            readers=2,
            pace=FaultPace(max_acks=25, max_wait=3.0, max_duration=0.1),
            program=(str(SUPPORT / "lying_bus_server.py"),),
        )
    )
    assert ViolationKind.ALTERED in {violation.kind for violation in report.violations}


@pytest.mark.timeout(240)  # 4 seconds of CPU time
async def test_acknowledgements_before_the_commit_are_detected() -> None:
    for seed in (3, 4, 5):  # a kill loses nothing if no commit is pending
        report = await run_cluster(
            ClusterPlan(
                seed=seed,
                faults={ClusterFaultKind.KILL: 3},
                nodes=1,  # each kill hits the node with the open transaction
                rooms=1,
                writers=4,
                readers=1,
                pace=FaultPace(max_acks=25, max_wait=3.0, max_duration=0.1),
                program=(str(SUPPORT / "ack_before_commit_server.py"),),
            )
        )
        found = {violation.kind for violation in report.violations}
        if found & {ViolationKind.LOST, ViolationKind.REORDERED}:
            return
    pytest.fail("no run lost or reordered messages")
