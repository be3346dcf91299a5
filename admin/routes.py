"""Every page: the ROUTES of each module in `handlers`, so that no list of chapters could forget one."""

from __future__ import annotations

from importlib import import_module
from pkgutil import iter_modules

from admin import handlers
from admin.handler import UnknownPage
from server.kernel.web import Route

ONLY_IN_A_DEMONSTRATION = {"demonstration", "simulator"}
"""Open to anybody: the program mounts them where nothing is real."""
ROUTES: list[Route] = [
    route
    for module in iter_modules(handlers.__path__)
    if module.name not in ONLY_IN_A_DEMONSTRATION
    for route in import_module(f"{handlers.__name__}.{module.name}").ROUTES
]
NOT_FOUND = UnknownPage
