"""hinterland: adapt a language model to a domain, and see who the filters leave out.

The rooms are subpackages: ``core``, ``curate``, ``indexes``, ``rag``, ``adapt``,
``eval``, ``demo``. Importing this package imports none of them, so that the command
line stays fast.
"""

__version__ = "0.1.0"
__all__ = ["__version__"]
