"""How the paper's ambiguous equations are interpreted: by default, and by the runs of a ledger as their configs say."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from harness.ledger.record import RunRecord
from harness.suite.dotted import ABSENT, get_dotted
from reports.ledger.config import look
from reports.ledger.context import ReportContext


@dataclass(frozen=True)
class Setting:
    """A key in which an interpretation stands: its place in the config of a stage, and its value by default.

    ``parents.<stage>`` is no key but the config that was run before.
    """

    stage: str
    key: str
    default: Any


@dataclass(frozen=True)
class Interpretation:
    where: str
    open: str
    taken: str
    others: str
    settings: tuple[Setting, ...] = ()


@dataclass(frozen=True)
class Used:
    """What the runs have for a setting. ``differs``: how, where it is not the default."""

    setting: Setting
    text: str
    differs: str = ""


def _of(stage: str, **defaults: Any) -> tuple[Setting, ...]:
    """Settings of ``model`` of a stage; ``__`` in a name is a dot."""
    return tuple(Setting(stage, "model." + k.replace("__", "."), v) for k, v in defaults.items())


INTERPRETATIONS = (
    Interpretation(
        "Eq. 2",
        "K is called the number of images, but the sum runs over classes",
        "cross-entropy, averaged over the batch; K is the number of people",
        "label smoothing",
        _of("encoder", label_smoothing=0.0),
    ),
    Interpretation(
        "Eq. 3, 4",
        "both distances carry the same name; margin and weight are not given",
        "hinge on the hardest positive and negative of the batch, Euclidean, margin 0.3, weight 1",
        "soft margin, margin 0, infrared images for the second encoder",
        (
            *_of("encoder", triplet_weight=1.0, margin=0.3, soft_margin=False),
            Setting("encoder", "train_dataloader.dataset.images", "rgb"),
        ),
    ),
    Interpretation(
        "Section 4.1",
        "dark frames lie far outside of what the translator is pretrained on",
        "percentiles stretched to 0 … 1 and one gamma per clip before translation",
        "none (literal), gamma alone, CLAHE",
        _of("pseudo_ir", pre_enhance="stretch"),
    ),
    Interpretation(
        "Section 4.1",
        "whether the translator is adapted to the target",
        "no: SYSU-MM01 alone, in the draft's words (small profiles fine-tune it, which is said beside)",
        "fine-tuned on the infrared of the training split, optionally with an L1 term on registered pairs",
        (
            Setting("pseudo_ir", "parents.translator", "mtcd_translator_sysu-mm01"),
            *_of("translator", paired_weight=0.0, registration=None),
        ),
    ),
    Interpretation(
        "Section 4.1",
        "how the translator's losses are computed; the text names structured domain adaptation",
        "as its published code: L1 on normalised images, relations of GeM "
        "features after batch norm, flip, pad and crop",
        "other padding and flipping, or none",
        _of("translator", augment__flip_prob=0.5, augment__pad=10),
    ),
    Interpretation(
        "Eq. 5–7",
        "the norm of a pair of features, with no minus between them",
        "half the squared distance of the two projected features",
        "L2 on raw features, mean squared, cosine, smooth L1",
        _of("student", distance="normalized_l2"),
    ),
    Interpretation(
        "Eq. 5–7",
        "the scale of the distance, on which alpha and beta depend, is not given",
        "projections have unit length; squared distance averaged over positions and clips",
        "raw sum, raw mean",
        _of("student", reduction="mean"),
    ),
    Interpretation(
        "Eq. 5–7",
        "whether features are maps or vectors; infrared sees from elsewhere, so maps do not align",
        "the converter's output, pooled over space and kept in time",
        "full map, one vector",
        _of("student", projection__level="time"),
    ),
    Interpretation(
        "Eq. 5–7",
        "if all projections learn together, all of them going to zero is a perfect solution",
        "the projections of teacher and assistant are trained with their own "
        "networks, then frozen; the student's learns",
        "convolution with batch norm, fixed random projection, identity",
        _of("student", projection__kind="linear"),
    ),
    Interpretation(
        "Eq. 5–7",
        "who is updated",
        "only the end of each arrow: the student never moves teacher or assistant",
        "teachers that are trained in the same job, with gradients in both directions",
        _of("student", bidirectional=False, teachers__teacher__train=False, teachers__assistant__train=False),
    ),
    Interpretation(
        "Eq. 6",
        "printed with the student's losses, but missing from Eq. 10",
        "trains the assistant in its own stage, beside its cross-entropy, with weight 1 (gamma)",
        "its weight; joint training with the student, weighed by the student's gamma",
        (*_of("assistant", beta=1.0), *_of("student", gamma=1.0)),
    ),
    Interpretation(
        "Eq. 7",
        "the fused feature is not defined",
        "mean of the projected features of teacher and assistant, detached",
        "sum, maximum, assistant alone, learned: a gate, concatenation or attention, trained with the assistant",
        (*_of("student", fusion="mean"), *_of("assistant", student__cls_head__learned_fusion="")),
    ),
    Interpretation(
        "Eq. 8, 9",
        "which tensor each attention sees; a 3 × 3 kernel on a pooled map has one live tap",
        "spatial attention on the map, then temporal attention with a kernel of 3 over time on the pooled map",
        "both on the input, attention over channels, other kernels, a kernel of 1 over time",
        _of(
            "student",
            student__neck__source="cascade",
            student__neck__conv_kernel=[1, 1, 1],
            student__neck__spatial_kernel=3,
            student__neck__temporal="time",
            student__neck__temporal_kernel=3,
        ),
    ),
    Interpretation(
        "Fig. 5",
        "whether the converter belongs to the student at test time",
        "it does: what is drawn between backbone and head stays",
        "for distillation only",
        _of("student", converter_at_test=True),
    ),
    Interpretation(
        "Eq. 10",
        "the text gives the symbol alpha to both weights",
        "alpha weighs Fusion → RGB (0.9), beta weighs IR → RGB (0.3)",
        "any weights",
        _of("student", alpha=0.9, beta=0.3),
    ),
    Interpretation(
        "Table 4, row 3",
        "without fusion nothing of the assistant reaches the student in Eq. 10",
        "the assistant alone takes the place of the fused feature",
        "—",
    ),
    Interpretation(
        "Table 4, row 1",
        "called a depth baseline in the text",
        "the RGB student with cross-entropy alone",
        "—",
    ),
    Interpretation(
        "Eq. 11",
        "the recognition rate carries the name of the cross-entropy",
        "top-1 accuracy over all test clips",
        "top-5 and mean class accuracy stand beside it",
    ),
)


def used_interpretations(context: ReportContext) -> list[tuple[Interpretation, tuple[Used, ...]]]:
    """Every interpretation with what the configs as they stand (no variants) have in this ledger, stage by stage."""
    return [(r, tuple(_used(context, s) for s in r.settings)) for r in INTERPRETATIONS]


def _used(context: ReportContext, setting: Setting) -> Used:
    values = [value(context, setting, r) for r in _records(context, setting.stage)]
    if not values:
        return Used(setting, f"{_show(setting.default)} by default; no such stage has been run")
    distinct = sorted({_show(v) for v in values})
    other = [v for v in distinct if v != _show(setting.default)]
    differs = "" if not other else "not the default" if other == distinct else "not only the default"
    return Used(setting, " or ".join(distinct), differs)


def _records(context: ReportContext, stage: str) -> list[RunRecord]:
    """Runs of MTCD's stage on these pages whose config has no override, the control renderings aside."""
    return [
        r
        for r in context.ledger.shown_records
        if r.cell.stage == stage and not r.cell.overrides and look(r.identity.config, "model.type") in MODELS[stage]
    ]


MODELS = {
    "encoder": ("IdentityEncoder",),
    "translator": ("SDATranslator",),
    "pseudo_ir": ("TrainedTranslator",),
    "assistant": ("CrossModalDistiller",),
    "student": ("CrossModalDistiller",),
}


def value(context: ReportContext, setting: Setting, record: RunRecord) -> Any:
    """The value of a setting in a run; the default where its config leaves it out."""
    if setting.key.startswith("parents."):
        parent = record.identity.parents.get(setting.key.removeprefix("parents."), "")
        known = context.ledger.records.get(parent)
        return known[1].cell.model if known else setting.default
    found = get_dotted(record.identity.config, setting.key)
    return setting.default if found is ABSENT else found


def _show(v: Any) -> str:
    if isinstance(v, bool):
        return "yes" if v else "no"
    if isinstance(v, float):
        return f"{v:g}"
    if isinstance(v, (list, tuple)):
        return " × ".join(map(_show, v))
    return "none" if v in (None, "") else str(v)
