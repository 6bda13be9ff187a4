"""Fields of published files that change no number of our nets, each with its reason; all others are refused.

A family adds its own to those of every configuration.
"""

from collections.abc import Mapping

Reasons = Mapping[str, tuple[str, ...]]
"""Names of fields, by why they are without effect."""

CONFIG: Reasons = {
    "where it comes from": (
        *("_name_or_path", "name_or_path", "_commit_hash", "transformers_version", "architectures", "model_type"),
        *("transformers.js_config", "is_llama_config"),
    ),
    "of training alone": (
        *("initializer_range", "gradient_checkpointing", "use_cache", "finetuning_task", "problem_type"),
        *("output_past", "keys_to_ignore_at_inference"),
    ),
    "which numbers their code returns, and how fast it finds them": (
        *("output_hidden_states", "output_attentions", "return_dict", "chunk_size_feed_forward", "torchscript"),
        *("_attn_implementation", "attn_implementation", "_attn_implementation_autoset", "_output_attentions"),
        *("use_bfloat16", "tf_legacy_loss"),
    ),
    "the type of the numbers, which the weights say": ("dtype", "torch_dtype"),
    "names of classes, which a net without a head for classes does not use": ("id2label", "label2id", "num_labels"),
    "which tokens the tokenizer puts around a text, or where there is none: that is in its own file": (
        *("bos_token_id", "pad_token_id", "sep_token_id", "cls_token_id", "mask_token_id", "unk_token_id", "prefix"),
        *("eos_token_id", "decoder_start_token_id", "tokenizer_class"),
    ),
    "how their code chooses the next token, which `nw.generate(strategy=…)` decides here": (
        *("task_specific_params", "max_length", "min_length", "do_sample", "early_stopping", "num_beams"),
        *("num_beam_groups", "diversity_penalty", "temperature", "top_k", "top_p", "typical_p"),
        *("repetition_penalty", "length_penalty", "no_repeat_ngram_size", "encoder_no_repeat_ngram_size"),
        *("bad_words_ids", "num_return_sequences", "output_scores", "return_dict_in_generate"),
        *("forced_bos_token_id", "forced_eos_token_id", "remove_invalid_values", "exponential_decay_length_penalty"),
        *("suppress_tokens", "begin_suppress_tokens"),
    ),
}

BERT: Reasons = {
    "of training alone": ("hidden_dropout_prob", "attention_probs_dropout_prob", "classifier_dropout"),
    "of heads that are no part of the net": (
        *("tie_word_embeddings", "directionality", "pooler_fc_size", "pooler_num_attention_heads"),
        *("pooler_num_fc_layers", "pooler_size_per_head", "pooler_type"),
    ),
}

GPT2: Reasons = {
    "of training alone": ("resid_pdrop", "embd_pdrop", "attn_pdrop"),
    "of a head whose weights have no place": (
        *("summary_type", "summary_use_proj", "summary_activation", "summary_proj_to_labels", "summary_first_dropout"),
    ),
    "the order of the same products": ("reorder_and_upcast_attn",),
    "the size of a mask, which is no smaller than the positions": ("n_ctx",),
}

LLAMA: Reasons = {
    "of training alone": ("attention_dropout",),
    "how many parts a product is cut into": ("pretraining_tp",),
    "for how long texts it was trained; nothing ends there": ("max_position_embeddings",),
}

VIT: Reasons = {
    "of training alone": ("hidden_dropout_prob", "attention_probs_dropout_prob"),
    "of layers that are no part of the net": ("encoder_stride", "pooler_output_size", "pooler_act"),
}

GENERATION: Reasons = {
    "where it comes from": ("_from_model_config", "transformers_version"),
    "which tokens the tokenizer puts around a text": ("bos_token_id", "pad_token_id", "decoder_start_token_id"),
    "how their code chooses the next token, which `nw.generate(strategy=…)` decides here": (
        *("max_length", "max_new_tokens", "max_time", "do_sample", "num_beams", "num_beam_groups", "early_stopping"),
        *("temperature", "top_k", "top_p", "min_p", "typical_p", "epsilon_cutoff", "eta_cutoff", "length_penalty"),
        *("diversity_penalty", "num_return_sequences", "penalty_alpha"),
    ),
    "which numbers their code returns, and how fast it finds them": (
        *("use_cache", "cache_implementation", "output_attentions", "output_hidden_states", "output_scores"),
        *("output_logits", "return_dict_in_generate", "num_assistant_tokens", "num_assistant_tokens_schedule"),
        *("prompt_lookup_num_tokens", "assistant_confidence_threshold", "low_memory"),
    ),
}

TOKENIZER: Reasons = {
    "where it comes from, and what other files say": (
        *("tokenizer_class", "name_or_path", "special_tokens_map_file", "tokenizer_file", "processor_class"),
        *("backend", "is_local", "local_files_only", "vocab_file", "merges_file", "auto_map"),
    ),
    "names of pieces, which tokenizer.json puts where they belong": (
        *("bos_token", "eos_token", "unk_token", "sep_token", "pad_token", "cls_token", "mask_token"),
        *("additional_special_tokens", "extra_special_tokens", "model_specific_special_tokens", "chat_template"),
        "model_input_names",
    ),
    "how long a text may be, and with what it is filled, which the codec and the net say": (
        *("model_max_length", "max_length", "max_len", "padding_side", "truncation_side", "pad_to_multiple_of"),
        *("pad_token_type_id", "stride", "truncation_strategy", "padding"),
    ),
    "how pieces are shown as a text": (*("clean_up_tokenization_spaces", "spaces_between_special_tokens", "errors"),),
    "of the slow tokenizer that tokenizer.json was made from": (
        *("do_basic_tokenize", "never_split", "legacy", "sp_model_kwargs", "use_default_system_prompt", "use_fast"),
        "trim_offsets",
    ),
}

PIXELS: Reasons = {
    "where it comes from": ("processor_class", "_valid_processor_keys"),
    "pictures are always brought to three colours": ("do_convert_rgb",),
    "how their code holds pictures": (
        "data_format",
        "input_data_format",
        "return_tensors",
        "device",
        "disable_grouping",
    ),
    "what one number for the size means, which is two here": ("default_to_square",),
}

GGUF: Reasons = {
    "for how long texts it was trained; nothing ends there": ("llama.context_length",),
    "how its tensors are stored, which each says itself": ("general.file_type", "general.quantization_version"),
    "how its bytes lie, which its reader knows": ("general.alignment",),
    "names of pieces, and scores that byte-pair encoding has none of": (
        *("tokenizer.ggml.scores", "tokenizer.ggml.unknown_token_id", "tokenizer.ggml.padding_token_id"),
        *("tokenizer.ggml.seperator_token_id", "tokenizer.ggml.separator_token_id", "tokenizer.ggml.cls_token_id"),
        *("tokenizer.ggml.mask_token_id", "tokenizer.chat_template", "tokenizer.huggingface.json"),
    ),
}
ABOUT = r"general\.(?!architecture)[a-z0-9_.]+|quantize\.imatrix\.[a-z_]+|GGUF\.[a-z_]+"
"""What GGUF files say about themselves: titles, licences, sources, sizes of the header."""


def harmless_names(*tables: Reasons) -> frozenset[str]:
    """All fields of these tables."""
    return frozenset(name for table in tables for group in table.values() for name in group)
