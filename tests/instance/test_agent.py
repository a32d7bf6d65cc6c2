"""The agent's two loops turn by turn, and its process: what fails is told once and never ends it."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from infra.lab.metadata_service import MetadataService
from instance.agent import Publisher, Watch, main
from instance.cloud import Cloud
from instance.departure import Departure, Place
from instance.metadata import Metadata
from tests.instance.doubles import GROUP, INSTANCE, REGION, TARGET_GROUP, Aws, aws, settings_in
from tests.instance.test_figures import ONE


def no_pause(_: float) -> None:
    pass


class Agent:
    def __init__(self, folder: Path, cloud: Aws, metadata: MetadataService) -> None:
        self.cloud = cloud
        self.metadata = metadata
        self.serves = True
        asks = Cloud(REGION, cloud.environment(), pause=no_pause)
        place = Place(INSTANCE, GROUP, TARGET_GROUP, "drain", 8000)
        self.departure = Departure(folder / "drain", place, asks, answers=lambda _: self.serves)
        self.watch = Watch(Metadata(metadata.url, pause=no_pause), self.departure)
        self.publisher = Publisher(asks, GROUP, lambda: ONE, 1, lambda: self.departure.begun)

    def actions(self) -> list[str]:
        return [call.action for call in self.cloud.calls]


@pytest.fixture
def agent(tmp_path: Path) -> Iterator[Agent]:
    with aws() as cloud, MetadataService(INSTANCE, group=GROUP) as metadata:
        yield Agent(tmp_path, cloud, metadata)


def test_in_service_it_asks_aws_for_nothing(agent: Agent) -> None:
    for _ in range(3):
        agent.watch.turn()
    agent.metadata.recommend_rebalance()
    agent.watch.turn()
    assert agent.actions() == []


def test_a_spot_notice_is_followed_in_the_turn_that_sees_it(agent: Agent) -> None:
    agent.metadata.interrupt()
    agent.watch.turn()
    assert agent.actions() == ["DeregisterTargets"]
    assert agent.departure.begun


def test_a_whole_departure(agent: Agent) -> None:
    agent.metadata.interrupt()
    agent.watch.turn()
    agent.serves = False
    agent.watch.turn()
    assert agent.actions() == ["DeregisterTargets"], "the group has not begun to end it"
    agent.metadata.target_state = "Terminated"
    agent.watch.turn()
    agent.watch.turn()
    assert agent.actions() == ["DeregisterTargets", "CompleteLifecycleAction"]


def test_a_metadata_service_that_is_away_for_a_while_is_told_once_and_missed_by_nobody(
    agent: Agent, caplog: pytest.LogCaptureFixture
) -> None:
    agent.watch.turn()
    agent.metadata.stumble(1_000)
    for _ in range(3):
        agent.watch.turn()
    agent.metadata.stumble(0)
    agent.metadata.interrupt()
    agent.watch.turn()
    assert caplog.text.count("answered spot/instance-action with 503") == 1
    assert caplog.text.count("the metadata service answers again") == 1
    assert agent.actions() == ["DeregisterTargets"]


def test_a_departure_goes_on_while_the_metadata_service_is_away(agent: Agent) -> None:
    agent.metadata.target_state = "Terminated"
    agent.watch.turn()
    agent.metadata.stumble(1_000)
    agent.serves = False
    agent.watch.turn()
    assert agent.actions() == ["DeregisterTargets", "CompleteLifecycleAction"]


def test_figures_go_out_with_the_group_as_their_only_dimension(agent: Agent) -> None:
    agent.publisher.turn()
    (sent,) = agent.cloud.called("PutMetricData")
    assert sent["Namespace"] == "Crossover"
    for number, (name, unit, value) in enumerate(
        [
            ("EventLoopBusy", "Percent", "25"),
            ("EventLoopLagP99", "Milliseconds", "3.5"),
            ("SearchesInFlight", "Count", "4"),
            ("SuppliersHeldBack", "Count", "1"),
        ],
        1,
    ):
        member = f"MetricData.member.{number}"
        assert (sent[f"{member}.MetricName"], sent[f"{member}.Unit"], sent[f"{member}.Value"]) == (name, unit, value)
        assert sent[f"{member}.Dimensions.member.1.Name"] == "AutoScalingGroupName"
        assert sent[f"{member}.Dimensions.member.1.Value"] == GROUP
        assert f"{member}.Dimensions.member.2.Name" not in sent


def test_an_instance_that_leaves_sends_no_figures(agent: Agent) -> None:
    agent.metadata.interrupt()
    agent.watch.turn()
    agent.publisher.turn()
    assert "PutMetricData" not in agent.actions()


def test_figures_that_are_refused_are_told_once_and_sent_again(agent: Agent, caplog: pytest.LogCaptureFixture) -> None:
    agent.cloud.refusals["PutMetricData"] = ("AccessDenied", "no")
    agent.publisher.turn()
    agent.publisher.turn()
    agent.cloud.refusals.clear()
    agent.publisher.turn()
    assert caplog.text.count("no figures reach CloudWatch") == 1
    assert caplog.text.count("figures reach CloudWatch again") == 1


def test_without_settings_it_does_not_begin(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    assert main(["--root", str(tmp_path)]) == 1
    assert "instance.json: cannot be read" in caplog.text


def test_ctrl_c_ends_it_with_a_word(tmp_path: Path, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch) -> None:
    def interrupted(*_: object, **__: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr("instance.agent.run", interrupted)
    settings_in(tmp_path)
    assert main(["--root", str(tmp_path)]) == 1
    assert caplog.messages == ["interrupted"]
