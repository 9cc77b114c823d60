"""The VRAM screen: what one replica needs, and where it fits."""
