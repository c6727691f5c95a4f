"""What the catalogue is asked by HTTP: the bodies of the steps of a product version."""

from datetime import date
from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field

from contracts.vocabulary.identifiers import ChannelCode, ProductCode, RegionCode
from services.quote.domain.products.document import VERSION_MAX
from services.quote.domain.products.launch import Coinsured
from services.quote.domain.products.part import PlainText

CHANGES_MAX = 100


class StepTaken(BaseModel):
    """Who takes a step with a product version, and why; both are kept for ever."""

    model_config = ConfigDict(extra="forbid")

    by: PlainText
    why: PlainText


class Drafting(StepTaken):
    """A document to be put down as a draft."""

    document: dict[str, Any]


class Cloning(StepTaken):
    """A draft out of another version: `changes` by dotted path. Without `version`, the next free one."""

    to: ProductCode
    version: Annotated[int, Field(ge=1, le=VERSION_MAX)] | None = None
    changes: Annotated[dict[str, Any], Field(max_length=CHANGES_MAX)] = Field(default_factory=dict)
    coinsurance: Coinsured | None = None


class Approval(StepTaken):
    """`document_digest`, or its beginning, is that of the draft that was read; another draft is then not approved."""

    document_digest: Annotated[str, Field(pattern=r"^[0-9a-f]{12,64}$")] | None = None


class Publication(StepTaken):
    """`sandbox`, for the channels named, or `on-sale`. No day: the sandbox at once, sale on the document's day."""

    stage: Literal["sandbox", "on-sale"] = "on-sale"
    from_day: date | None = None
    channels: Annotated[tuple[ChannelCode, ...], Field(max_length=CHANGES_MAX)] = ()


class Ending(StepTaken):
    """The end of new business or of all sale, everywhere or for one channel or region; no day means at once."""

    from_day: date | None = None
    channel: ChannelCode | None = None
    region: RegionCode | None = None


class DifferenceView(BaseModel):
    """A path where two versions differ."""

    path: str
    before: Any
    after: Any
