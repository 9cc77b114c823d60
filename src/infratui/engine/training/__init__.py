"""Memory of training: weights, gradients, optimizer and activations, by ZeRO stage and GPUs."""
