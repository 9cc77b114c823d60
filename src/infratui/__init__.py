"""infratui: LLM inference infrastructure, sized in your terminal."""

__version__ = "0.1.0"
