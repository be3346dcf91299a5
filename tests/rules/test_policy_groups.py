"""Every policy stands under one heading of the centre's page."""

from server.kernel.policies import Group, Policies, group_of


def test_every_policy_says_under_which_heading_it_stands_and_no_heading_is_empty() -> None:
    ungrouped = [
        key
        for key, field in Policies.model_fields.items()
        if sum(isinstance(one, Group) for one in field.metadata) != 1
    ]
    assert ungrouped == [], "name its Group where the policy is declared"
    assert {group_of(key) for key in Policies.model_fields} == set(Group)
