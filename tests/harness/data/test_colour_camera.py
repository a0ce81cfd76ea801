"""From lux to coded values: the built-in data's colour camera against formulas and counts made here."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from harness.data.synthesize import colour_camera as camera
from harness.data.synthesize.files import write_video
from harness.data.synthesize.mgr_dark import SIZES, exposure, plan_takes, render_take
from harness.data.synthesize.mgr_dark_files import DARK_CRF
from harness.data.synthesize.scenes import INDIRECT_SHARE, NIGHT_LUX, SCENES, make_scene
from mtcd_plugin.formats.video import read_frames

CONSTANT = camera.QUANTUM_EFFICIENCY * camera.TRANSMISSION


@pytest.mark.parametrize("lux", [0.05, 1.0, 400.0])
def test_electrons_of_a_white_surface(lux):
    """By photons: those that a square metre sends into the lens's cone, a pixel at a time."""
    seconds = 0.04
    photons = lux / 683 * seconds / (6.626e-34 * 2.998e8 / 555e-9)  # on a square metre of the surface
    half_angle = np.arctan(1 / (2 * camera.F_NUMBER))  # of the cone behind the lens
    share = np.tan(half_angle) ** 2  # of a matt surface's light that reaches the sensor: pi tan^2 / pi
    assert camera.electrons_of_white(lux, seconds) == pytest.approx(photons * share * 3.1e-6**2 * CONSTANT, rel=1e-3)
    assert camera.electrons_of_white(2 * lux, seconds) == pytest.approx(2 * camera.electrons_of_white(lux, seconds))


def test_the_table_of_the_docs():
    """docs/data.md, made anew: at the end stops, white and cloth that reflects a fifth."""
    rows = []
    for lux in (0.005, 0.025, 0.1, 1.0):
        white = camera.electrons_of_white(lux, camera.LONGEST_EXPOSURE)
        pixel = [e / np.sqrt(e + camera.READ_NOISE**2) for e in (white, 0.2 * white)]
        mean, std = camera.coded_mean_std(np.array([0.0, white, 0.2 * white]), 16)
        block = (mean[1:] - mean[0]) / (std[1:] / np.sqrt(72))
        rows.append(
            f"| {lux:g} | {white:.1f} | {pixel[0]:.2f} | {pixel[1]:.2f} | {mean[1]:.1f} | {mean[2]:.1f} "
            f"| {block[0]:.1f} | {block[1]:.1f} |"
        )
    page = (Path(__file__).parents[3] / "docs" / "data.md").read_text()
    assert [row for row in rows if row not in page] == []


def test_an_exposure_is_longer_first_then_amplified_then_too_dark():
    bright, gain = camera.expose(5000, 1.5)
    assert (bright, gain) == (1.5 * camera.FULL_WELL, 1)
    dim, gain = camera.expose(150, 1.5)
    assert gain == 4 and dim * gain == pytest.approx(1.5 * camera.FULL_WELL)
    for lux in NIGHT_LUX:
        dark, gain = camera.expose(lux, 1.5)
        assert gain == camera.GAINS[-1]
        assert dark == camera.electrons_of_white(lux, camera.LONGEST_EXPOSURE) < 0.1 * camera.FULL_WELL / gain


def test_photon_noise_has_its_mean_as_variance(monkeypatch):
    """Of a camera without read noise that tells the electrons themselves."""
    monkeypatch.setattr(camera, "coded", lambda electrons, gain: electrons)
    monkeypatch.setattr(camera, "READ_NOISE", 0.0)
    expected = np.array([0.5, 40.0, 3000.0])
    mean, std = camera.coded_mean_std(expected, 1)
    np.testing.assert_allclose(mean, expected)
    np.testing.assert_allclose(std**2, expected, rtol=0.01)


def test_the_curve_is_srgb():
    """Published pairs: linear 0.18 is coded as 118, 0.5 as 188."""
    linear = np.array([-1, 0, 0.001, 0.18, 0.5, 1, 2])
    assert camera.coded(linear * camera.FULL_WELL, 1).tolist() == [0, 0, 3, 118, 188, 255, 255]
    assert camera.coded(0.18 * camera.FULL_WELL / 16, 16) == 118


@pytest.mark.parametrize("expected", [0.0, 0.5, 20.0])
def test_a_block_of_the_full_size_picture_counted_pixel_by_pixel(expected):
    """Photons drawn one pixel at a time, coded, then averaged; expected at the level that is nearest."""
    rng, gain, samples = np.random.default_rng(0), 16, 72
    span = camera.HEADROOM * camera.FULL_WELL / gain
    level = round((camera.LEVELS - 1) * np.sqrt(expected / span))
    expected = span * (level / (camera.LEVELS - 1)) ** 2
    counted = rng.poisson(expected, (2000, samples)) + rng.normal(0, camera.READ_NOISE, (2000, samples))
    pictures = np.rint(camera.coded(counted, gain).mean(1))
    table = camera.averaged_levels(gain, samples)[level]
    assert table.mean() == pytest.approx(pictures.mean(), rel=0.02)
    assert table.std() == pytest.approx(pictures.std(), rel=0.08)


def test_scenes_are_as_dark_as_said_and_not_all_alike():
    lux = np.array([make_scene(0, name).night_lux for name in SCENES])
    assert lux.min() >= NIGHT_LUX[0] and lux.max() <= NIGHT_LUX[1] and lux.max() > 5 * lux.min()
    assert all(make_scene(0, name).day_lux >= 150 for name in SCENES)


def test_only_indirect_light_falls_on_the_scene_by_night():
    """Counted from the place's lux; the closed room whose surfaces reflect what those of the places do (Sumpner)."""
    for name in SCENES:
        scene = make_scene(0, name)
        direct = camera.electrons_of_white(scene.night_lux, 1 / 25)
        dark = exposure(scene, "dark", 1.0, np.random.default_rng(1))
        assert 0.8 * 0.1 * direct <= dark.electrons <= 1.25 * 0.1 * direct and dark.gain == 16
        day = exposure(scene, "daylight", 1.0, np.random.default_rng(1))
        assert 1.4 * camera.FULL_WELL <= day.electrons * day.gain <= 2.2 * camera.FULL_WELL
    surfaces = [
        [s.wall_albedo, s.floor_albedo, *(p.albedo for p in s.panels)] for s in (make_scene(0, n) for n in SCENES)
    ]
    reflectance = np.mean([np.mean(s) for s in surfaces])
    assert reflectance / (1 - reflectance) == pytest.approx(INDIRECT_SHARE, rel=0.15)


def _ten_frames(pick) -> np.ndarray:
    """Of a take in the scene that has the least (`min`) or the most light (`max`) by night."""
    takes = [t for t in plan_takes(0) if t.lighting == "dark"]
    take = pick(takes, key=lambda t: make_scene(0, t.scene).night_lux)
    return render_take(take, 0, modalities=("rgb",), only=range(20, 30))["rgb"]


@pytest.fixture(scope="module")
def darkest() -> np.ndarray:
    return _ten_frames(min)


def test_the_darkest_scene_is_black_and_the_brightest_shows_more_than_noise(darkest):
    """Nothing is to be seen as it is; an average over frames of the brightest scene shows the person."""

    def above_noise(frames: np.ndarray) -> float:
        gray = frames.astype(float).mean(3)
        return gray.mean(0).std() / (gray.std(0, ddof=1).mean() / np.sqrt(len(frames)))

    brightest = _ten_frames(max)
    assert darkest.shape[1:3] == SIZES["rgb"][::-1]
    assert darkest.mean() < brightest.mean() < 10
    assert above_noise(darkest) < 1.2 and above_noise(brightest) > 1.8


def test_the_noise_of_the_dark_survives_the_video(darkest, tmp_path):
    def noise(frames: np.ndarray) -> np.ndarray:
        return np.diff(frames.astype(float) @ [0.299, 0.587, 0.114], axis=0)

    write_video(tmp_path / "dark.mp4", darkest, 25, DARK_CRF)
    stored = read_frames(str(tmp_path / "dark.mp4"), range(len(darkest)))
    rendered, kept = noise(darkest), noise(stored)
    assert kept.std() == pytest.approx(rendered.std(), rel=0.35)
    assert np.corrcoef(rendered.ravel(), kept.ravel())[0, 1] > 0.7
