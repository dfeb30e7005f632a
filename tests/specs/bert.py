"""BERT, for the tests."""

from tests.specs import Spec, text_batch

SPEC = Spec(
    model_type="bert",
    tiny=dict(
        vocab_size=101,
        hidden_size=36,
        num_hidden_layers=2,
        num_attention_heads=4,
        intermediate_size=53,
        max_position_embeddings=23,
        type_vocab_size=3,
        layer_norm_eps=0.05,
        num_labels=5,
    ),
    batch=text_batch(vocabulary=101, segments=3),
    mutations={"hidden_act": "gelu_new", "layer_norm_eps": 1e-6},
    square="encoder.layer.0.attention.self.query.weight",
    swap=("encoder.layer.1.attention.self.query.weight", "encoder.layer.1.attention.self.key.weight"),
    bias="encoder.layer.0.attention.self.query.bias",
)
