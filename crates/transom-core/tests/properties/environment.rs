use super::text::units;
use proptest::collection::vec;
use proptest::prelude::*;
use transom_core::code::Code;
use transom_core::environment::Environment;

#[derive(Clone, Debug)]
enum Step {
    Set(Vec<u8>, Vec<u8>),
    Remove(Vec<u8>),
}

/// Names of which many differ only in case, and some are not allowed.
fn name() -> impl Strategy<Value = Vec<u8>> {
    "[aAbB=]{0,2}".prop_map(String::into_bytes)
}

fn value() -> impl Strategy<Value = Vec<u8>> {
    vec(1..=u8::MAX, 0..4)
}

fn step() -> impl Strategy<Value = Step> {
    prop_oneof![
        3 => (name(), value()).prop_map(|(name, value)| Step::Set(name, value)),
        1 => name().prop_map(Step::Remove),
    ]
}

type Pairs = Vec<(Vec<u8>, Vec<u8>)>;

fn find(pairs: &Pairs, name: &[u8]) -> Option<usize> {
    pairs.iter().position(|(own, _)| own.eq_ignore_ascii_case(name))
}

fn pairs(env: &Environment) -> Pairs {
    env.iter().map(|(name, value)| (name.to_vec(), value.to_vec())).collect()
}

proptest! {
    /// R15
    #[test]
    fn an_environment_is_an_ordered_list_without_regard_to_case(steps in vec(step(), 0..20)) {
        let mut env = Environment::new();
        let mut model: Pairs = Vec::new();
        for step in steps {
            match step {
                Step::Set(name, value) => {
                    let done = env.set(&name, &value);
                    if name.is_empty() || name.contains(&b'=') {
                        prop_assert_eq!(done, Err(Code::INVALID_PARAMETER));
                    } else {
                        prop_assert_eq!(done, Ok(()));
                        prop_assert_eq!(env.get(&name), Some(&value[..]));
                        match find(&model, &name) {
                            Some(at) => model[at].1 = value,
                            None => model.push((name, value)),
                        }
                    }
                }
                Step::Remove(name) => {
                    let done = env.remove(&name);
                    if name.is_empty() || name.contains(&b'=') {
                        prop_assert_eq!(done, Err(Code::INVALID_PARAMETER));
                    } else {
                        let at = find(&model, &name);
                        prop_assert_eq!(done, Ok(at.is_some()));
                        at.map(|at| model.remove(at));
                        prop_assert_eq!(env.get(&name), None);
                    }
                }
            }
            prop_assert_eq!(&pairs(&env), &model);
        }
        prop_assert_eq!(env.len(), model.len());
    }

    /// R16, R17: a child gets the same block, hidden entries and doubles included.
    #[test]
    fn a_block_comes_back(entries in vec(vec(1..=u8::MAX, 1..6), 0..8)) {
        let env = Environment::from_entries(&entries);
        prop_assert_eq!(env.entries().collect::<Vec<_>>(), entries);
        let block = env.to_block();
        prop_assert!(block.ends_with(b"\0\0"));
        prop_assert_eq!(Environment::from_block(&block), env);
    }

    /// R17
    #[test]
    fn a_wide_block_comes_back(entries in vec(units(6), 0..8)) {
        let mut block = Vec::new();
        for entry in &entries {
            let entry: Vec<u16> = entry.iter().copied().filter(|&unit| unit != 0).collect();
            if !entry.is_empty() {
                block.extend(entry);
                block.push(0);
            }
        }
        if block.is_empty() {
            block.push(0);
        }
        block.push(0);
        let env = Environment::from_block16(&block);
        prop_assert_eq!(env.to_block16(), block);
        prop_assert_eq!(Environment::from_block(&env.to_block()), env);
    }

    #[test]
    fn any_block_is_read_to_its_end_and_no_further(block in vec(0_u8..4, 0..20)) {
        let env = Environment::from_block(&block);
        let written = env.to_block();
        let same = written.len().saturating_sub(2).min(block.len());
        prop_assert_eq!(&written[..same], &block[..same]);
        prop_assert_eq!(Environment::from_block(&written), env);
    }

    /// Section 1: ExpandEnvironmentStrings.
    #[test]
    fn only_set_names_between_percent_signs_change(source in "[%ab]{0,12}", value in "[xy]{0,3}") {
        let empty = Environment::new();
        prop_assert_eq!(empty.expand(source.as_bytes()), source.as_bytes());
        let mut env = Environment::new();
        env.set(b"A", value.as_bytes()).expect("a good name");
        // Between percent signs by turns: outside, name, outside, name ... and a last open one.
        let parts: Vec<&str> = source.split('%').collect();
        let mut expected = parts[0].to_string();
        let mut at = 1;
        while at < parts.len() {
            match parts.get(at + 1) {
                None => expected += &format!("%{}", parts[at]),
                Some(after) => {
                    let known = parts[at].eq_ignore_ascii_case("a");
                    let shown = if known { value.clone() } else { format!("%{}%", parts[at]) };
                    expected += &shown;
                    expected += after;
                }
            }
            at += 2;
        }
        prop_assert_eq!(env.expand(source.as_bytes()), expected.into_bytes());
    }
}
