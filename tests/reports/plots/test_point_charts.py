"""Lines of a figure by points: each looks different, and equal values stay apart."""

from reports.plots import point_charts
from reports.plots.point_charts import GAIN, OTHER, REFERENCE, At, Line, points


def test_no_two_lines_look_the_same_or_hide_one_another(monkeypatch):
    drawn = []
    monkeypatch.setattr(point_charts, "to_drawing", lambda figure, *said: drawn.append(figure))
    same = tuple(At(i, 50.0, 48.0, 52.0) for i in range(3))
    lines = [Line(f"line {i}", role, same) for i, role in enumerate((REFERENCE, OTHER, OTHER, OTHER, GAIN))]
    points.__wrapped__(["1", "2", "3"], "light", lines, Line("gain", GAIN, same), "looks")
    shown = [line for line in drawn[0].axes[0].lines if line.get_label().startswith("line")]
    looks = {(x.get_color(), x.get_marker(), x.get_linestyle()) for x in shown}
    assert len(shown) == len(looks) == len({x.get_xdata()[0] for x in shown}) == 5
    assert all(abs(x.get_xdata()[i] - i) < 0.2 for x in shown for i in range(3))
    drawn[0].draw_without_rendering()
    left = drawn[0].axes[0]
    assert left.get_legend().get_window_extent().y0 >= left.bbox.y1  # above the lines, whatever they are
