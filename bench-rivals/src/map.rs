//! Mappings: everything that makes and opens shared memory.

use transom_bench::{Case, Goal, Plan, Role, Side, Unit};

use crate::folder::Folder;
use crate::{iceoryx, shmem, wine};

/// What the workers of this program can play besides transom-bench's own roles.
pub const ROLES: &[Role] = &[
    ("shared-memory-create", shmem::create),
    ("shared-memory-open", shmem::open),
    ("iceoryx2-pubsub-create", iceoryx::pubsub_create),
    ("iceoryx2-pubsub-open", iceoryx::pubsub_open),
    ("iceoryx2-blackboard-create", iceoryx::blackboard_create),
    ("iceoryx2-blackboard-open", iceoryx::blackboard_open),
];

/// Those of transom-bench and the rivals'.
pub fn plan(folder: &Folder) -> Plan {
    let rival = |id, what| Case::role(Side::Peer, id, id, Unit::Microseconds, what);
    let iceoryx = |id, what| iceoryx::told(rival(id, what), folder);
    Plan::mapping_only()
        .extend([
            rival("shared-memory-create", "shared_memory: create, map, unmap, close"),
            rival("shared-memory-open", "shared_memory: open, map, unmap, close"),
            iceoryx("iceoryx2-pubsub-create", "iceoryx2 pub-sub: create service and publisher of 64 KiB"),
            iceoryx("iceoryx2-pubsub-open", "iceoryx2 pub-sub: open service, subscribe"),
            iceoryx("iceoryx2-blackboard-create", "iceoryx2 blackboard: create service with 64 KiB"),
            iceoryx("iceoryx2-blackboard-open", "iceoryx2 blackboard: open service, make a reader"),
        ])
        .extend(wine::mappings(folder))
        .compare("named-create", "shared-memory-create", None)
        .compare("named-open", "shared-memory-open", None)
        .compare("named-create", "iceoryx2-pubsub-create", Some(Goal::AtMost(1.0)))
        .compare("named-create", "iceoryx2-blackboard-create", Some(Goal::AtMost(1.0)))
        .compare("named-create", "wine-create", Some(Goal::AtMost(0.15)))
        .compare("named-open", "wine-open", Some(Goal::AtMost(0.15)))
}
