"""The MoE vs Dense screen: both models side by side, and the router of the mixture at work."""
