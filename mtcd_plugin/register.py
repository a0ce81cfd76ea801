"""Import this module to register everything of the plugin in MMAction2's registries.

Configs do it with ``custom_imports = dict(imports=['mtcd_plugin.register'],
allow_failed_imports=False)``. Each subpackage's ``__init__`` imports the modules that register
something, one line per module.
"""

from mtcd_plugin import datasets, engine, evaluation, models, transforms
from mtcd_plugin.models.weights import init_cfg

init_cfg.install()

__all__ = ["datasets", "engine", "evaluation", "models", "transforms"]
