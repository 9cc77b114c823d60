"""The Parallelism screen: how a model is split over GPUs, what that sends, and how fast it is."""
