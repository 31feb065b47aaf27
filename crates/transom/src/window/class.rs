//! Classes: what windows are found by, and what calls their closures.

use std::sync::Arc;

use super::raw::{self, Charset, ClassDefinition, Name};
use super::{WindowOptions, procedure, text, units};
use crate::error::{Code, Error, Result};

/// A class of windows (`RegisterClassEx`), known to this process until the last clone, and the last of its windows, are
/// dropped.
///
/// Its name is what others [find](super::Sender::find) its windows by; case does not matter (W1). Each process has its own
/// classes, so several can have one of the same name.
#[derive(Debug, Clone)]
pub struct Class(Arc<Registration>);

#[derive(Debug)]
struct Registration {
    name: String,
    number: u16,
}

impl Class {
    /// `RegisterClassEx`: a class whose windows call closures.
    ///
    /// # Parameters
    /// `name`: 1 to 255 UTF-16 units.
    ///
    /// # Errors
    /// `ERROR_CLASS_ALREADY_EXISTS` (1410): this process has one of that name, in any case.
    /// `ERROR_INVALID_PARAMETER` (87): a name of another length. `ERROR_INVALID_NAME` (123): a zero in it.
    ///
    /// # Blocking
    /// Never.
    #[doc(alias = "RegisterClassEx")]
    pub fn register(name: &str) -> Result<Class> {
        let units = units("register class", name)?;
        // Not every system refuses these.
        if units.is_empty() || units.len() > 255 {
            return Err(Error::new("register class", Code::INVALID_PARAMETER).with_name(name));
        }
        let definition = ClassDefinition {
            name: units,
            charset: Charset::Wide,
            procedure: procedure::procedure,
            style: 0,
            class_extra: 0,
            window_extra: 0,
            instance: 0,
            icon: 0,
            cursor: 0,
            background: 0,
            menu_name: 0,
            small_icon: 0,
        };
        let number = raw::register_class(&definition).map_err(|error| error.with_name(name))?;
        Ok(Class(Arc::new(Registration { name: name.to_owned(), number })))
    }

    /// How a window of this class is made; message-only unless something else is asked for.
    #[must_use]
    pub fn window(&self, title: &str) -> WindowOptions {
        WindowOptions::new(self.clone(), title)
    }

    /// The name as it was registered here.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.0.name
    }

    /// The number in the desktop's table of names (`ATOM`).
    #[must_use]
    pub fn number(&self) -> u16 {
        self.0.number
    }
}

impl Drop for Registration {
    fn drop(&mut self) {
        // 1412: a window was left to the end of its thread, which is still coming. The class then stays.
        let _ = raw::unregister_class(Name::Atom(self.number));
    }
}

/// The name of a class, message or clipboard format by its number; `None` if the desktop has none of that number.
///
/// # Errors
/// The desktop cannot be reached.
#[doc(alias = "GetClipboardFormatName")]
pub fn name_of(number: u16) -> Result<Option<String>> {
    Ok(raw::name_of(number)?.map(|name| text(&name)))
}
