"""ConvNeXT (Liu et al. 2022, https://arxiv.org/abs/2201.03545): a convolutional network built as Transformers are."""

from ...cards import Card, Weights
from ...initialization import Constant

CARD = Card(
    model_type="convnext",
    config="ConvNextConfig",
    image_processors=("ConvNextImageProcessor", "ConvNextFeatureExtractor"),
    bases=("ConvNextPreTrainedModel",),
    models={
        "base": "ConvNextModel",
        "image-classification": "ConvNextForImageClassification",
        "backbone": "ConvNextBackbone",
    },
    weights=Weights(
        prefix="convnext",
        heads=("classifier",),
        optional=("layernorm", "hidden_states_norms"),
        initializers={"encoder.stages.*.layers.*.layer_scale_parameter": Constant("layer_scale_init_value")},
        native_index=".",
    ),
)

__getattr__ = CARD.export
