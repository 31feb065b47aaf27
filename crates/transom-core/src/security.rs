//! Security descriptors: who may open an object (mapping.md M41, design.md "Access").
//!
//! Windows keeps a list of rules about any number of users and groups. Linux files, which carry
//! our objects, know three classes: the owner, a group, everyone. A descriptor is therefore kept
//! as an ordered list of rules about these three. Order matters as it does on Windows: for each
//! bit the first rule that speaks of it decides, so a denial in front of a grant takes the bit
//! away and one behind it comes too late. A bit no rule speaks of is not granted.
//!
//! | class | whom a rule about it is for |
//! | --- | --- |
//! | owner | the user that made the object |
//! | group | members of the object's group; the owner counts as one |
//! | everyone | all, the owner and the group included |
//!
//! Rules may name generic rights; what those are depends on the kind of object, so a list becomes
//! plain masks only when the kind is known ([`Security::to_words`]). Whatever the rules say, the
//! owner may always read and change them (`READ_CONTROL` and `WRITE_DAC`), as on Windows.
//!
//! The textual form is a part of SDDL, read by [`Security::from_sddl`].

use alloc::string::String;
use alloc::vec::Vec;
use core::fmt;

use crate::access::{GENERIC_ALL, Kind, READ_CONTROL, WRITE_DAC};
use crate::code::Code;

mod sddl;

/// The fourth word of a descriptor that names no group. No group of Linux has this number.
const NO_GROUP: u32 = u32::MAX;

/// A security descriptor, as far as it means anything here.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Security {
    rules: Vec<Rule>,
    owner_id: Option<u32>,
    group_id: Option<u32>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Rule {
    deny: bool,
    class: Class,
    mask: u32,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Class {
    Owner,
    Group,
    Everyone,
}

impl Security {
    /// All rights for the owner, none for others: what an object gets that is made without a
    /// descriptor, or with one that has no access list.
    #[must_use]
    pub fn owner_only() -> Security {
        Security::with_rules([Rule { deny: false, class: Class::Owner, mask: GENERIC_ALL }])
    }

    /// All rights for everyone: a NULL DACL.
    #[must_use]
    pub fn everyone() -> Security {
        Security::with_rules([Rule { deny: false, class: Class::Everyone, mask: GENERIC_ALL }])
    }

    /// No rights for anyone: an empty DACL. The handle of the creator is not affected by it.
    #[must_use]
    pub fn nobody() -> Security {
        Security::with_rules([])
    }

    /// Exactly these rights for the owner, for members of the group, and for all others. Generic
    /// bits are allowed.
    #[must_use]
    pub fn from_masks(owner: u32, group: u32, everyone: u32) -> Security {
        use Class::{Everyone, Group, Owner};
        // Each class is told its own rights first, and then denied what later rules, which are for
        // it too, would add.
        let rules = [
            Rule { deny: false, class: Owner, mask: owner },
            Rule { deny: true, class: Owner, mask: group & !owner },
            Rule { deny: false, class: Group, mask: group },
            Rule { deny: true, class: Group, mask: everyone & !group },
            Rule { deny: false, class: Everyone, mask: everyone },
        ];
        Security::with_rules(rules.into_iter().filter(|rule| rule.mask != 0))
    }

    /// The same rules for another group: `group_id` is the Linux number of the group they mean,
    /// `None` the primary group of the creator.
    #[must_use]
    pub fn with_group_id(mut self, group_id: Option<u32>) -> Security {
        self.group_id = group_id.filter(|&id| id != NO_GROUP);
        self
    }

    /// Reads a descriptor in SDDL, `ConvertStringSecurityDescriptorToSecurityDescriptor`.
    ///
    /// # What is understood
    ///
    /// * `O:`, `G:`, `D:` and `S:`, each at most once, in any order. A text without `D:` means
    ///   [`owner_only`](Self::owner_only), `D:NO_ACCESS_CONTROL` means
    ///   [`everyone`](Self::everyone), `D:` alone [`nobody`](Self::nobody). The flags `P`, `AI`
    ///   and `AR` change nothing; neither does `S:`, for there are no audits and no integrity
    ///   levels here.
    /// * Entries `(A;flags;rights;;;sid)` and `(D;flags;rights;;;sid)`. An entry with the flag `IO`
    ///   is for objects inside a folder and left out; other flags change nothing.
    /// * Rights as letters (`GA GR GW GX`, `RC SD WD WO`, `FA FR FW FX`, `KA KR KW KX`,
    ///   `CC DC LC SW RP WP DT LO CR`) or as a number (`0x1F0003`, decimal, octal after `0`).
    ///
    /// # Whom a sid means
    ///
    /// | sid | class |
    /// | --- | --- |
    /// | `WD` `AU` `BU` `IU`, `S-1-1-0`, `S-1-2-0`, `S-1-5-11`, `S-1-5-32-545`, `S-1-5-4` | everyone |
    /// | `OW` `CO` `SY` `BA` `LA`, `S-1-3-4`, `S-1-3-0`, `S-1-5-18`, `S-1-5-32-544` | owner |
    /// | `CG`, `S-1-3-1` | group: the one after `G:`, else the creator's |
    /// | `S-1-22-2-N` | group with the Linux number N |
    /// | `S-1-22-1-N` | owner, if `O:` names the same user |
    /// | every other sid: guests, anonymous and network logons, users of a Windows domain | nobody |
    ///
    /// Rules about nobody are dropped: no process of this machine is one of them, so granting gives
    /// nothing and denying takes nothing.
    ///
    /// # Errors
    ///
    /// * `ERROR_INVALID_PARAMETER`: the text is not SDDL.
    /// * `ERROR_INVALID_ACL`: an entry is malformed.
    /// * `ERROR_INVALID_SID`: a sid is malformed or no known abbreviation.
    /// * `ERROR_NOT_SUPPORTED`: object or conditional entries; a Linux user other than the owner;
    ///   more than one group. They would be lost silently otherwise.
    pub fn from_sddl(text: &str) -> Result<Security, Code> {
        sddl::parse(text)
    }

    /// The descriptor in SDDL. Reading it gives the same descriptor again.
    #[must_use]
    pub fn to_sddl(&self) -> String {
        sddl::print(self)
    }

    /// The rights a caller has on an object of this kind, generic ones mapped and those added that come
    /// along with others ([`Kind::map_generic`]).
    ///
    /// The owner counts as a member of the group whatever `in_group` says.
    #[must_use]
    pub fn granted(&self, kind: Kind, is_owner: bool, in_group: bool) -> u32 {
        let granted = kind.map_generic(self.evaluate(kind, is_owner, is_owner || in_group));
        if is_owner { granted | READ_CONTROL | WRITE_DAC } else { granted }
    }

    /// Whether anyone but the owner gets a right, on any kind of object.
    #[must_use]
    pub fn admits_others(&self) -> bool {
        self.admits(true) || self.admits(false)
    }

    /// The mode bits of the file that stands for an object: read and write for the owner, who has
    /// to keep it in order, and for each class that has any right.
    #[must_use]
    pub fn mode(&self) -> u32 {
        let group = if self.admits(true) { 0o060 } else { 0 };
        let others = if self.admits(false) { 0o006 } else { 0 };
        0o600 | group | others
    }

    /// The Linux user that the text named as owner after `O:`. A creator that is someone else has
    /// to refuse with `ERROR_INVALID_OWNER`.
    #[must_use]
    pub fn owner_id(&self) -> Option<u32> {
        self.owner_id
    }

    /// The Linux group that the rules mean; `None` is the primary group of the creator.
    #[must_use]
    pub fn group_id(&self) -> Option<u32> {
        self.group_id
    }

    /// The fixed form that is stored with an object of this kind: rights of the owner, of the
    /// group, of everyone else, and the number of the group (0xFFFFFFFF for none).
    #[must_use]
    pub fn to_words(&self, kind: Kind) -> [u32; 4] {
        [
            self.evaluate(kind, true, true),
            self.evaluate(kind, false, true),
            self.evaluate(kind, false, false),
            self.group_id.unwrap_or(NO_GROUP),
        ]
    }

    /// Reads the fixed form. All values are allowed: what another process wrote there can only say
    /// more or fewer rights, not break anything.
    #[must_use]
    pub fn from_words(words: [u32; 4]) -> Security {
        let [owner, group, everyone, group_id] = words;
        Security::from_masks(owner, group, everyone).with_group_id(Some(group_id))
    }

    fn with_rules<I: IntoIterator<Item = Rule>>(rules: I) -> Security {
        Security { rules: rules.into_iter().collect(), owner_id: None, group_id: None }
    }

    fn admits(&self, in_group: bool) -> bool {
        Kind::ALL.iter().any(|&kind| self.evaluate(kind, false, in_group) != 0)
    }

    fn evaluate(&self, kind: Kind, is_owner: bool, in_group: bool) -> u32 {
        let mut allowed = 0;
        let mut denied = 0;
        for rule in &self.rules {
            let applies = match rule.class {
                Class::Owner => is_owner,
                Class::Group => in_group,
                Class::Everyone => true,
            };
            if applies {
                let mask = kind.expand_generic(rule.mask);
                if rule.deny {
                    denied |= mask;
                } else {
                    allowed |= mask & !denied;
                }
            }
        }
        allowed
    }
}

impl Default for Security {
    fn default() -> Security {
        Security::owner_only()
    }
}

/// Prints SDDL.
impl fmt::Display for Security {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.to_sddl())
    }
}

#[cfg(test)]
mod tests;
