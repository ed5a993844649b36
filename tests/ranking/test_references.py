"""The reference libraries agree, on tables drawn at random."""

import choix
import krippendorff
import numpy as np
import pandas as pd
import pingouin
import pytest
from scipy.stats import friedmanchisquare
from statsmodels.formula.api import ols
from statsmodels.miscmodels.ordinal_model import OrderedModel

from leaderboard.ranking import Method, additive, combine, ordinal
from leaderboard.ranking.pairwise import Comparison, bradley_terry
from leaderboard.ranking.reliability import icc, judges, kendall_w, krippendorff_alpha, table
from tests.ranking.fields import field

CLOSE = 1e-9
seeds = pytest.mark.parametrize("seed", range(5))


def drawn(seed, judges=5, teams=9, gaps=0.0) -> pd.DataFrame:
    """Judges by teams: quality, severity and chance, rounded so that there are ties."""
    chance = np.random.default_rng(seed)
    totals = chance.normal(60, 12, teams) + chance.normal(0, 5, judges)[:, None]
    totals = np.round((totals + chance.normal(0, 6, (judges, teams))) / 5) * 5
    totals = totals.clip(0, 100)
    totals[chance.random(totals.shape) < gaps] = np.nan
    names = [f"j{n}" for n in range(judges)], [f"t{n}" for n in range(teams)]
    return pd.DataFrame(totals, *names)


def long(totals: pd.DataFrame) -> pd.DataFrame:
    frame = totals.rename_axis("judge").reset_index()
    return frame.melt("judge", var_name="team", value_name="total").dropna()


def sheets_of(totals: pd.DataFrame):
    return field(*[[None if np.isnan(x) else int(x) for x in row] for row in totals.to_numpy().T])


@seeds
def test_intraclass_correlations(seed, monkeypatch):
    monkeypatch.setattr(pingouin.reliability, "_postprocess_dataframe", lambda frame: frame)
    totals = drawn(seed)
    reference = pingouin.intraclass_corr(long(totals), "team", "judge", "total").set_index("Type")
    names = {"ICC(1,1)": "ICC(1,1)", "ICC(2,1)": "ICC(A,1)", "ICC(3,1)": "ICC(C,1)"}
    names |= {"ICC(1,k)": "ICC(1,k)", "ICC(2,k)": "ICC(A,k)", "ICC(3,k)": "ICC(C,k)"}
    found = icc(totals).forms
    assert len(found) == 6
    for form in found:
        row = reference.loc[names[form.name]]
        ours, theirs = (form.value, form.low, form.high), (row["ICC"], *row["CI95"])
        assert ours == pytest.approx(theirs, abs=CLOSE)


@seeds
def test_kendalls_w(seed):
    totals = drawn(seed)
    statistic, p = friedmanchisquare(*totals.to_numpy().T)
    found = kendall_w(totals)
    ours = found.chi_square, found.p, found.w
    assert ours == pytest.approx((statistic, p, statistic / (5 * 8)), abs=CLOSE)


@seeds
@pytest.mark.parametrize("level", ["interval", "ordinal"])
def test_krippendorffs_alpha(seed, level):
    totals = drawn(seed, gaps=0.3)
    reference = krippendorff.alpha(totals.to_numpy(), level_of_measurement=level)
    assert krippendorff_alpha(totals, level).value == pytest.approx(reference, abs=CLOSE)


@seeds
def test_bradley_terry(seed):
    chance = np.random.default_rng(seed)
    won = chance.integers(1, 9, (8, 8))
    pairs = [(i, j) for i in range(8) for j in range(8) if i != j]
    games = [Comparison(i, j, count=int(won[i, j])) for i, j in pairs]
    single = [pair for pair in pairs for _ in range(won[pair])]
    free = choix.ilsr_pairwise_dense(won * (1 - np.eye(8)), alpha=0, tol=1e-13)
    ours = logits(bradley_terry(games, ridge=0))
    assert ours == pytest.approx(free - free.mean(), abs=CLOSE)
    for ridge in (0.1, 2.0):
        # choix's penalty is all of the sum of squares, ours half of it. Its search ends earlier
        # than ours, so its slope is asked as well: at the top there is none.
        with_prior = choix.opt_pairwise(8, single, alpha=ridge / 2, method="Newton-CG", tol=1e-13)
        ours = logits(bradley_terry(games, ridge=ridge))
        assert ours == pytest.approx(with_prior, abs=1e-6)
        slope = choix.opt.PairwiseFcts(single, ridge / 2).gradient(ours)
        assert slope == pytest.approx(np.zeros(8), abs=CLOSE)


def logits(found) -> np.ndarray:
    return np.array([found.logits[n] for n in range(8)])


@seeds
def test_the_additive_model(seed):
    totals = drawn(seed, gaps=0.3)
    frame = long(totals)
    reference = ols("total ~ 0 + C(team) + C(judge, Sum)", frame).fit().params
    combined = combine(sheets_of(totals), Method("severity"))
    for team, score in combined.scores.items():
        assert float(score) == pytest.approx(reference[f"C(team)[{team}]"], abs=2e-9)
    for judge in ("j0", "j1", "j2", "j3"):
        wanted = -reference[f"C(judge, Sum)[S.{judge}]"]
        assert float(combined.severity[judge]) == pytest.approx(wanted, abs=2e-9)
    rows = {row.judge: row.severity for row in judges(table(sheets_of(totals)))}
    assert rows == pytest.approx({j: float(s) for j, s in combined.severity.items()}, abs=2e-9)


@seeds
def test_the_ordinal_model(seed):
    """Next to no prior: statsmodels has the same likelihood, and finds no higher one."""
    chance = np.random.default_rng(seed)
    team_of, judge_of = np.divmod(np.arange(60), 6)
    latent = chance.normal(0, 1, 10)[team_of] + chance.normal(0, 0.5, 6)[judge_of]
    category = np.digitize(latent + chance.logistic(size=60), [-1, 0.5, 1.5])
    columns = pd.get_dummies(pd.DataFrame({"t": team_of, "j": judge_of}), columns=["t", "j"])
    columns = columns.drop(columns=["t_0", "j_0"]).astype(float)
    model = OrderedModel(category, columns, distr="logit")
    found = ordinal.fit(team_of, judge_of, category, ridge=1e-6)
    cuts = found.cuts - found.team[0] - found.judge[0]
    effects = np.concatenate([found.team[1:] - found.team[0], found.judge[1:] - found.judge[0]])
    ours = np.concatenate([effects, cuts[:1], np.log(np.diff(cuts))])
    assert found.converged
    assert model.loglike(ours) == pytest.approx(found.log_likelihood, abs=CLOSE)
    reference = model.fit(method="bfgs", maxiter=2000, gtol=1e-7, disp=0)
    assert reference.llf == pytest.approx(found.log_likelihood, abs=1e-5)
    assert np.asarray(reference.params) == pytest.approx(ours, abs=1e-3)


def test_groups_are_those_that_links_make():
    team_of, judge_of = np.array([0, 0, 1, 2, 3]), np.array([0, 1, 1, 2, 2])
    of_team, of_judge = additive.groups(team_of, judge_of)
    assert of_team.tolist() == [0, 0, 1, 1]
    assert of_judge.tolist() == [0, 0, 1]
    assert additive.is_crossed(team_of, judge_of).tolist() == [False, True]
