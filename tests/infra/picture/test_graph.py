"""The picture shows what refers to what, over exports and through what it does not show, and no hash."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import pytest

from infra.errors import InputError
from infra.picture.drawing import draw
from infra.picture.graph import Graph, read_graph

FOUNDATION: dict[str, Any] = {
    "Description": "Crossover prod: network",
    "Resources": {
        "Vpc1A": {"Type": "AWS::EC2::VPC", "Properties": {"CidrBlock": "10.0.0.0/16"}},
        "Group2B": {"Type": "AWS::EC2::SecurityGroup", "Properties": {"VpcId": {"Ref": "Vpc1A"}}},
        "Weights3C": {"Type": "AWS::SSM::Parameter", "Properties": {"Name": "/weights"}},
    },
    "Outputs": {"E": {"Value": {"Fn::GetAtt": ["Group2B", "GroupId"]}, "Export": {"Name": "foundation:Group"}}},
}
TRAFFIC: dict[str, Any] = {
    "Description": "Crossover prod: load balancer",
    "Parameters": {"P": {"Type": "AWS::SSM::Parameter::Value<String>", "Default": "/weights"}},
    "Resources": {
        "Balancer4D": {
            "Type": "AWS::ElasticLoadBalancingV2::LoadBalancer",
            "Properties": {"Scheme": "internet-facing", "SecurityGroups": [{"Fn::ImportValue": "foundation:Group"}]},
        },
        "Listener5E": {
            "Type": "AWS::ElasticLoadBalancingV2::Listener",
            "Properties": {"Port": 80, "Protocol": "HTTP", "LoadBalancerArn": {"Ref": "Balancer4D"}},
        },
        "Split6F": {
            "Type": "AWS::ElasticLoadBalancingV2::ListenerRule",
            "Properties": {
                "Conditions": [{"Field": "path-pattern"}],
                "ListenerArn": {"Ref": "Listener5E"},
                "Also": {"Ref": "Balancer4D"},
                "Weight": {"Ref": "P"},
            },
        },
        **{f"Alarm{n}": {"Type": "AWS::CloudWatch::Alarm", "Properties": {"Of": {"Ref": "Balancer4D"}}} for n in range(5)},
    },
}


def assembly(folder: Path, templates: dict[str, dict[str, Any]]) -> Path:
    artifacts: dict[str, Any] = {"tree": {"type": "cdk:tree"}}
    for name, template in templates.items():
        (folder / f"{name}.template.json").write_text(json.dumps(template))
        dependencies = ["foundation", f"{name}.assets"] if name == "traffic" else []
        artifacts[name] = {
            "type": "aws:cloudformation:stack",
            "properties": {"templateFile": f"{name}.template.json"},
            "dependencies": dependencies,
        }
    (folder / "manifest.json").write_text(json.dumps({"artifacts": artifacts}))
    return folder


@pytest.fixture
def graph(tmp_path: Path) -> Graph:
    return read_graph(assembly(tmp_path, {"traffic": TRAFFIC, "foundation": FOUNDATION}))


def labelled(graph: Graph) -> set[tuple[str, str]]:
    labels = {node.id: node.label for box in graph.boxes for node in box.nodes}
    return {(labels[a], labels[b]) for a, b in graph.edges}


def test_stacks_are_boxes_with_the_main_resources_only(graph: Graph) -> None:
    shown = {box.name: [(node.label, node.detail) for node in box.nodes] for box in graph.boxes}
    assert shown == {
        "foundation": [("Parameter", "/weights"), ("VPC", "10.0.0.0/16")],
        "traffic": [
            ("Alarm × 5", ""),
            ("Listener", "HTTP 80"),
            ("Listener rule", "splits by weight"),
            ("Load balancer", "internet-facing"),
        ],
        "assets": [("Bundle", "one zip, both lanes")],
    }


def test_edges_go_over_exports_through_hidden_resources_and_by_a_parameters_name(graph: Graph) -> None:
    assert ("Load balancer", "VPC") in labelled(graph)  # over an export, through the security group
    assert ("Listener rule", "Parameter") in labelled(graph)
    assert ("Alarm × 5", "Load balancer") in labelled(graph)


def test_an_edge_that_a_longer_way_says_already_is_left_out(graph: Graph) -> None:
    assert ("Listener", "Load balancer") in labelled(graph)
    assert ("Listener rule", "Load balancer") not in labelled(graph)


def test_the_drawing_is_svg_without_ids_and_with_every_node_and_edge(graph: Graph) -> None:
    drawn = draw(graph)
    document = ElementTree.fromstring(drawn)
    rectangles = [element for element in document.iter() if element.tag.endswith("rect")]
    assert len([each for each in rectangles if each.get("class") == "node"]) == 7
    tips = [element for element in document.iter() if element.get("class") == "tip"]
    assert len(tips) == len(graph.edges)
    assert not re.search(r"Vpc1A|Split6F|Balancer4D", drawn)
    assert "prefers-color-scheme: dark" in drawn


def test_a_folder_without_an_assembly_is_one_line(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="no synthesized assembly"):
        read_graph(tmp_path)
