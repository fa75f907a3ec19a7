"""Every error of this package: the daemon's own, a class each, and the others."""

from .failure import *
from .generated.errors import *
