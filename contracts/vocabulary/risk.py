"""What every insured risk says, whatever its line."""

from contracts.vocabulary.model import ChannelModel


class Risk(ChannelModel):
    """What is insured, of one line of business; a line's own model narrows `line` to its name."""

    line: str
