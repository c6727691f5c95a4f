"""Lines of business. Each is a module here, by the name of the line; its `RISK` is what the line insures.

The lines are found and not listed, so that a further one adds files and changes none: its risk here, its facts in
`services/quote/domain/products`, its product documents. What channels may send is the union of all risks.
"""

from enum import StrEnum
from functools import reduce
from importlib import import_module
from operator import or_
from pkgutil import iter_modules
from typing import TYPE_CHECKING, Annotated, Any, TypeAlias

from pydantic import Field

from contracts.vocabulary.risk import Risk

if TYPE_CHECKING:

    class ProductLine(StrEnum):
        """Lines of business; type checkers see them as texts of their own kind."""

    InsuredRisk: TypeAlias = Risk
else:
    _modules = sorted(module.name for module in iter_modules(__path__))
    _risks: list[Any] = [import_module(f"{__name__}.{name}").RISK for name in _modules]
    ProductLine = StrEnum("ProductLine", {name.upper(): name.replace("_", "-") for name in _modules}, module=__name__)
    ProductLine.__doc__ = (
        "Lines of business. A line is its product documents and a module, by its name, for what it insures."
    )
    InsuredRisk = Annotated[reduce(or_, _risks), Field(discriminator="line")]
