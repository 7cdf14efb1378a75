"""The store's questions in one place: pages, tiles, the importer and the command line ask them here."""

from data.asides import asides, set_aside, take_back
from data.branches import (
    add_branch,
    branch,
    branches,
    data_version,
    is_empty,
    new_version,
    remove_branch,
    set_radius,
    versions,
)
from data.database import dispose, engine, is_migrated, migrate, reading, transaction
from data.people import add_person, managers, people, set_role
from data.rows import (
    customer_card,
    customers_near,
    edit_merchant,
    merchant_card,
    merchant_rows,
    outlet_card,
    outlet_rows,
    place_card,
    place_rows,
    search,
)
from data.sources import batches, latest_source
from data.trail import audit, audit_rows

__all__ = [
    "add_branch",
    "add_person",
    "asides",
    "audit",
    "audit_rows",
    "batches",
    "branch",
    "branches",
    "customer_card",
    "customers_near",
    "data_version",
    "dispose",
    "edit_merchant",
    "engine",
    "is_empty",
    "is_migrated",
    "latest_source",
    "managers",
    "merchant_card",
    "merchant_rows",
    "migrate",
    "new_version",
    "outlet_card",
    "outlet_rows",
    "people",
    "place_card",
    "place_rows",
    "reading",
    "remove_branch",
    "search",
    "set_aside",
    "set_radius",
    "set_role",
    "take_back",
    "transaction",
    "versions",
]
