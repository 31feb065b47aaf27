//! Random scripts of reads and writes through several views, against a plain vector.

use proptest::prelude::*;

use crate::mapping::{FILE_MAP_READ, Mapping, View, ViewOptions};
use crate::support::code;

const GRANULE: usize = 65_536;
const SIZE: usize = GRANULE + 8192;

#[derive(Debug, Clone)]
enum Step {
    Write { view: usize, offset: usize, bytes: Vec<u8> },
    Fill { view: usize, offset: usize, len: usize, byte: u8 },
    Read { view: usize, offset: usize, len: usize },
    Store { view: usize, offset: usize, value: u64 },
    Load { view: usize, offset: usize },
    Add { view: usize, offset: usize, value: u32 },
}

fn step() -> impl Strategy<Value = Step> {
    // Offsets near every border: of the views, of the section, and of nothing in particular.
    let offset = prop_oneof![0..64usize, GRANULE - 64..GRANULE + 64, SIZE - 64..SIZE + 64, 0..SIZE];
    let len = prop_oneof![0..64usize, 0..5000usize];
    let view = 0..VIEWS.len();
    prop_oneof![
        (view.clone(), offset.clone(), proptest::collection::vec(any::<u8>(), 0..3000))
            .prop_map(|(view, offset, bytes)| Step::Write { view, offset, bytes }),
        (view.clone(), offset.clone(), len.clone(), any::<u8>())
            .prop_map(|(view, offset, len, byte)| Step::Fill { view, offset, len, byte }),
        (view.clone(), offset.clone(), len).prop_map(|(view, offset, len)| Step::Read { view, offset, len }),
        (view.clone(), offset.clone(), any::<u64>()).prop_map(|(view, offset, value)| Step::Store {
            view,
            offset,
            value
        }),
        (view.clone(), offset.clone()).prop_map(|(view, offset)| Step::Load { view, offset }),
        (view, offset, any::<u32>()).prop_map(|(view, offset, value)| Step::Add { view, offset, value }),
    ]
}

/// Where each view begins, how long it is and whether it can be written.
const VIEWS: [(usize, usize, bool); 4] =
    [(0, SIZE, true), (0, 777, true), (GRANULE, SIZE - GRANULE, true), (0, SIZE, false)];

fn views(mapping: &Mapping) -> Vec<View> {
    let map = |(offset, len, writable): (usize, usize, bool)| {
        let options = ViewOptions::new().offset(offset as u64).length(len as u64);
        let options = if writable { options } else { options.access(FILE_MAP_READ) };
        options.map(mapping).unwrap()
    };
    VIEWS.map(map).into()
}

/// The section as it should be.
struct Model(Vec<u8>);

impl Model {
    /// The part of the section that an access means, or the code it fails with.
    fn part(&mut self, view: usize, offset: usize, len: usize, writes: bool) -> Result<&mut [u8], u32> {
        let (start, size, writable) = VIEWS[view];
        if offset + len > size {
            return Err(87);
        }
        if writes && !writable {
            return Err(5);
        }
        Ok(&mut self.0[start + offset..start + offset + len])
    }

    /// The same for a word, whose offset must be aligned.
    fn word(&mut self, view: usize, offset: usize, len: usize, writes: bool) -> Result<&mut [u8], u32> {
        let part = self.part(view, offset, len, writes)?;
        if offset.is_multiple_of(len) { Ok(part) } else { Err(87) }
    }

    fn apply(&mut self, views: &[View], step: &Step) {
        match step {
            Step::Write { view, offset, bytes } => {
                let model =
                    self.part(*view, *offset, bytes.len(), true).map(|part| part.copy_from_slice(bytes));
                let real = views[*view].write(*offset, bytes);
                assert_eq!(code(real), model.err().unwrap_or(0));
            }
            Step::Fill { view, offset, len, byte } => {
                let model = self.part(*view, *offset, *len, true).map(|part| part.fill(*byte));
                let real = views[*view].fill(*offset, *len, *byte);
                assert_eq!(code(real), model.err().unwrap_or(0));
            }
            Step::Read { view, offset, len } => {
                let model = self.part(*view, *offset, *len, false).map(|part| part.to_vec());
                let real = views[*view].read_to_vec(*offset, *len);
                assert_eq!(real.map_err(|error| error.code().value()), model);
            }
            Step::Store { view, offset, value } => {
                let model = self.word(*view, *offset, 8, true);
                let model = model.map(|part| part.copy_from_slice(&value.to_ne_bytes()));
                assert_eq!(code(views[*view].store_u64(*offset, *value)), model.err().unwrap_or(0));
            }
            Step::Load { view, offset } => {
                let model = self.word(*view, *offset, 4, false);
                let model = model.map(|part| u32::from_ne_bytes(part.try_into().unwrap()));
                let real = views[*view].load_u32(*offset);
                assert_eq!(real.map_err(|error| error.code().value()), model);
            }
            Step::Add { view, offset, value } => {
                let model = self.word(*view, *offset, 4, true).map(|part| {
                    let before = u32::from_ne_bytes((&*part).try_into().unwrap());
                    part.copy_from_slice(&before.wrapping_add(*value).to_ne_bytes());
                    before
                });
                let real = views[*view].atomic_u32(*offset);
                let real = real.map(|word| word.fetch_add(*value, std::sync::atomic::Ordering::Relaxed));
                assert_eq!(real.map_err(|error| error.code().value()), model);
            }
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 64, failure_persistence: None, ..ProptestConfig::default() })]

    /// M22: whatever is done through one view shows through all of them, and nothing else happens.
    #[test]
    fn views_behave_as_one_vector(script in proptest::collection::vec(step(), 1..60)) {
        let mapping = Mapping::anonymous(SIZE as u64).unwrap();
        let views = views(&mapping);
        let mut model = Model(vec![0; SIZE]);
        for step in &script {
            model.apply(&views, step);
        }
        prop_assert_eq!(views[0].read_to_vec(0, SIZE).unwrap(), model.0);
    }
}
