"""The modality translator: structured domain adaptation with a cycle GAN (paper, section 4.1)."""

from __future__ import annotations

import logging

import torch
from mmaction.registry import MODELS
from mmengine.logging import print_log
from mmengine.optim import OptimWrapperDict
from torch import Tensor

from mtcd_plugin.models.distillers.checkpoints import load_network, read_checkpoint
from mtcd_plugin.models.heads.projected_head import labels_of
from mtcd_plugin.models.translators.base import Translator, frames_of
from mtcd_plugin.models.translators.images import flip_pad_crop, normalized_l1
from mtcd_plugin.models.translators.losses import least_squares, relation_consistency
from mtcd_plugin.models.translators.low_light_enhance import ENHANCEMENTS, low_light_enhance
from mtcd_plugin.models.translators.networks import ImagePool
from mtcd_plugin.models.translators.registration import covered, warp

IDENTITIES = ("label", "subject")
NETWORKS = ("to_ir", "to_rgb", "discriminator_ir", "discriminator_rgb")  # what a translation stage trains
FORMER = {"discriminator_ir.": "judge_ir.", "discriminator_rgb.": "judge_rgb."}  # prefixes in files of earlier versions


@MODELS.register_module()
class SDATranslator(Translator):
    """Two generators (RGB -> infrared and back), two PatchGAN discriminators, and two frozen encoders that hold the
    relations between identities.

    Loss of the generators: LSGAN in both directions + ``cycle_weight`` * L1 cycle + ``identity_weight`` * L1 identity
    + ``relation_weight`` * online relation consistency. L1 is taken on normalised images, as all networks see them, and
    the relations are those of the encoders' features after batch norm, as in structured domain adaptation. Loss of the
    discriminators: half of real + fake, with pools of ``pool_size`` images. All of these are means over a batch of RGB
    and one of infrared: which infrared image meets which RGB image is of no account to them. ``paired_weight`` * L1 (on
    grey levels in 0..1) to the true infrared can be added where they are pairs.

    Args:
        generator, discriminator: configs; the RGB -> infrared generator is made grey.
        rgb_encoder, ir_encoder: ``dict(model=..., checkpoint='...')`` of the frozen encoders F_s and F_t;
            None switches relation consistency off.
        init_from: checkpoint of a translator to start from (fine-tuning on the target), '' for none.
        paired_weight: needs RGB and infrared of the same instant.
        registration: (sx, sy, dx, dy), the place of the infrared image in the RGB view, see :func:`warp` and
            :func:`estimate_registration`; None takes the views as equal. It holds for images as they are: not with
            ``augment``.
        identity: what relation consistency takes for an identity: ``label`` (person of SYSU-MM01, gesture of
            the target) or ``subject``.
        augment: arguments of :func:`flip_pad_crop` for training, after brightening; None for none.

    ``train_step`` takes ``inputs['rgb']`` and ``inputs['ir']``, uint8 [1, C, T, H, W] each; all their frames
    are used.
    """

    def __init__(
        self,
        generator: dict,
        discriminator: dict,
        rgb_encoder: dict | None = None,
        ir_encoder: dict | None = None,
        init_from: str = "",
        identity: str = "label",
        cycle_weight: float = 10.0,
        identity_weight: float = 5.0,
        relation_weight: float = 1.0,
        paired_weight: float = 0.0,
        registration: tuple[float, float, float, float] | None = None,
        pool_size: int = 50,
        augment: dict | None = None,
        **kwargs,
    ) -> None:
        super().__init__(**kwargs)
        if identity not in IDENTITIES:
            raise ValueError(f"SDATranslator: identity '{identity}' is unknown; choose from {', '.join(IDENTITIES)}")
        if augment and registration is not None:
            raise ValueError(
                "SDATranslator: registration holds for images as they were taken; set model.augment=None with it"
            )
        self.identity, self.init_from, self.augment = identity, init_from, augment
        self.cycle_weight, self.identity_weight = cycle_weight, identity_weight
        self.relation_weight, self.paired_weight = relation_weight, paired_weight
        self.register_load_state_dict_pre_hook(rename_former)
        self.to_ir = MODELS.build({**generator, "gray": True})
        self.to_rgb = MODELS.build(generator)
        self.discriminator_ir = MODELS.build(discriminator)
        self.discriminator_rgb = MODELS.build(discriminator)
        self.encoder_files = {}
        if relation_weight and rgb_encoder and ir_encoder:
            self.rgb_encoder, self.ir_encoder = (
                MODELS.build(rgb_encoder["model"]),
                MODELS.build(ir_encoder["model"]),
            )
            self.encoder_files = {
                "rgb_encoder": rgb_encoder["checkpoint"],
                "ir_encoder": ir_encoder["checkpoint"],
            }
            for encoder in (self.rgb_encoder, self.ir_encoder):
                encoder.requires_grad_(False)
        self.registration = registration
        self.register_buffer("image_size", torch.zeros(2, dtype=torch.int64))  # height, width; saved with the weights
        self.pools = {"rgb": ImagePool(pool_size), "ir": ImagePool(pool_size)}
        self.train(self.training)

    def init_weights(self) -> None:
        for name in NETWORKS:
            getattr(self, name).init_weights()
        for name, path in self.encoder_files.items():
            if not path:
                raise ValueError(
                    f"model.{name}.checkpoint is empty: train the encoder first, or set model.relation_weight=0"
                )
            load_network(getattr(self, name), path, f"model.{name}", stages=("encoder",))
        if self.init_from:
            load_translator(self, self.init_from, "model.init_from")

    def train(self, mode: bool = True) -> SDATranslator:
        """The encoders stay in eval mode."""
        super().train(mode)
        for name in self.encoder_files:
            getattr(self, name).eval()
        return self

    def generate(self, images: Tensor) -> Tensor:
        """float [N, 3, H, W] in [0, 1] -> the same, grey."""
        return self.to_ir(images)

    def train_step(self, data: dict, optim_wrapper: OptimWrapperDict) -> dict[str, Tensor]:
        """One step of both generators, then of both discriminators."""
        data = self.data_preprocessor(data, True)
        rgb, ir, identities = self.frames(data["inputs"], data["data_samples"])
        self.image_size.copy_(torch.tensor(rgb.shape[2:]))
        losses, fakes = self.generator_losses(rgb, ir, identities)
        total, log = self.parse_losses(losses)
        optim_wrapper["generator"].update_params(total)
        losses = self.discriminator_losses(rgb, ir, fakes)
        total, more = self.parse_losses(losses)
        optim_wrapper["discriminator"].update_params(total)
        log["loss_generator"], more["loss_discriminator"] = log.pop("loss"), more.pop("loss")
        return {**log, **more, "loss": log["loss_generator"]}

    def frames(self, inputs: dict, data_samples: list) -> tuple[Tensor, Tensor, Tensor]:
        """RGB and infrared frames, float [N * T, 3, H, W] each, and the identity of each RGB frame, int64 [N * T]."""
        rgb, ir = low_light_enhance(frames_of(inputs["rgb"]), self.pre_enhance), frames_of(inputs["ir"])
        if self.registration is not None:
            ir = warp(ir.flatten(0, 1), self.registration).unflatten(0, ir.shape[:2])
        if self.training and self.augment:
            rgb, ir = flip_pad_crop([rgb, ir], **self.augment)
        if self.identity == "subject":
            names = sorted({s.metainfo["subject"] for s in data_samples})
            identities = torch.tensor([names.index(s.metainfo["subject"]) for s in data_samples], device=rgb.device)
        else:
            identities = labels_of(data_samples, rgb.device)
        return rgb.flatten(0, 1), ir.flatten(0, 1), identities.repeat_interleave(rgb.shape[1])

    def generator_losses(self, rgb: Tensor, ir: Tensor, identities: Tensor) -> tuple[dict, dict]:
        """Losses of the generators, and the fakes they made."""
        for discriminator in (self.discriminator_ir, self.discriminator_rgb):
            discriminator.requires_grad_(False)  # the generators' gradient passes through, not into them
        fake_ir, fake_rgb = self.to_ir(rgb), self.to_rgb(ir)
        losses = {
            "loss_gan_ir": least_squares(self.discriminator_ir(fake_ir), True),
            "loss_gan_rgb": least_squares(self.discriminator_rgb(fake_rgb), True),
            "loss_cycle": self.cycle_weight
            * (normalized_l1(self.to_rgb(fake_ir), rgb) + normalized_l1(self.to_ir(fake_rgb), ir)),
        }
        if self.identity_weight:
            losses["loss_identity"] = self.identity_weight * (
                normalized_l1(self.to_ir(ir), ir) + normalized_l1(self.to_rgb(rgb), rgb)
            )
        if self.encoder_files:
            with torch.no_grad():
                original = self.rgb_encoder.embed(rgb)
            relation = relation_consistency(self.ir_encoder.embed(fake_ir), original, identities)
            losses["loss_relation"] = self.relation_weight * relation
        if self.paired_weight:
            difference = (fake_ir - ir).abs()
            if self.registration is not None:  # only where the infrared camera has seen anything
                difference = difference[..., covered(*ir.shape[2:], self.registration).to(ir.device)]  # type: ignore[call-arg]  # height and width
            losses["loss_paired"] = self.paired_weight * difference.mean()
        return losses, {"ir": fake_ir, "rgb": fake_rgb}

    def discriminator_losses(self, rgb: Tensor, ir: Tensor, fakes: dict[str, Tensor]) -> dict[str, Tensor]:
        """Losses of the discriminators; of the fakes they see what the pools give."""
        losses = {}
        for name, discriminator, real in (("ir", self.discriminator_ir, ir), ("rgb", self.discriminator_rgb, rgb)):
            discriminator.requires_grad_(True)
            fake = self.pools[name].query(fakes[name])
            both = least_squares(discriminator(real), True) + least_squares(discriminator(fake), False)
            losses[f"loss_discriminator_{name}"] = 0.5 * both
        return losses

    def training_state(self) -> dict:
        """What a step depends on besides weights and optimizers: the images in the pools."""
        return {"pools": {name: pool.state() for name, pool in self.pools.items()}}

    def load_training_state(self, state: dict) -> None:
        """Go on from what :meth:`training_state` gave."""
        device = self.image_size.device
        for name, pool in self.pools.items():
            pool.images = [image.to(device) for image in state["pools"][name]]


@MODELS.register_module()
class TrainedTranslator(Translator):
    """The RGB -> infrared generator of a trained :class:`SDATranslator`, for rendering and for use on the fly.

    Args:
        generator: config of the generator that was trained.
        checkpoint: file of the translator's stage; it is read before the first use.

    It is fully convolutional; frames of another size than it was trained on are translated, with one warning.
    """

    def __init__(self, generator: dict, checkpoint: str = "", **kwargs) -> None:
        super().__init__(**kwargs)
        self.to_ir = MODELS.build({**generator, "gray": True})
        self.checkpoint, self.loaded = checkpoint, False
        self.train_size: tuple[int, int] | None = None  # (height, width); None where the file does not say
        self.requires_grad_(False)

    def prepare(self) -> None:
        if self.loaded:
            return
        if not self.checkpoint:
            raise ValueError(
                "model.checkpoint of the translator is empty: train the translator first and give its file"
            )
        load_translator(self, self.checkpoint, "translator")
        size = read_checkpoint(self.checkpoint, "translator")["state_dict"].get("image_size")
        self.train_size = tuple(size.tolist()) if size is not None and int(size.min()) > 0 else None
        self.loaded = True

    def generate(self, images: Tensor) -> Tensor:
        """float [N, 3, H, W] in [0, 1] -> the same, grey."""
        if self.train_size not in (None, tuple(images.shape[2:])):
            (height, width), (h, w) = self.train_size, images.shape[2:]
            self.train_size = None
            print_log(
                f"translator: {self.checkpoint} was trained on {width} x {height} images and translates {w} x {h} "
                "frames; fine-tune it at that size (model.init_from) if people are of another height in them",
                logger="current",
                level=logging.WARNING,
            )
        return self.to_ir(images)


def load_translator(translator: Translator, path: str, what: str) -> dict:
    """Load what a translation stage trained, whatever ``translator`` has of it; see :func:`load_network`.

    Raises:
        ValueError: in addition, the file was trained with another ``pre_enhance``.
    """
    meta = {}
    for name in NETWORKS:
        if hasattr(translator, name):
            prefix = f"{name}."
            meta = load_network(
                getattr(translator, name), path, what, ("translator",), prefix, former=FORMER.get(prefix, "")
            )
    trained = read_checkpoint(path, what)["state_dict"].get("enhancement")
    if trained is not None and int(trained) != int(translator.enhancement):
        raise ValueError(
            f"{what}: {path} was trained with pre_enhance='{ENHANCEMENTS[int(trained)]}', "
            f"the config says '{translator.pre_enhance}'"
        )
    return meta


def rename_former(_translator: Translator, state_dict: dict[str, Tensor], prefix: str, *_) -> None:
    """Load-state hook: weights of files of earlier versions get today's names."""
    for name, former in FORMER.items():
        for key in [k for k in state_dict if k.startswith(prefix + former)]:
            state_dict[prefix + name + key[len(prefix + former) :]] = state_dict.pop(key)
