"""The shapes of parameters, results, events and the data of errors."""

from .generated.types import *
