"""How fast a plan is: a calibrated roofline of one step, and what a server makes of such steps."""

from ..cluster.fabric import Fabric, fabric_of
from .constants import Band, ConstantFamily, Constants, Generation, Interval, Parameter
from .load import StepLoad, step_load
from .plan import Plan
from .rates import Rates, rates_of
from .serving import Mix, Serving, load_curve, predict_mix, queue_service, serve
from .step import StepTime, step_time
from .workload import Speculation, SpeedError, Workload

__all__ = [
    "Band",
    "ConstantFamily",
    "Constants",
    "Fabric",
    "Generation",
    "Interval",
    "Mix",
    "Parameter",
    "Plan",
    "Rates",
    "Serving",
    "Speculation",
    "SpeedError",
    "StepLoad",
    "StepTime",
    "Workload",
    "fabric_of",
    "load_curve",
    "predict_mix",
    "queue_service",
    "rates_of",
    "serve",
    "step_load",
    "step_time",
]
