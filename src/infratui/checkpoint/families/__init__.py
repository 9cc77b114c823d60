"""Model families: each turns a Hugging Face configuration into layers."""
