"""Statements fit into managed policies of IAM's size, and none is lost."""

from __future__ import annotations

import json

import pytest

from infra.errors import KitError
from infra.policies.document import MOST_CHARACTERS, Policy, Statement, pack
from tests.infra.policies.iam import allowed


def actions(policies: tuple[Policy, ...]) -> list[str]:
    return [action for policy in policies for each in policy.statements for action in each.actions]


def test_what_fits_is_one_policy_of_the_given_name() -> None:
    (policy,) = pack("reader", [Statement("Read", ["s3:GetObject"], ["arn:aws:s3:::a/*"])])
    assert policy.name == "reader"
    assert policy.document == {
        "Version": "2012-10-17",
        "Statement": [{"Sid": "Read", "Effect": "Allow", "Action": ["s3:GetObject"], "Resource": ["arn:aws:s3:::a/*"]}],
    }
    assert policy.characters == len(json.dumps(policy.document, separators=(",", ":")))


def test_what_does_not_fit_is_several_each_within_the_limit() -> None:
    statements = [Statement(f"S{n}", [f"svc{n}:Action{m:03}" for m in range(150)], ["*"]) for n in range(3)]
    policies = pack("wide", statements)
    assert [policy.name for policy in policies] == ["wide-1", "wide-2"]
    assert all(policy.characters <= MOST_CHARACTERS for policy in policies)
    assert sorted(actions(policies)) == sorted(action for each in statements for action in each.actions)


def test_a_statement_over_the_limit_is_cut_with_names_of_its_own() -> None:
    policies = pack("wide", [Statement("Much", [f"svc:Action{m:04}" for m in range(1000)], ["*"])])
    sids = [each.sid for policy in policies for each in policy.statements]
    assert len(set(sids)) == len(sids) == 4
    assert all(sid.isalnum() for sid in sids)
    assert len(set(actions(policies))) == 1000


def test_more_than_a_role_takes_is_refused() -> None:
    with pytest.raises(KitError, match="takes 12 managed policies, of which IAM lets a role have 10"):
        pack("huge", [Statement(f"S{n}", [f"svc{n}:{m:02}{'x' * 95}" for m in range(50)], ["*"]) for n in range(12)])


def test_the_evaluation_that_these_tests_trust_is_iams() -> None:
    statement = Statement(
        "S", ["ssm:Get*"], ["arn:aws:ssm:*:1:parameter/a-?"], {"StringEquals": {"aws:ResourceTag/x:y": ["b"]}}
    )
    arn = "arn:aws:ssm:eu-west-1:1:parameter/a-1"
    assert allowed([statement], "SSM:getparameter", arn, aws__ResourceTag___x__y="b")
    assert not allowed([statement], "ssm:GetParameter", arn)
    assert not allowed([statement], "ssm:GetParameter", arn, aws__ResourceTag___x__y="c")
    assert not allowed([statement], "ssm:GetParameter", f"{arn}2", aws__ResourceTag___x__y="b")
    assert not allowed([statement], "ssm:PutParameter", arn, aws__ResourceTag___x__y="b")
