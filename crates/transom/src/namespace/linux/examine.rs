use crate::namespace::Finding;
pub(crate) fn examine() -> Vec<Finding> {
    Vec::new()
}
