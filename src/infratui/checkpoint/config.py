"""A Hugging Face configuration → layers: finds the family, unwraps the text model, adds what is loaded beside it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

from ..engine.model.architecture import Extra
from .draft import Draft
from .errors import CheckpointError
from .families import dense, gemma4, hybrid, latent, mixture, windowed
from .families.vision import TOWERS
from .fields import Fields
from .text import safe_text


def _styled(style: dense.Style) -> Callable[[Fields], Draft]:
    return lambda config: dense.build(config, style)


FAMILIES: dict[str, Callable[[Fields], Draft]] = {
    **{name: _styled(style) for name, style in dense.STYLES.items()},
    "falcon": dense.falcon,
    "nemotron-nas": dense.decilm,
    "mixtral": mixture.mixtral,
    "qwen2_moe": mixture.qwen2_moe,
    "qwen3_moe": mixture.qwen3_moe,
    "glm4_moe": mixture.glm4_moe,
    "minimax_m2": mixture.minimax_m2,
    "minimax_m3": mixture.minimax_m3,
    "gpt_oss": mixture.gpt_oss,
    "llama4": mixture.llama4,
    "step3p5": mixture.step,
    "deepseek_v2": latent.deepseek,
    "deepseek_v3": latent.deepseek,
    "deepseek_v4": latent.deepseek_v4,
    "qwen3_next": hybrid.qwen_hybrid,
    "nemotron_h": hybrid.nemotron_h,
    "minimax_m1": hybrid.minimax_m1,
    "gemma4": gemma4.gemma4,
    "kimi_linear": hybrid.kimi_linear,
    "mimo": windowed.mimo,
    "mimo_v2": windowed.mimo_v2,
    "laguna": windowed.laguna,
    "hy_v3": windowed.hunyuan_v3,
}
"""Every family by the `model_type` that it is best known by."""

ALIASES = {
    "ministral": "mistral",
    "ministral3": "mistral",
    "mistral3": "mistral",
    "mistral3_text": "mistral",
    "phi4": "phi3",
    "phi": "",
    "gemma3_text": "gemma3",
    "gemma4_text": "gemma4",
    "gemma4_unified": "gemma4",
    "falcon3": "llama",
    "RefinedWeb": "falcon",
    "RefinedWebModel": "falcon",
    "olmo_hybrid": "",
    "qwen3_vl": "qwen3",
    "qwen3_vl_text": "qwen3",
    "qwen3_vl_moe": "qwen3_moe",
    "qwen3_vl_moe_text": "qwen3_moe",
    "qwen3_5": "qwen3_next",
    "qwen3_5_text": "qwen3_next",
    "qwen3_5_moe": "qwen3_next",
    "qwen3_5_moe_text": "qwen3_next",
    "kimi_k3": "kimi_linear",
    "mimo_v2_flash": "mimo_v2",
    "kimi_k2": "deepseek_v3",
    "kimi_k25": "deepseek_v3",
    "deepseek_v32": "deepseek_v3",
    "glm_moe_dsa": "deepseek_v3",
    "glm4_moe_lite": "deepseek_v3",
    "llama4_text": "llama4",
    "minimax": "minimax_m1",
    "minimax_text_01": "minimax_m1",
    "MiniMaxText01": "minimax_m1",
    "MiniMaxM1": "minimax_m1",
    "minimax_m3_vl": "minimax_m3",
    "minimax_m3_sparse": "minimax_m3",
    "minimax_m3_text": "minimax_m3",
    "deci": "nemotron-nas",
    "step3p5_text": "step3p5",
    "step3p7": "step3p5",
    "step3p7_text": "step3p5",
}
"""Other names of the same architectures; an empty name says that it only resembles one and is refused."""

ARCHITECTURES = {
    "DeepseekV2ForCausalLM": "deepseek_v2",
    "DeepseekV3ForCausalLM": "deepseek_v3",
    "DeepseekV32ForCausalLM": "deepseek_v3",
    "DeepseekV4ForCausalLM": "deepseek_v4",
    "DeciLMForCausalLM": "nemotron-nas",
    "FalconForCausalLM": "falcon",
    "GptOssForCausalLM": "gpt_oss",
    "HYV3ForCausalLM": "hy_v3",
    "KimiLinearForCausalLM": "kimi_linear",
    "LagunaForCausalLM": "laguna",
    "LlamaForCausalLM": "llama",
    "MiMoForCausalLM": "mimo",
    "MiMoV2FlashForCausalLM": "mimo_v2",
    "MiMoV2ForCausalLM": "mimo_v2",
    "MiniMaxM1ForCausalLM": "minimax_m1",
    "MiniMaxText01ForCausalLM": "minimax_m1",
    "MiniMaxM2ForCausalLM": "minimax_m2",
    "MistralForCausalLM": "mistral",
    "MixtralForCausalLM": "mixtral",
    "NemotronHForCausalLM": "nemotron_h",
    "Qwen2ForCausalLM": "qwen2",
    "Qwen3ForCausalLM": "qwen3",
    "Qwen3MoeForCausalLM": "qwen3_moe",
    "Qwen3NextForCausalLM": "qwen3_next",
    "Step3p5ForCausalLM": "step3p5",
}
"""By class name, for configurations whose `model_type` is their maker's own."""


def family_of(config: Fields) -> str:
    """The family that a configuration belongs to, or CheckpointError that names what is not known."""
    model_type = config.text("model_type")
    name = ALIASES.get(model_type, model_type)
    if name in FAMILIES:
        return name
    classes = config.texts("architectures") or ()
    for architecture in classes:
        if architecture in ARCHITECTURES:
            return ARCHITECTURES[architecture]
    if not model_type and not classes:
        raise config.missing("model_type", "the name of the architecture, such as 'llama',")
    shown = safe_text(model_type or classes[0], 60)
    raise CheckpointError(
        f"{config.at('model_type')}: architecture {shown!r} is not known, so its layers cannot be counted;"
        " describe the model in your own catalog instead"
    )


def text_model(config: Fields) -> Fields:
    """The decoder's own configuration: the wrapper's, or the text model inside it."""
    inner = config.section("text_config") or config.section("llm_config") or config.section("language_config")
    if inner is None:
        return config
    # A wrapper may keep shared facts to itself; those of the text model win.
    kept = {
        key: config.values[key]
        for key in ("tie_word_embeddings", "torch_dtype", "dtype", "architectures")
        if key in config
    }
    inner_values = {key: value for key, value in inner.values.items() if value is not None}
    if "tie_word_embeddings" in kept:
        # The library writes the default into nested configurations; the wrapper's flag is the one that acts.
        inner_values.pop("tie_word_embeddings", None)
    if not inner_values.get("model_type"):
        kept["model_type"] = config.text("model_type")
    return Fields({**kept, **inner_values}, inner.where)


def draft_of(config: Fields) -> tuple[Draft, str]:
    """Layers and family of a whole configuration, vision tower included."""
    text = text_model(config)
    try:
        family = family_of(text)
    except CheckpointError:
        # Remote-code wrappers name only themselves; their own name may still say what is inside.
        if text is config:
            raise
        family = family_of(config)
    draft = FAMILIES[family](text)
    return _with_vision(config, draft), family


def _with_vision(config: Fields, draft: Draft) -> Draft:
    model_type = config.text("model_type")
    vision = config.section("vision_config")
    if model_type == "llama4" and vision is None and "text_config" in config:
        vision = Fields({}, config.at("vision_config"))
    if vision is None:
        return draft
    tower = TOWERS.get(model_type)
    if tower is None:
        shown = safe_text(model_type, 60)
        return replace(draft, warnings=(*draft.warnings, f"the vision part of {shown!r} is not known and not counted"))
    extra = Extra("vision", tower(vision, draft.hidden_size), loaded=True)
    return replace(draft, extras=(*draft.extras, extra))
