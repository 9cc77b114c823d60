"""What is really there: listings of hardware and start-up logs of serving engines, read from text into values."""
