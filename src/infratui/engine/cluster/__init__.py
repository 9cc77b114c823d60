"""The one picture of nodes, links and how a deployment is laid over them."""
