"""Drawing and colour of the synthetic sets, pixel by pixel: the sets' own tests look at means."""

from __future__ import annotations

from dataclasses import fields

import numpy as np

from harness.data.synthesize.body import HAND, PARTS, TOP, Capsule
from harness.data.synthesize.cameras import Camera
from harness.data.synthesize.colour_camera import DRAWS, LEVELS, Exposure, averaged_levels
from harness.data.synthesize.raster import FAR, Drawing, Rasteriser
from harness.data.synthesize.seeding import generator
from harness.data.synthesize.sensors import ColourSensor

CAMERA = Camera(48, 40, 60.0, (0.0, 0.0, 0.0))


def _ball(x: float, z: float, radius: float, part: int) -> Capsule:
    centre = np.array([[x, 0.0, z], [x + 0.1, 0.0, z]])  # it moves between two frames
    return Capsule(centre, centre, radius, radius, part)


def test_the_nearer_body_is_seen_in_whatever_order_they_are_drawn():
    bodies = [_ball(0.0, 2.0, 0.3, TOP), _ball(0.15, 1.5, 0.1, HAND)]
    near_last, near_first = (Rasteriser(b, CAMERA, (0.0, 0.0, -1.0)).draw(0, 2) for b in (bodies, bodies[::-1]))
    for field in fields(Drawing):
        assert np.array_equal(getattr(near_last, field.name), getattr(near_first, field.name)), field.name
    alone = [Rasteriser([b], CAMERA, (0.0, 0.0, -1.0)).draw(0, 2) for b in bodies]
    assert np.array_equal(near_last.depth, np.minimum(alone[0].depth, alone[1].depth))
    seen = np.where(alone[1].depth < alone[0].depth, alone[1].part, alone[0].part)
    assert np.array_equal(near_last.part, seen) and set(np.unique(seen)) == {0, TOP, HAND}
    assert np.array_equal(near_last.part == 0, near_last.depth == FAR)


def test_a_ball_is_as_far_away_and_as_large_as_it_is():
    drawing = Rasteriser([_ball(0.0, 2.0, 0.3, TOP)], CAMERA, (0.0, 0.0, -1.0)).draw(0, 1)
    assert abs(drawing.depth.min() - 1.7) < 0.005 and drawing.shade.max() > 0.99
    assert abs((drawing.part > 0).sum() - np.pi * (60 * 0.3 / 2) ** 2) < 8  # pixels


def test_a_colour_picture_is_the_response_of_each_pixel():
    rng, shape = np.random.default_rng(0), (2, 6, 8)
    part = rng.integers(0, len(PARTS), shape).astype(np.uint8)
    part[:, :3] = 0
    drawing = Drawing(np.ones(shape, np.float32), part, rng.uniform(-0.2, 1, shape).astype(np.float32))
    shot = Exposure(4000.0, (1.1, 1.0, 0.9), 2, 12)
    sensor = ColourSensor(shot, rng.uniform(0.05, 0.9, (len(PARTS), 3)), rng.uniform(0.05, 0.9, (*shape[1:], 3)))
    draws, place = generator(0, "index pool").integers(0, DRAWS, 1 << 18), np.random.default_rng(1)
    tables = [averaged_levels(shot.gain, n) for n in shot.samples]
    expected = np.empty((*shape, 3), np.uint8)
    for i in range(len(part)):
        start = int(place.integers(0, len(draws) - part[i].size * 3 + 1))
        for number, (channel, row, column) in enumerate(np.ndindex(3, *shape[1:])):
            begin = int(sensor.background[channel, row, column])
            if part[i, row, column]:
                shade = int(max(drawing.shade[i, row, column], np.float32(0)) * np.float32(255))
                begin = int(sensor.parts[channel, 256 * int(part[i, row, column]) + shade])
            level = begin // DRAWS - channel * LEVELS
            expected[i, row, column, channel] = tables[channel][level, draws[start + number]]
    assert np.array_equal(sensor.expose(drawing, np.random.default_rng(1)), expected)
