"""ViT (Dosovitskiy et al. 2020, https://arxiv.org/abs/2010.11929): a Transformer's encoder over patches of an image."""

from ...cards import Card, Pruning, Weights
from ...initialization import ZEROS, Normal

CARD = Card(
    model_type="vit",
    config="ViTConfig",
    image_processors=("ViTImageProcessor", "ViTFeatureExtractor"),
    bases=("ViTPreTrainedModel",),
    models={
        "base": "ViTModel",
        "masked-image-modeling": "ViTForMaskedImageModeling",
        "image-classification": "ViTForImageClassification",
    },
    weights=Weights(
        prefix="vit",
        heads=("classifier", "decoder"),
        optional=("pooler", "embeddings.mask_token"),
        per_head=Pruning(
            rows=tuple(f"encoder.layer.{{}}.attention.attention.{part}" for part in ("query", "key", "value")),
            columns=("encoder.layer.{}.attention.output.dense",),
        ),
        initializers={
            "embeddings.cls_token": Normal(),
            "embeddings.position_embeddings": Normal(),
            "embeddings.mask_token": ZEROS,
        },
    ),
)

__getattr__ = CARD.export
