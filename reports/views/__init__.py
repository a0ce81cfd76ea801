"""The pages of the site: one module a page, or a package where it takes more than one.

Each declares a ``VIEW`` (``reports.page.View``): its title, its place in the navigation, when it is shown and how it is
built. Nothing else has to know of it.
"""

from __future__ import annotations

import importlib
import pkgutil

from reports.page import View


def find_views() -> list[View]:
    """The views of all modules here, in the order of the navigation.

    Raises:
        TypeError: a module declares none.
    """
    found = []
    for module in pkgutil.iter_modules(__path__, f"{__name__}."):
        view = getattr(importlib.import_module(module.name), "VIEW", None)
        if not isinstance(view, View):
            raise TypeError(f"{module.name} declares no VIEW: every module of reports.views is a page")
        found.append((view.order, module.name, view))
    return [view for _, _, view in sorted(found, key=lambda f: f[:2])]
