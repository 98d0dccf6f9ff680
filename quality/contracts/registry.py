"""The list of kinds. A new contract is a module and one line here."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import Final

from quality.contracts.activities_logged import ActivityLogged
from quality.contracts.contacts import Contact
from quality.contracts.contract import Contract
from quality.contracts.deals import Deal
from quality.contracts.exchange_rates import ExchangeRate
from quality.contracts.feedback import Feedback
from quality.contracts.loyalty_entries import LoyaltyEntry
from quality.contracts.messages import Message
from quality.contracts.products import Product
from quality.contracts.purchases import Purchase
from quality.contracts.social_interactions import SocialInteraction
from quality.contracts.web_events import WebEvent

CONTRACTS: Final[Mapping[str, type[Contract]]] = MappingProxyType(
    {
        model.kind: model
        for model in (
            WebEvent,
            Purchase,
            SocialInteraction,
            Feedback,
            Contact,
            Message,
            Product,
            ExchangeRate,
            LoyaltyEntry,
            Deal,
            ActivityLogged,
        )
    }
)
"""Kind → contract, in the order of the data dictionary."""


def contract(kind: str) -> type[Contract]:
    """The contract of a kind; KeyError when there is none (declarations check the name before)."""
    return CONTRACTS[kind]
