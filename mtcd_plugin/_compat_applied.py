"""Importing this module applies the shims of ``_compat``; subpackages that use MMAction2 import it first."""

from mtcd_plugin import _compat

_compat.apply()
