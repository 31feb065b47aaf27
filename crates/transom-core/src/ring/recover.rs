//! After the holder of a turn died. Each step may be interrupted by another death and is then made again.

use super::reader::{LOST, WHOLE};
use super::slots::{self, ENDING, FREE, PENDING, STREAMING, View, WITHDRAWN};
use super::{Corrupt, HEADER, Memory, Queue};
use crate::sync::Ordering;

impl<M: Memory> Queue<'_, M> {
    /// Makes the writers' side consistent; under the write turn, after its holder died. Unpublished bytes
    /// never existed; what a streaming write left is withdrawn. Ring the reader afterwards.
    ///
    /// # Errors
    /// `Corrupt`.
    pub fn recover_writer(&self) -> Result<(), Corrupt> {
        let (_, [tail, ..]) = self.control.written_mirror.restore(&self.control.written);
        self.forget_early(tail);
        for view in slots::all(self.control) {
            let slot = &self.control.slots[view.index];
            let (_, [tail, ..]) = self.control.written_mirror.look();
            match view.state() {
                STREAMING => {
                    // Err: the reader took its last byte, so it has succeeded.
                    if let Ok(word) = slot.change(view.word, ENDING) {
                        self.end_stream(&View { word, ..view })?;
                    }
                }
                ENDING => self.end_stream(&view)?,
                PENDING if view.start.wrapping_sub(tail) as i64 >= 0 => {
                    // Taken, and its data never published. Nobody else has seen it.
                    let _ = slot.change(view.word, FREE);
                }
                _ => {}
            }
        }
        slots::restore_bits(self.control, u32::MAX);
        Ok(())
    }

    /// Makes the readers' side consistent; under the read turn, after its holder died. The position needs no
    /// repair (invariant 4); but a message whose beginning the holder had taken and published, to go on reading it, is
    /// lost (invariant 10).
    ///
    /// # Errors
    /// `Corrupt`.
    pub fn recover_reader(&self) -> Result<(), Corrupt> {
        self.control.demand.store(0, Ordering::SeqCst);
        slots::restore_bits(self.control, u32::MAX);
        let (_, [head, _, rest]) = self.control.consumed_mirror.restore(&self.control.consumed);
        if self.control.parted.load(Ordering::Relaxed) != WHOLE {
            let parted = if rest == 0 { WHOLE } else { LOST };
            self.control.parted.store(parted, Ordering::Relaxed);
        }
        slots::tidy(self.control, head, rest != 0);
        Ok(())
    }

    /// Withdraws a streaming write at the point it has reached: its slot, in `ENDING`, gets the published
    /// extent, and what was announced beyond it is taken back. Under the write turn.
    pub(super) fn end_stream(&self, view: &View) -> Result<(), Corrupt> {
        let (mark, [tail, _, messages]) = self.control.written_mirror.look();
        let reached = tail.wrapping_sub(view.start);
        if reached > u64::from(view.ring) {
            return Err(Corrupt);
        }
        let payload = if self.shape.message { reached.saturating_sub(HEADER) } else { reached };
        // Both fit: they are not more than what stands there.
        let length = payload.min(u64::from(view.length)) as u32;
        slots::shorten(self.control, view, reached as u32, length);
        let announced = view.payload_start.wrapping_add(u64::from(length));
        let publish = |mark| {
            let control = self.control;
            control.written_mirror.publish(&control.written, mark, [tail, announced, messages])
        };
        let mark = publish(mark);
        let state = if reached == 0 { FREE } else { WITHDRAWN };
        let _ = self.control.slots[view.index].change(view.word, state);
        // Once more, so that who spins on the mark looks at the new state.
        publish(mark);
        Ok(())
    }
}
