import json

from hypothesis import given
from hypothesis import strategies as st

from musenet.composing.checks import WORDS, Fault
from musenet.composing.critic import Opinion
from musenet.composing.likeness import Likeness
from musenet.composing.ranking import MOST_POINTS, Copy, Verdict, points, ranked

FAULTS = st.builds(
    Fault, st.sampled_from(sorted(WORDS)), st.floats(1.01, 100.0), st.floats(0.0, 1.0)
)
OPINIONS = st.builds(Opinion, st.floats(0, 1), st.floats(0, 100))
VERDICTS = st.builds(
    Verdict,
    st.one_of(st.none(), OPINIONS),
    st.lists(FAULTS, max_size=3).map(tuple),
    st.one_of(st.none(), st.builds(Copy, st.integers(9, 99), st.just("a/b.mid"), st.floats(0, 1))),
    st.one_of(
        st.none(),
        st.builds(
            lambda share: Likeness((("jazz", share),), ("latin", 1.0 - share)), st.floats(0, 1)
        ),
    ),
)
STUCK = Fault("longest_stuck", 40.0, 10.0)
EMPTY = Fault("empty_bars", 0.06, 0.05)


def test_a_fault_weighs_more_the_further_it_goes() -> None:
    assert [points(Fault("silence", value, 5.0)) for value in (5.1, 9.9, 10.0, 20.0, 1e6)] == [
        1, 1, 2, 3, MOST_POINTS,
    ]  # fmt: skip
    assert points(Fault("collisions", 0.01, 0.0)) == MOST_POINTS


def test_of_faultless_ones_those_in_the_styles_asked_for_come_first() -> None:
    both = Likeness((("jazz", 0.4), ("reggae", 0.3)), ("latin", 0.2))
    one = Likeness((("jazz", 0.4), ("reggae", 0.2)), ("latin", 0.3))
    verdicts = [
        Verdict(Opinion(0.9, 0.8), likeness=one),
        Verdict(Opinion(0.9, 0.7), (EMPTY,), likeness=both),
        Verdict(Opinion(0.9, 2.0), likeness=both),
        Verdict(Opinion(0.9, 1.0), likeness=both),
    ]
    assert ranked(verdicts) == [3, 2, 0, 1]


def test_copies_come_last_then_faults_then_what_is_strange_to_the_critic() -> None:
    verdicts = [
        Verdict(Opinion(0.9, 0.8), (STUCK,)),
        Verdict(Opinion(0.9, 2.2)),
        Verdict(Opinion(0.9, 0.7), copy=Copy(40, "bach/a.mid", 0.995)),
        Verdict(Opinion(0.1, 1.4)),
        Verdict(Opinion(0.9, 0.7), (EMPTY,)),
        Verdict(Opinion(0.2, 1.1), copy=Copy(12, "bach/a.mid", 0.5)),
    ]
    assert ranked(verdicts) == [5, 3, 1, 4, 0, 2]


def test_reasons_are_short_and_the_gravest_comes_first() -> None:
    assert Verdict(Opinion(0.712, 1.206)).reason == "strangeness 1.21, critic 0.71, no faults"
    assert Verdict(None, (EMPTY, STUCK)).reason == "stuck for 40 s, 6% of the bars empty"
    copied = Verdict(Opinion(0.5, 2.0), copy=Copy(40, "bach/a.mid", 0.995))
    assert copied.reason == ("strangeness 2.00, critic 0.50, 40 notes as in bach/a.mid, no faults")
    latin = Verdict(Opinion(0.5, 1.0), likeness=Likeness((("jazz", 0.4),), ("latin", 0.5)))
    assert latin.reason == "strangeness 1.00, critic 0.50, more like latin than jazz, no faults"


@given(st.lists(VERDICTS, max_size=8))
def test_every_candidate_has_one_rank_and_equal_ones_keep_their_order(
    verdicts: list[Verdict],
) -> None:
    order = ranked(verdicts)
    assert sorted(order) == list(range(len(verdicts)))
    strange = [0.0 if v.opinion is None else v.opinion.strangeness for v in verdicts]
    keys = [(verdicts[i].copied, verdicts[i].points, verdicts[i].missed, strange[i]) for i in order]
    assert keys == sorted(keys)
    assert ranked([Verdict(Opinion(0.5, 1.0))] * 4) == [0, 1, 2, 3]


@given(VERDICTS)
def test_facts_are_json(verdict: Verdict) -> None:
    facts = json.loads(json.dumps(verdict.facts()))
    assert facts["reason"]
    assert len(facts["faults"]) == len(verdict.faults)
    assert (facts["likeness"] is None) == (verdict.likeness is None)
