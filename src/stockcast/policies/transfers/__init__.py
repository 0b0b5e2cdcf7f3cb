"""Stock moved between locations before anything is bought: a flow of least expected cost along the lanes."""

from stockcast.policies.transfers.proposing import Proposed, propose

__all__ = ["Proposed", "propose"]
