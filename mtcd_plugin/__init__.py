"""MGR-Dark, NvGesture and MTCD for MMAction2.

Importing this package is light. ``mtcd_plugin.register`` registers everything in MMAction2's registries
(``custom_imports = dict(imports=['mtcd_plugin.register'])``); ``mtcd_plugin.formats`` reads the on-disk formats
without torch.
"""
