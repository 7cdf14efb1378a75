"""How often somebody should be there: days between two visits, by merchants' status and customers' tier."""

from __future__ import annotations

from datetime import date, datetime
from typing import Final
from zoneinfo import ZoneInfo

import numpy as np
from numpy.typing import NDArray

from data.catalogue import STATUSES, TIER_CODES
from data.snapshots import Customers, Merchants
from geo.visits import day_number, states

SIGNED_DAYS, OTHER_DAYS = 90, 180
MERCHANT_DAYS: Final = {
    "known": OTHER_DAYS,
    "contacted": OTHER_DAYS,
    "signed": SIGNED_DAYS,
    "closed": OTHER_DAYS,  # nobody is sent there; of those who were there this says how long ago is long
}
CUSTOMER_DAYS: Final = dict.fromkeys(TIER_CODES, OTHER_DAYS)
NO_TIER_DAYS = OTHER_DAYS
_BANK_TIME = ZoneInfo("Asia/Shanghai")


def today() -> date:
    """Return the day it is at the bank."""
    return datetime.now(_BANK_TIME).date()


def merchant_days(merchants: Merchants) -> NDArray[np.int32]:
    """Return how many days may pass between two visits to each merchant."""
    table = np.array([MERCHANT_DAYS[status] for status in STATUSES], dtype=np.int32)
    return table[merchants.status]


def customer_days(customers: Customers) -> NDArray[np.int32]:
    """Return how many days may pass between two visits to each customer."""
    table = np.array([*(CUSTOMER_DAYS[tier] for tier in TIER_CODES), NO_TIER_DAYS], dtype=np.int32)
    return table[customers.tier]  # -1, unknown, is the last


def merchant_states(merchants: Merchants, day: date | None = None) -> NDArray[np.int8]:
    """Return how visits to each merchant stand today, or that day: indices into `geo.visits.STATES`."""
    return states(merchants.visited, merchant_days(merchants), day_number(day or today()))


def customer_states(customers: Customers, day: date | None = None) -> NDArray[np.int8]:
    """Return how visits to each customer stand; see `merchant_states`."""
    return states(customers.visited, customer_days(customers), day_number(day or today()))
