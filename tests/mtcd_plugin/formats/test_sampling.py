import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from mtcd_plugin.formats.clips import Stream
from mtcd_plugin.formats.sampling import align, nearest_indices, pick_frames, uniform_times


def stream(frames, fps, times=None):
    return Stream("x", 10, 10 + frames, fps, times)


def aligned(streams, **file_times):
    return align(streams, file_times.get)


@pytest.mark.parametrize("frames", [1, 2, 31, 32, 45, 80, 210])
@pytest.mark.parametrize("count", [1, 8, 32])
def test_centres_of_one_stream_follow_the_closed_form(frames, count):
    """Segment k of the span of frames - 1 intervals has its centre at (k + 1/2) (frames - 1) / count."""
    timeline = aligned({"rgb": stream(frames, 25)})
    got = nearest_indices(timeline.stamps["rgb"], uniform_times(count, timeline.window))
    exact = (np.arange(count) + 0.5) * (frames - 1) / count
    assert np.abs(got - exact).max() <= 0.5 + 1e-9
    assert timeline.clock == "fps" and got.min() >= 0 and got.max() <= frames - 1


@given(
    frames=st.integers(1, 250),
    fps=st.sampled_from([12.5, 25.0, 30.0, 35.0]),
    count=st.integers(1, 64),
    seed=st.integers(0, 2**31),
)
def test_random_times_lie_one_in_each_segment(frames, fps, count, seed):
    window = aligned({"rgb": stream(frames, fps)}).window
    times = uniform_times(count, window, np.random.RandomState(seed))
    edges = np.linspace(*window, count + 1)
    assert (times >= edges[:-1] - 1e-9).all() and (times <= edges[1:] + 1e-9).all()


def test_random_times_fill_their_segment_evenly():
    draws = np.stack([uniform_times(4, (2.0, 6.0), np.random.RandomState(seed)) for seed in range(4000)])
    place = draws - np.array([2.0, 3.0, 4.0, 5.0])
    assert np.abs(place.mean(0) - 0.5).max() < 0.03 and np.abs(place.std(0) - 12**-0.5).max() < 0.02


@given(
    gaps=st.lists(st.floats(0.001, 1.0), min_size=0, max_size=30),
    wanted=st.lists(st.floats(-1, 20), min_size=1, max_size=20),
)
def test_nearest_is_nearest(gaps, wanted):
    stamps = np.concatenate([[0.0], np.cumsum(gaps)])
    got = nearest_indices(stamps, np.array(wanted))
    distances = np.abs(stamps[None] - np.array(wanted)[:, None])
    chosen = distances[np.arange(len(wanted)), got]
    np.testing.assert_allclose(chosen, distances.min(1), atol=1e-12)


def test_of_two_equally_near_the_earlier_is_taken():
    assert nearest_indices(np.array([0.0, 1.0, 2.0]), np.array([0.5, 1.5])).tolist() == [0, 1]


@given(
    fps=st.tuples(st.sampled_from([25.0, 30.0]), st.sampled_from([12.5, 35.0])),
    seconds=st.floats(1, 8),
    offset=st.floats(-0.2, 0.2),
    seed=st.integers(0, 1000),
)
def test_streams_of_other_rates_show_the_same_instant(fps, seconds, offset, seed):
    """With time stamps, chosen frames of two streams lie within half a frame interval of the drawn time each."""
    origin = 1.4e9
    counts = [int(seconds * rate) for rate in fps]
    starts = (origin, origin + offset)
    streams = {
        name: stream(count, rate, tuple(start + np.arange(count) / rate))
        for name, count, rate, start in zip("ab", counts, fps, starts, strict=True)
    }
    timeline = aligned(streams)
    assert timeline.clock == "log"
    times = uniform_times(16, timeline.window, np.random.RandomState(seed))
    for name, rate in zip("ab", fps, strict=True):
        shown = timeline.stamps[name][nearest_indices(timeline.stamps[name], times)]
        assert np.abs(shown - times).max() <= 0.5 / rate + 1e-6


def test_without_time_stamps_of_one_stream_all_go_by_relative_position():
    stamped = stream(80, 30.0, tuple(5 + np.arange(80) / 30))
    timeline = aligned({"rgb": stamped, "ir": stream(93, 35.0)})
    assert timeline.clock == "fps"
    assert timeline.window == (0.0, pytest.approx(92 / 35))
    np.testing.assert_allclose(timeline.stamps["rgb"], np.arange(80) / 30)


def test_logs_of_different_clocks_are_not_believed():
    streams = {
        "rgb": stream(80, 30.0, tuple(np.arange(80) / 30)),
        "ir": stream(93, 35.0, tuple(100 + np.arange(93) / 35)),
    }
    assert aligned(streams).clock == "fps"


def test_a_dropped_frame_is_seen_in_the_time_stamps():
    """Frames 3 and 4 of the infrared are lost: by index the rest would be 2 frames late, by time it is not."""
    kept = np.delete(np.arange(20), [3, 4]) / 35
    streams = {"rgb": stream(20, 35.0, tuple(np.arange(20) / 35)), "ir": stream(18, 35.0, tuple(kept))}
    timeline = aligned(streams)
    times = timeline.stamps["rgb"]
    got = nearest_indices(timeline.stamps["ir"], times)
    assert got[10:].tolist() == list(range(8, 18)) and got[2:6].tolist() == [2, 2, 3, 3]


def test_time_stamps_of_files_take_the_place_of_rates():
    slowing = tuple(np.cumsum([0] + [1 / 30] * 30 + [1 / 15] * 15).tolist())
    streams = {"rgb": stream(46, 23.0), "ir": stream(61, 30.0)}
    timeline = aligned(streams, rgb=slowing)
    assert timeline.clock == "file" and timeline.window == (0.0, pytest.approx(2.0))
    picked = pick_frames(timeline.stamps, None)
    assert picked["rgb"].tolist() == list(range(46))
    assert picked["ir"].tolist() == [*range(31), *range(32, 62, 2)]


def test_time_stamps_of_files_are_not_asked_for_where_logs_are_used():
    streams = {name: stream(10, 30.0, tuple(np.arange(10) / 30)) for name in ("rgb", "ir")}
    assert align(streams, lambda name: pytest.fail("asked")).clock == "log"


@given(
    rates=st.tuples(st.floats(10, 40), st.floats(10, 40), st.floats(10, 40)),
    offsets=st.tuples(st.floats(-0.2, 0.2), st.floats(-0.2, 0.2)),
    count=st.integers(1, 40),
    seed=st.integers(0, 1000),
)
def test_depth_and_infrared_are_nearest_to_the_colour_frame_that_was_taken(rates, offsets, count, seed):
    starts = dict(ir=offsets[0], depth=offsets[1], rgb=0.0)
    stamps = {name: starts[name] + np.arange(90) / rate for name, rate in zip(starts, rates, strict=True)}
    times = uniform_times(count, (0.3, 2.0), np.random.RandomState(seed))
    picked = pick_frames(stamps, times)
    assert list(picked) == list(stamps)
    np.testing.assert_array_equal(picked["rgb"], nearest_indices(stamps["rgb"], times))
    colour = stamps["rgb"][picked["rgb"]]
    for name in ("ir", "depth"):
        distance = np.abs(stamps[name][:, None] - colour)
        np.testing.assert_allclose(distance[picked[name], np.arange(count)], distance.min(0), atol=1e-12)


def test_pseudo_infrared_leads_as_the_colour_that_it_was_made_from():
    stamps = {"ir": np.arange(20) / 35, "pseudo_ir": np.arange(20) / 30}
    times = np.array([0.1, 0.3])
    picked = pick_frames(stamps, times)
    assert picked["pseudo_ir"].tolist() == [3, 9] and picked["ir"].tolist() == [3, 10]  # of .1 and .3 s
    alone = pick_frames({"depth": stamps["ir"]}, times)
    assert alone["depth"].tolist() == nearest_indices(stamps["ir"], times).tolist()
