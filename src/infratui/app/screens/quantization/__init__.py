"""The Quantization screen: precisions side by side, and the bit lab."""
