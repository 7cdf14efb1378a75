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
from data.byhand import add_merchant, edit_merchant, merchant_changes
from data.comparing import diff
from data.database import dispose, engine, is_migrated, migrate, reading, transaction
from data.history import RollbackReport, rollback, same_file, touched_later
from data.lists.remembered import (
    Profile,
    category_words,
    forget_profile,
    forget_words,
    keep_profile,
    keep_words,
    profile_for,
    profiles,
)
from data.people import add_person, managers, people, set_role
from data.review import doubles_to_review, settle_double
from data.rows import (
    customer_card,
    customers_near,
    merchant_card,
    merchant_rows,
    outlet_card,
    outlet_rows,
    place_card,
    place_rows,
    search,
)
from data.sources import batches, latest_source, newest_by_hand
from data.trail import audit, audit_rows
from data.unplaced import drop_unplaced, place_unplaced, unplaced, unplaced_count
from data.zones.playbooks import Playbook, kind_products, playbooks, reset_playbook, save_playbook

__all__ = [
    "Playbook",
    "Profile",
    "RollbackReport",
    "add_branch",
    "add_merchant",
    "add_person",
    "asides",
    "audit",
    "audit_rows",
    "batches",
    "branch",
    "branches",
    "category_words",
    "customer_card",
    "customers_near",
    "data_version",
    "diff",
    "dispose",
    "doubles_to_review",
    "drop_unplaced",
    "edit_merchant",
    "engine",
    "forget_profile",
    "forget_words",
    "is_empty",
    "is_migrated",
    "keep_profile",
    "keep_words",
    "kind_products",
    "latest_source",
    "managers",
    "merchant_card",
    "merchant_changes",
    "merchant_rows",
    "migrate",
    "new_version",
    "newest_by_hand",
    "outlet_card",
    "outlet_rows",
    "people",
    "place_card",
    "place_rows",
    "place_unplaced",
    "playbooks",
    "profile_for",
    "profiles",
    "reading",
    "remove_branch",
    "reset_playbook",
    "rollback",
    "same_file",
    "save_playbook",
    "search",
    "set_aside",
    "set_radius",
    "set_role",
    "settle_double",
    "take_back",
    "touched_later",
    "transaction",
    "unplaced",
    "unplaced_count",
    "versions",
]
