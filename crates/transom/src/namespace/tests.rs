//! What can be asked about names. Windows documents no call that lists them, so there the answer is 50.

use crate::event::EventOptions;
use crate::handle::Kind;
use crate::mapping::Mapping;
use crate::namespace::{Scope, find, list, sweep};
use crate::support::{ON_LINUX, code, limit, unique};

/// M39, M40: a name is listed with its holder as long as it lives.
#[test]
fn a_name_is_listed_while_it_lives() {
    let _limit = limit();
    if !ON_LINUX {
        assert_eq!([code(list()), code(find("x")), code(sweep())], [50; 3]);
        return;
    }
    let name = unique("listed");
    assert_eq!(find(&name).unwrap(), None);
    let mapping = Mapping::create(&name, 5000).unwrap().object;
    let _second = Mapping::open_read_only(&name).unwrap();
    let found = find(&name).unwrap().expect("it exists");
    assert_eq!((found.name.as_str(), found.scope, found.kind), (name.as_str(), Scope::Local, Kind::Mapping));
    assert_eq!(found.size, Some(8192));
    assert!(found.holders.iter().all(|holder| holder.process_id == std::process::id()));
    assert!(!found.holders.is_empty());
    assert!(list().unwrap().iter().any(|object| object.name == name));
    drop((mapping, _second));
    assert_eq!(find(&name).unwrap(), None);
    assert!(list().unwrap().iter().all(|object| object.name != name));
}

/// M34, M35.
#[test]
fn global_names_are_listed_with_their_prefix() {
    let _limit = limit();
    if !ON_LINUX {
        assert_eq!(code(find("Global\\x")), 50);
        return;
    }
    let name = format!("Global\\{}", unique("global"));
    let event = EventOptions::new().name(&name).initial(true).create().unwrap();
    let found = find(&name).unwrap().expect("it exists");
    assert_eq!((found.name.as_str(), found.scope, found.kind), (name.as_str(), Scope::Global, Kind::Event));
    assert_eq!(found.state.as_deref(), Some("set"));
    event.object.reset().unwrap();
    assert_eq!(find(&name).unwrap().unwrap().state.as_deref(), Some("not set"));
    assert_eq!(code(find("a\\b")), 3, "M36");
}
