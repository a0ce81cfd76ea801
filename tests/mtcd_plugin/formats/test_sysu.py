import pytest

from mtcd_plugin.formats.sysu import read_sysu_mm01


@pytest.fixture
def root(tmp_path):
    """Persons 1, 2 (train), 3 (val), 4 (test); person 2 was seen by cameras 1 and 6 only."""
    for pid, cameras in {1: range(1, 7), 2: (1, 6), 3: (2, 3), 4: (4, 6)}.items():
        for cam in cameras:
            for number in (1, 2):
                path = tmp_path / f"cam{cam}" / f"{pid:04d}" / f"{number:04d}.jpg"
                path.parent.mkdir(parents=True, exist_ok=True)
                path.write_bytes(b"")
    (tmp_path / "exp").mkdir()
    for name, ids in {"train_id": "1,2\n", "val_id": "3", "test_id": "4,"}.items():
        (tmp_path / "exp" / f"{name}.txt").write_text(ids)
    return tmp_path


def test_train_takes_the_validation_people_and_cameras_3_and_6_are_infrared(root):
    images = read_sysu_mm01(str(root))
    train = [image for image in images if image.split == "train"]
    assert {image.pid for image in train} == {1, 2, 3}
    assert {image.pid for image in images if image.split == "test"} == {4}
    assert all(image.infrared == (image.cam in (3, 6)) for image in images)
    assert len([image for image in images if image.pid == 2]) == 4
    assert {image.cam for image in images if image.pid == 2} == {1, 6}
    assert all(f"cam{i.cam}/{i.pid:04d}/" in i.path for i in images)


@pytest.mark.parametrize(
    ("name", "text", "message"),
    [
        ("train_id", "1,two", "train_id.txt line 1: 'two' is not the number of a person, from 1 to 9999"),
        ("train_id", "1,-2", "'-2' is not the number of a person"),
        ("train_id", "1\n2,10000", "line 2: '10000' is not the number of a person"),
        ("train_id", "1 2", "'1 2' is not the number of a person, from 1 to 9999; commas separate them"),
        ("test_id", "", "test_id.txt: no people in it"),
        ("test_id", "2,4", "person 2 is both in the training and the test split"),
        ("val_id", "77", "no image of person 0077 of the train split"),
    ],
)
def test_bad_lists(root, name, text, message):
    (root / "exp" / f"{name}.txt").write_text(text)
    with pytest.raises((ValueError, FileNotFoundError), match=message):
        read_sysu_mm01(str(root))


def test_a_missing_list_is_named(root):
    (root / "exp" / "val_id.txt").unlink()
    with pytest.raises(FileNotFoundError, match="val_id.txt"):
        read_sysu_mm01(str(root))


def test_a_set_one_folder_further_down_is_named(tmp_path):
    (tmp_path / "SYSU-MM01" / "exp").mkdir(parents=True)
    with pytest.raises(FileNotFoundError, match="exp is not here but in SYSU-MM01/ below; move"):
        read_sysu_mm01(str(tmp_path))
