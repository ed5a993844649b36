"""Who is linked with whom by judges, and the additive model of team and judge."""

import numpy as np
from scipy.sparse import csr_array, diags_array
from scipy.sparse.csgraph import connected_components


def groups(team_of: np.ndarray, judge_of: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """The group of each team and of each judge, numbered from 0.

    Two teams are in one group if a chain of sheets leads from one to the other: judges who have
    seen both, or one of them and a team that leads on. Between groups nothing can tell a strict
    judge from a weak team.
    """
    teams, judges = team_of.max() + 1, judge_of.max() + 1
    links = csr_array(
        (np.ones(len(team_of)), (team_of, teams + judge_of)), shape=(teams + judges,) * 2
    )
    _, labels = connected_components(links, directed=False)
    return labels[:teams], labels[teams:]


def is_crossed(team_of: np.ndarray, judge_of: np.ndarray) -> np.ndarray:
    """For each group, by its number, whether each of its judges has seen each of its teams."""
    of_team, of_judge = groups(team_of, judge_of)
    sheets = np.bincount(of_team[team_of])
    return sheets == np.bincount(of_team) * np.bincount(of_judge)


def severities(team_of: np.ndarray, judge_of: np.ndarray, totals: np.ndarray) -> np.ndarray:
    """How much stricter than the judges of the group together each judge is, in points.

    Least squares of ``total = team − severity``, the severities of a group adding up to 0. The
    teams are eliminated first, which leaves one equation a judge.
    """
    teams, judges = team_of.max() + 1, judge_of.max() + 1
    _, group = groups(team_of, judge_of)
    scored = csr_array((np.ones(len(totals)), (judge_of, team_of)), shape=(judges, teams))
    share = scored @ diags_array(1 / np.bincount(team_of))  # each sheet's part of its team's mean
    left = np.diag(np.bincount(judge_of).astype(float)) - (scored @ share.T).toarray()
    left += group[:, None] == group[None, :]  # each group's severities add up to 0
    right = share @ np.bincount(team_of, totals) - np.bincount(judge_of, totals)
    return np.linalg.solve(left, right)
